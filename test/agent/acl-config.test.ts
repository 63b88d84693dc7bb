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

test("an agent may be of a secondary datacenter, and servers of one's own may not", () => {
  const path = join(directory, "acl.json");
  writeFileSync(path, JSON.stringify({ datacenter: "dc2", acl_datacenter: "dc1" }));
  const args = ["-data-dir", directory, "-bind", "127.0.0.1", "-config-file", path];
  expect(loadAgentConfig(args, facts).acl.enabled).toBe(true);
  for (const more of ["-server", "-dev"]) {
    const load = (): unknown => loadAgentConfig([...args, more], facts);
    expect(load).toThrow("acl_datacenter is dc1, but servers of one's own");
  }
});
