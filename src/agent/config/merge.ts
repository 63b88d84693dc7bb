// Puts sources together, the later over the earlier: single values replace, lists grow, maps are
// joined.

import { decodeCheck, decodeService } from "../../core/agent/decode.ts";
import type { CheckDefinition, ServiceDefinition } from "../../core/agent/definitions.ts";
import { withCheckLast } from "./definition-shapes.ts";
import { ConfigError } from "./errors.ts";
import { configKeys, keyAt, type ConfigKey, type ConfigValues } from "./keys.ts";
import { listProblems, type Fragment } from "./parse.ts";

export interface MergedConfig {
  values: ConfigValues;
  /** Paths that somebody set. */
  given: ReadonlySet<string>;
  services: ServiceDefinition[];
  checks: CheckDefinition[];
}

/**
 * `presets` are below all others and given by nobody. Throws ConfigError when a source holds durations that cannot be
 * read.
 */
export function mergeFragments(
  presets: ReadonlyMap<string, unknown>,
  fragments: readonly Fragment[],
): MergedConfig {
  const problems = fragments.flatMap((fragment) => fragment.problems);
  if (problems.length > 0) throw new ConfigError(listProblems(problems));
  const values = new Map<string, unknown>(
    Object.entries<ConfigKey>(configKeys).map(([path, key]) => [path, key.initial]),
  );
  for (const [path, value] of presets) values.set(path, value);
  const given = new Set<string>();
  for (const fragment of fragments) {
    for (const [path, value] of fragment.values) {
      values.set(path, joined(keyAt(path), values.get(path), value));
      given.add(path);
    }
  }
  return {
    values: Object.fromEntries(values) as unknown as ConfigValues,
    given,
    services: fragments.flatMap(({ services }) =>
      services.map((body) => decodeService(withCheckLast(body))),
    ),
    checks: fragments.flatMap(({ checks }) => checks.map(decodeCheck)),
  };
}

function joined(key: ConfigKey | undefined, before: unknown, value: unknown): unknown {
  if (key?.type === "texts" || key?.type === "objects") {
    return [...(before as unknown[]), ...(value as unknown[])];
  }
  if (key?.type === "map") return { ...(before as object), ...(value as object) };
  return value;
}
