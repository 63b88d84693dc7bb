// Commands that only servers make, for themselves, are refused to whoever asks over a link.

import { reset } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";

import { autopilotDefaults } from "../../src/core/model/autopilot.ts";
import { emptyToken } from "../../src/core/state/tables/acl/bootstrap.ts";
import type { Command } from "../../src/core/state/commands.ts";
import { internalCommands } from "../../src/link/protocol.ts";
import { get, put, write } from "./datacenter.ts";

afterEach(async () => await reset());

const configuration = { provider: "consul", config: {}, force: true };
const first = {
  privateKey: "key",
  given: true,
  root: {
    ID: "id",
    Name: "",
    SerialNumber: "1",
    SigningKeyID: "",
    ExternalTrustDomain: "",
    NotBefore: "",
    NotAfter: "",
    RootCert: "",
    IntermediateCerts: null,
    PrivateKeyType: "",
    PrivateKeyBits: 0,
  },
};

const method = {
  ...{ Name: "m", Type: "jwt", DisplayName: "", Description: "", MaxTokenTTL: 0 },
  ...{ TokenLocality: "", Config: {} },
};

test("an index to reset ACLs is taken from nobody", async () => {
  const reset = { type: "acl.bootstrap", accessor: "a", secret: "s", resetIndex: 5 } as const;
  expect(await write(0, reset)).toMatchObject({ error: { code: "permission-denied" } });
});

const token = { ...emptyToken, AccessorID: crypto.randomUUID(), SecretID: crypto.randomUUID() };

test("internal commands are refused, and the others are not", async () => {
  await put(0, "a", "1");
  const asked: Command[] = [
    { type: "acl.initialize", master: crypto.randomUUID(), accessor: crypto.randomUUID() },
    { type: "acl.token.expire", accessor: crypto.randomUUID() },
    { type: "autopilot.initialize", config: autopilotDefaults },
    { type: "auth.method.set", method },
    { type: "auth.login", token, decidedAt: Number.MAX_SAFE_INTEGER },
    { type: "federation.forget", name: "dc2" },
    { type: "federation.learn", datacenters: [] },
    { type: "replication.copy", kind: "tokens", keys: [], bodies: [], removed: [], index: 1 },
    { type: "replication.failed", atMs: 1 },
    { type: "session.expire", id: crypto.randomUUID() },
    { type: "snapshot.sweep", beforeMs: Number.MAX_SAFE_INTEGER },
    { type: "tombstone.reap", untilMs: Number.MAX_SAFE_INTEGER },
    { type: "ca.initialize", clusterId: "c", configuration, first },
    { type: "ca.prepare", clusterId: "c", configuration },
    {
      ...{ type: "ca.follow", configuration: [] },
      roots: { clusterId: "c", active: first.root, replaced: [] },
      intermediate: { privateKey: "key", given: true, certificate: "", renewMs: 0 },
    },
    { type: "ca.serial", count: 1 },
    { type: "ca.issue", service: "web" },
    { type: "ca.issue-agent", node: "n" },
    { type: "ca.configure", expected: "", configuration, next: [first] },
    { type: "ca.prune", untilMs: Number.MAX_SAFE_INTEGER },
  ];
  expect(asked.map(({ type }) => type)).toEqual([...internalCommands]);
  for (const command of asked) {
    expect(await write(0, command)).toMatchObject({ error: { code: "permission-denied" } });
    expect(await write(1, command)).toMatchObject({ error: { code: "permission-denied" } });
  }
  expect(await write(0, { type: "session.destroy", id: crypto.randomUUID() })).not.toHaveProperty(
    "error",
  );
  expect(await get(0, "a")).toBeDefined();
});
