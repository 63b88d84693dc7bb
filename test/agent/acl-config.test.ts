import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadAgentConfig } from "../../src/agent/config/load.ts";

const facts = { hostName: "host1", addresses: [] };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-acl-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("the old name of the primary datacenter switches ACLs on, for agents and for servers", () => {
  const path = join(directory, "acl.json");
  writeFileSync(path, JSON.stringify({ datacenter: "dc2", acl_datacenter: "dc1" }));
  const args = ["-data-dir", directory, "-bind", "127.0.0.1", "-config-file", path];
  for (const more of [[], ["-server"], ["-dev"]]) {
    const { acl, primaryDatacenter } = loadAgentConfig([...args, ...more], facts);
    expect({ enabled: acl.enabled, primaryDatacenter }).toEqual({
      ...{ enabled: true, primaryDatacenter: "dc1" },
    });
  }
});
