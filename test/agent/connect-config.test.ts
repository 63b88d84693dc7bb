// `connect` in flags and files: who enables it, how files name what the API names otherwise, what keeps from starting.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { loadAgentConfig } from "../../src/agent/config/load.ts";
import type { ResolvedAgentConfig } from "../../src/agent/config/types.ts";
import { serverSettings } from "../../src/agent/servers/settings.ts";

const directory = mkdtempSync(join(tmpdir(), "proconsul-connect-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

const facts = {
  hostName: "host1",
  addresses: [{ interface: "eth0", address: "10.1.2.3", family: "IPv4" as const }],
};

function load(connect: object | null, ...flags: string[]): ResolvedAgentConfig {
  const path = join(directory, "c.json");
  writeFileSync(path, JSON.stringify(connect === null ? {} : { connect }));
  return loadAgentConfig([...flags, "-config-file", path], facts);
}

const server = ["-server", "-data-dir", join(directory, "data"), "-bind", "127.0.0.1"];

test("-dev enables it, unless a file says otherwise; a server does not", () => {
  expect(load(null, "-dev").connect.enabled).toBe(true);
  expect(load({ enabled: false }, "-dev").connect.enabled).toBe(false);
  expect(load(null, ...server).connect.enabled).toBe(false);
  expect(load({ enabled: true }, ...server).connect.enabled).toBe(true);
});

test("the servers are told what the authority begins with, and nothing where it is not enabled", () => {
  const cluster = "11111111-2222-3333-4444-555555555555";
  const given = { leaf_cert_ttl: "24h", csr_max_per_second: 5, Foo: 1, cluster_id: cluster };
  const config = load({ enabled: true, ca_provider: "consul", ca_config: given }, ...server);
  expect(serverSettings(config, "key").CONNECT).toEqual({
    clusterId: cluster,
    config: { LeafCertTTL: "24h", CSRMaxPerSecond: 5, Foo: 1 },
  });
  expect(serverSettings(load(null, ...server), "key")).not.toHaveProperty("CONNECT");
});

test("a private key is not shown", () => {
  const config = load({ enabled: true, ca_config: { private_key: "secret" } }, ...server);
  expect(config.debug).toMatchObject({
    ConnectEnabled: true,
    ConnectCAConfig: { PrivateKey: "hidden" },
  });
  expect(JSON.stringify(config.debug)).not.toContain("secret");
});

const refusals: [connect: object, text: string][] = [
  [{ ca_provider: "vault" }, "connect.ca_provider is set, but it is not built yet"],
  [
    { ca_config: { leaf_cert_ttl: "1m" } },
    "connect.ca_config: error configuring provider: leaf cert TTL must be greater or equal than 1h0m0s",
  ],
  [
    { ca_config: { cluster_id: "x" } },
    "connect CA config cluster_id was supplied but was not a valid UUID",
  ],
  [
    { ca_config: { cluster_id: 5 } },
    "connect CA config cluster_id was supplied but was not a valid UUID",
  ],
];

test.each(refusals)("%j keeps the agent from starting", (connect, text) => {
  expect(() => load({ enabled: true, ...connect }, ...server)).toThrow(text);
});

test("a root is the primary's: a secondary that brings one says that it has no use for it", () => {
  const brought = { enabled: true, ca_config: { private_key: "k", root_cert: "c" } };
  const text =
    "connect.ca_config: root_cert and its private_key are not used here, the root is that of dc0";
  const secondary = [...server, "-hcl", 'primary_datacenter = "dc0"'];
  expect(load(brought, ...secondary).warnings).toContain(text);
  expect(load(brought, ...server).warnings).not.toContain(text);
  const own = { enabled: true, ca_config: { private_key: "k" } };
  expect(load(own, ...secondary).warnings).not.toContain(text);
});
