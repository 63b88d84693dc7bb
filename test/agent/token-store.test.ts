// The tokens an agent shows: configured, set by the API, kept.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { AclConfig } from "../../src/agent/config/types.ts";
import { TokenStore } from "../../src/agent/token-store.ts";

let directory: string;
const lines: string[] = [];
const log = { warn: (_part: string, line: string) => void lines.push(line) };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tokens-"));
  lines.length = 0;
});
afterEach(() => rmSync(directory, { recursive: true }));

function config(tokens: Partial<AclConfig["tokens"]>, tokenPersistence = true): AclConfig {
  return {
    ...{ enabled: true, defaultPolicy: "deny", downPolicy: "extend-cache", keyListPolicy: false },
    ...{ ttlMs: 30_000, tokenPersistence, masterToken: "" },
    tokens: { default: "", agent: "", agentMaster: "", replication: "", ...tokens },
  };
}

function store(tokens: Partial<AclConfig["tokens"]>, kept = true): TokenStore {
  return new TokenStore(config(tokens, kept), directory, log);
}

test("the agent shows its own token, else the default one", () => {
  expect(store({ default: "d", agent: "a" }).agent).toBe("a");
  expect(store({ default: "d" }).agent).toBe("d");
});

test("what the API sets goes before what is configured, and outlives the process", async () => {
  await store({ default: "configured" }).set("default", "set");
  const again = store({ default: "configured" });
  expect(again.default).toBe("set");
  again.reload(config({ default: "other" }));
  expect(again.default).toBe("set");
});

test("the file is Consul's, and nobody else's to read", async () => {
  await store({}).set("acl_agent_master_token", "m");
  const file = join(directory, "acl-tokens.json");
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ agent_master: "m" });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(store({}).isMaster("m")).toBe(true);
});

test("without persistence nothing is kept", async () => {
  await store({}, false).set("agent", "a");
  expect(store({}, false).agent).toBe("");
});

test("a file that is broken is reported without its content, and left alone", () => {
  writeFileSync(join(directory, "acl-tokens.json"), "s3cret{");
  expect(store({ default: "d" }).default).toBe("d");
  expect(lines.join()).toMatch(/not JSON/);
  expect(lines.join()).not.toContain("s3cret");
});

test("an unknown kind is refused", async () => {
  await expect(store({}).set("zap", "x")).rejects.toThrow('Token "zap" is unknown');
});

test("no token is nobody's master token", () => {
  expect(store({}).isMaster("")).toBe(false);
});
