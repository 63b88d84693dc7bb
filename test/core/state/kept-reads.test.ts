// Answers that are kept: each bearer gets what it may see, from the first time on, and those that share one answer may
// read everything that the body looks at.

import { expect, test } from "vitest";

import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { decodeEntry } from "../../../src/core/model/config-entry/decode.ts";
import type { Authorizer } from "../../../src/core/state/authorizer.ts";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import { areas } from "../../../src/core/state/tables/index.ts";
import { AclClient, administrator } from "../../support/acl-client.ts";
import { registrationOf } from "../../support/state-harness.ts";

const nobody: Authorizer = {
  ...{ unrestricted: false, allows: () => true, readsAll: () => false, allowsKeyTree: () => true },
};
const ingress = {
  Kind: "ingress-gateway",
  Name: "gw",
  Listeners: [{ Port: 1, Services: [{ Name: "web" }] }],
};

test("a body asks permission for nothing but what its read says that it sees", () => {
  const asked = new Set<string>();
  const authorizer: Authorizer = {
    ...nobody,
    allows: (resource) => (asked.add(resource), true),
  };
  const authorizers = { resolve: () => ({ id: "1", authorizer, bearer: "", topics: [] }) };
  const sql = new NodeSql();
  const machine = new StateMachine(sql, { datacenter: "dc1", authorizers });
  const service = (name: string, more: object = {}): object => ({
    ...{ Node: "n", Address: "10.0.0.1", Service: { Service: name, ...more } },
    Checks: [{ Name: `of ${name}`, ServiceID: name }],
  });
  const commands = [
    ...[service("web"), service("gw", { Kind: "ingress-gateway" })].map((body) => ({
      type: "catalog.register" as const,
      registration: registrationOf(body),
    })),
    { type: "config.set" as const, ...decodeEntry(JSON.stringify(ingress)) },
  ];
  for (const [at, command] of commands.entries()) {
    const entry = encodeCommand(machine.admit(command, {}), 1);
    sql.transaction(() => machine.applyBatch([{ index: at + 1, command: entry }]));
  }
  const args = { node: "n", service: "web", state: "any", gateway: "gw", domains: [] };
  let kept = 0;
  for (const [op, read] of areas.flatMap(({ reads }) => Object.entries(reads ?? {}))) {
    if (!("sees" in read)) continue;
    kept += 1;
    asked.clear();
    machine.read(op as never, args, { nowMs: 1 });
    const sees: readonly string[] = read.sees;
    expect(
      [...asked].filter((resource) => !sees.includes(resource)),
      op,
    ).toEqual([]);
    expect(asked.size, op).toBeGreaterThan(0);
  }
  expect(kept).toBeGreaterThan(10);
});

test("everybody gets an answer of their own, again and again, until the permissions change", async () => {
  const client = await AclClient.start();
  for (const [name, address] of [
    ["web", "10.0.0.1"],
    ["api", "10.0.0.2"],
  ]) {
    await client.administer("PUT", "/v1/catalog/register", {
      ...{ Node: name, Address: address, Service: { Service: name } },
    });
  }
  const all = await client.token(
    'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }',
  );
  const some = await client.token(
    'node "web" { policy = "read" } service "web" { policy = "read" }',
  );
  const none = await client.token('key "a" { policy = "read" }');
  const nodes = async (secret: string | null): Promise<string> => {
    const { json, headers } = await client.as(secret, "GET", "/v1/catalog/nodes");
    const names = (json as { Node: string }[]).map(({ Node }) => Node).join(" ");
    return `${names}${headers.get("x-consul-results-filtered-by-acls") === "true" ? " …" : ""}`;
  };
  const seen = async (): Promise<string[]> =>
    await Promise.all([administrator, some.secret, all.secret, none.secret, null].map(nodes));
  for (let times = 0; times < 3; times++) {
    expect(await seen()).toEqual(["api web", "web …", "api web", " …", " …"]);
  }
  await client.administer("PUT", `/v1/acl/policy/${some.policy}`, {
    ...{ Name: "other", Rules: 'node "api" { policy = "read" }' },
  });
  expect(await seen()).toEqual(["api web", "api …", "api web", " …", " …"]);
  await client.administer("PUT", "/v1/catalog/deregister", { Node: "api" });
  expect(await seen()).toEqual(["web", " …", "web", " …", " …"]);
});
