// The web UI, as the configuration has it: Consul's keys, and one decision of our own, that an agent which only its own
// machine can reach has a web UI unless it is told otherwise.

import { resolve as resolvePath } from "node:path";

import { isLoopback } from "./addresses.ts";
import { ConfigError } from "./errors.ts";
import type { ConfigValues } from "./keys.ts";
import type { MergedConfig } from "./merge.ts";
import type { UiConfig } from "./types.ts";

const bothText =
  "Both the ui and ui-dir flags were specified, please provide only one.\n" +
  "If trying to use your own web UI resources, use the ui-dir flag.\n" +
  "The web UI is included in the binary so use ui to enable it";

/** `http`: where the agent's HTTP API listens. Throws ConfigError. */
export function resolveUi(
  { values, given }: MergedConfig,
  http: readonly string[],
): UiConfig | null {
  const isAsked = values.ui || values["ui_config.enabled"];
  const isDecided = given.has("ui") || given.has("ui_config.enabled");
  if (values.ui_dir !== "" && isAsked && isDecided) throw new ConfigError(bothText);
  const isHomely = !isDecided && http.length > 0 && http.every(isLoopback);
  if (!isAsked && values.ui_dir === "" && !isHomely) return null;
  const path = contentPath(values);
  if (path === "/") throw new ConfigError(`ui-content-path cannot be "/": the API is there`);
  const directory = values.ui_dir === "" ? "" : resolvePath(values.ui_dir);
  return { directory, contentPath: path };
}

/** With a slash at both ends. */
export function contentPath(values: ConfigValues): string {
  const path = values["ui_config.content_path"] || values.ui_content_path;
  const inner = path.replace(/^\/+|\/+$/g, "");
  return inner === "" ? "/" : `/${inner}/`;
}
