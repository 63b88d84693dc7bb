// The commands for a deployment, and what an agent of one's own says to them.

import { expect, test } from "vitest";

import { SealedKeys } from "../../durable/edge/sealed-keys.ts";
import { deploymentArea } from "../../src/api/deployment.ts";
import { deploymentKeyArea } from "../../src/api/deployment-keys.ts";
import type { DeploymentObjects } from "../../src/ports/deployment-objects.ts";
import { AclClient, administrator } from "../support/acl-client.ts";
import { ApiClient } from "../support/api-client.ts";
import { runHere, throughRoutes } from "../support/cli-lab.ts";
import { MemoryCluster } from "../support/memory-cluster.ts";

const nowMs = Date.UTC(2026, 10, 26);

function registry(): ApiClient {
  const cluster = new MemoryCluster();
  const work = { startedMs: nowMs, workerRequests: 0, messages: 0, busyMs: 1_500, rowsWritten: 20 };
  const objects: DeploymentObjects = {
    work: () =>
      Promise.resolve([{ name: "dc1/server/0", kind: "server", requests: 2_000_000, ...work }]),
    reset: () => Promise.resolve(),
  };
  return new ApiClient({
    cluster,
    areas: [deploymentArea({ cluster, objects, nowMs: () => nowMs })],
  });
}

test("what each object did, and what all of them cost", async () => {
  const outcome = await runHere({ args: ["cost"] }, throughRoutes(registry()));
  expect(outcome).toEqual({
    code: 0,
    stderr: "",
    stdout: `Object        Requests  Messages  BusySeconds  RowsWritten  Dollars
dc1/server/0  2000000   0         1.5          20           0.3000

2026-11: $0.30 without what the plan includes;
the bill, with the plan: $5.15
`,
  });
});

test("an agent of one's own has no bill", async () => {
  const outcome = await runHere({ args: ["cost"] }, throughRoutes(new ApiClient()));
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toContain("Error getting costs");
});

const keys = new SealedKeys("0123456789abcdef0123456789abcdef");

async function closed(): Promise<(...args: string[]) => ReturnType<typeof runHere>> {
  const { cluster } = await AclClient.start();
  const uuid = (): string => crypto.randomUUID();
  const parts = { cluster, keys, nowMs: () => nowMs, uuid };
  const client = new ApiClient({
    ...{ cluster, uuid, settings: { aclEnabled: true } },
    areas: [deploymentKeyArea(parts)],
  });
  const environment = { CONSUL_HTTP_TOKEN: administrator };
  return (...args) => runHere({ args }, throughRoutes(client), environment);
}

test("join tokens are made, listed and revoked", async () => {
  const run = await closed();
  await run("acl", "policy", "create", "-name=web", "-rules=");
  const made = await run(
    ...["join-token", "create", "-node=web-*", "-node=db", "-ttl=1h"],
    ...["-policy-name=web", "-service-identity=api", "-description=Web hosts"],
  );
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const [, accessor = ""] = /^Accessor:  (\S+)$/m.exec(made.stdout) ?? [];
  const [, token = ""] = /^Token:     (pj1_\S+)$/m.exec(made.stdout) ?? [];
  expect(made.stdout).toContain("Expires:   2026-11-26T01:00:00.000Z");
  expect(await keys.open("join", token, nowMs)).toMatchObject({
    grant: { nodes: ["web-*", "db"] },
  });
  const listed = await run("join-token", "list");
  expect(listed.stdout).toContain(accessor);
  expect(listed.stdout).toContain("Web hosts (web-*, db, until 2026-11-26T01:00:00.000Z)");
  expect(listed.stdout).not.toContain(token);
  expect((await run("join-token", "revoke", accessor)).stdout).toBe(
    `Join token "${accessor}" revoked\n`,
  );
  expect((await run("join-token", "list")).stdout).not.toContain(accessor);
});

test("what is wrong with a join token is told", async () => {
  const run = await closed();
  for (const [args, text] of [
    [["create", "-node=a*b"], "Nodes must be"],
    [["create", "-policy-name=none"], "none"],
    [["revoke"], "takes one argument"],
    [["revoke", "none"], "Failed to revoke the join token"],
  ] as const) {
    const outcome = await run("join-token", ...args);
    expect(outcome.code, args.join(" ")).toBe(1);
    expect(outcome.stderr).toContain(text);
  }
});

test("a key for DNS is an address", async () => {
  const run = await closed();
  const { stdout } = await run("dns-key", "-ttl=1h");
  expect(stdout).toMatch(/^\/dns-query\/pd1_[\w-]+\n$/);
});
