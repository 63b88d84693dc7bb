// Configuration of an agent on a host that is always the same, with files in a directory of the test's own.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

import { loadAgentConfig } from "../../src/agent/config/load.ts";
import type { ResolvedAgentConfig } from "../../src/agent/config/types.ts";

/** What the configuration does not say. */
export const facts = {
  hostName: "host1",
  addresses: [{ interface: "eth0", address: "10.1.2.3", family: "IPv4" as const }],
};

export interface ConfigLab {
  /** Another one for each test, and gone after it. */
  readonly directory: string;
  /** Writes a file there; gives back its path. */
  file(name: string, content: string | object): string;
  load(...args: string[]): ResolvedAgentConfig;
}

/** For the top of a test file. */
export function configLab(): ConfigLab {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "proconsul-config-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  return {
    get directory() {
      return directory;
    },
    file: (name, content) => {
      const path = join(directory, name);
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
      return path;
    },
    load: (...args) => loadAgentConfig(args, facts),
  };
}
