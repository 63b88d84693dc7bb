// Prepared queries that find nothing in their own datacenter. The cases' answers are those of Consul with three
// datacenters.

import { beforeEach, describe, expect, test } from "vitest";

import { origin } from "../../../src/core/model/coordinate.ts";
import { decodeBody } from "../../../src/core/model/decode.ts";
import { type PreparedQuery, queryBodySchema } from "../../../src/core/model/prepared-query.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import { emptyToken } from "../../../src/core/state/tables/acl/bootstrap.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";
import { registrationOf } from "../../support/state-harness.ts";

let clusters: Record<"dc1" | "dc2" | "dc3", MemoryCluster>;

beforeEach(async () => {
  const [dc1, dc2, dc3] = ["dc1", "dc2", "dc3"].map(
    (datacenter) => new MemoryCluster({ datacenter }),
  ) as [MemoryCluster, MemoryCluster, MemoryCluster];
  dc1.others.set("dc2", dc2).set("dc3", dc3);
  clusters = { dc1, dc2, dc3 };
  // The third is nearer than the second.
  for (const [cluster, ms] of [
    [dc1, 1],
    [dc2, 90],
    [dc3, 20],
  ] as const) {
    await register(cluster, {
      Node: "memory",
      Service: { ID: "consul", Service: "consul", Port: 8300 },
    });
    const Coord = { ...origin, Vec: [ms / 1e3, 0, 0, 0, 0, 0, 0, 0] };
    const update = { Node: "memory", Segment: "", Coord };
    await cluster.writeOwn({ type: "coordinate.update", update });
  }
});

async function register(cluster: MemoryCluster, body: object): Promise<void> {
  const registration = registrationOf({ Address: "10.0.0.1", ...body });
  await cluster.writeOwn({ type: "catalog.register", registration });
}

async function has(cluster: MemoryCluster, ...names: string[]): Promise<void> {
  for (const Node of names)
    await register(cluster, { Node, Service: { ID: "web", Service: "web", Port: 80 } });
}

async function define(body: object): Promise<void> {
  const query = decodeBody(queryBodySchema, JSON.stringify(body), "refuse") as PreparedQuery;
  const write = { type: "query.create", id: crypto.randomUUID(), query } as const;
  await clusters.dc1.write(write, {});
}

interface Answer {
  Service: string;
  Nodes: { Node: { Node: string; Datacenter: string } }[];
  Datacenter: string;
  Failovers: number;
  DNS: { TTL: string };
}

async function execute(
  args: object = {},
  options: { token?: string; minIndex?: number } = {},
): Promise<string> {
  const asked = { query: "q", seed: 7, agent: "memory", ip: "", ...args };
  const { body } = await clusters.dc1.read("query.execute", asked, options);
  const { Nodes: nodes, Datacenter: dc, Failovers: tried } = JSON.parse(body ?? "null") as Answer;
  const names = nodes.map(({ Node: { Node: name } }) => name).toSorted();
  return `${dc} ${tried} [${names.join()}]`;
}

const failing = (Failover: object) =>
  define({ Name: "q", Service: { Service: "web", Failover }, DNS: { TTL: "9s" } });

describe("what is found here", () => {
  test("is the answer, and nobody else is asked", async () => {
    await has(clusters.dc1, "a");
    await has(clusters.dc2, "b");
    await failing({ Datacenters: ["dc2"] });
    expect(await execute()).toBe("dc1 0 [a]");
  });

  test("and nothing elsewhere, without a failover", async () => {
    await has(clusters.dc2, "b");
    await failing({});
    expect(await execute()).toBe("dc1 0 []");
  });
});

test.each([
  { failover: { Datacenters: ["dc2", "dc3"] }, at: ["dc2", "dc3"], answer: "dc2 1 [x]" },
  { failover: { Datacenters: ["dc2", "dc3"] }, at: ["dc3"], answer: "dc3 2 [x]" },
  { failover: { NearestN: 1 }, at: ["dc2", "dc3"], answer: "dc3 1 [x]" },
  { failover: { NearestN: 1 }, at: ["dc2"], answer: "dc3 1 []" },
  { failover: { NearestN: 2 }, at: ["dc2"], answer: "dc2 2 [x]" },
  { failover: { NearestN: 99 }, at: [], answer: "dc2 2 []" },
  { failover: { NearestN: 1, Datacenters: ["dc2"] }, at: ["dc2"], answer: "dc2 2 [x]" },
  // Nobody is asked twice.
  { failover: { NearestN: 1, Datacenters: ["dc3", "dc3", "dc2"] }, at: [], answer: "dc2 2 []" },
  { failover: { Datacenters: ["dc9", "dc1", "dc2"] }, at: ["dc2"], answer: "dc2 1 [x]" },
  { failover: { Datacenters: ["dc9", "__proto__"] }, at: ["dc2"], answer: "dc1 0 []" },
] as const)("$failover with instances at $at: $answer", async ({ failover, at, answer }) => {
  for (const dc of at) await has(clusters[dc], "x");
  await failing(failover);
  expect(await execute()).toBe(answer);
});

test("names that nobody knows are told in the log, once", async () => {
  await failing({ Datacenters: ["dc9"] });
  await execute();
  await execute();
  expect(clusters.dc1.logged).toEqual(['skips unknown datacenter "dc9" in prepared query']);
});

test("a datacenter that fails is passed over, and counted", async () => {
  await has(clusters.dc2, "x");
  clusters.dc3.machine.read = () => {
    throw new ServiceError("no-leader", "No cluster leader");
  };
  await failing({ Datacenters: ["dc3", "dc2"] });
  expect(await execute()).toBe("dc2 2 [x]");
  const reason = "rpc error making call: No cluster leader";
  const line = `failed to execute a prepared query in datacenter dc3: ${reason}`;
  expect(clusters.dc1.logged).toEqual([line]);
});

test("the limit holds there, too, and what is near here does not count", async () => {
  await has(clusters.dc2, "x", "y", "z");
  await failing({ Datacenters: ["dc2"] });
  expect(await execute({ limit: 2, near: "_agent" })).toMatch(/^dc2 1 \[\w,\w\]$/);
});

test("the answer follows what is in the other datacenter, also where answers are kept", async () => {
  await has(clusters.dc2, "x");
  await failing({ Datacenters: ["dc2"] });
  const asked = { query: "q", seed: 7, agent: "memory", ip: "" };
  const read = async () => (await clusters.dc1.read("query.execute", asked, { cached: true })).body;
  expect(await read()).toContain('"x"');
  await clusters.dc2.writeOwn({
    type: "catalog.deregister",
    deregistration: { Datacenter: "", Node: "x", ServiceID: "", CheckID: "" },
  });
  expect(await read()).not.toContain('"x"');
  expect(clusters.dc1.waiting).toBe(0);
});

test("a template is rendered here and executed there", async () => {
  await has(clusters.dc2, "x");
  await define({
    Name: "",
    Template: { Type: "name_prefix_match" },
    Service: { Service: "${name.full}", Failover: { NearestN: 2 } },
  });
  expect(await execute({ query: "web" })).toBe("dc2 2 [x]");
});

test("what nobody can decode is refused", async () => {
  const read = clusters.dc2.read("query.execute-for", { query: "{", seed: 1 }, {});
  await expect(read).rejects.toThrow(/unexpected/i);
  const other = clusters.dc2.read("query.execute-for", { query: 7, seed: 1 }, {});
  await expect(other).rejects.toThrow(ServiceError);
});

test("the token of the query counts there, and is told to nobody", async () => {
  const acl = { defaultPolicy: "deny", keyListPolicy: false, masterToken: "" } as const;
  const [near, far] = ["dc1", "dc2"].map(
    (datacenter) => new MemoryCluster({ datacenter, acl }),
  ) as [MemoryCluster, MemoryCluster];
  near.others.set("dc2", far);
  clusters = { ...clusters, dc1: near, dc2: far };
  const boss = "33333333-3333-3333-3333-333333333333";
  for (const cluster of [near, far]) {
    const accessor = "11111111-1111-1111-1111-111111111111";
    await cluster.write({ type: "acl.bootstrap", accessor, secret: boss, resetIndex: 0 }, {});
  }
  const secret = "44444444-4444-4444-4444-444444444444";
  const token = {
    ...emptyToken,
    AccessorID: "55555555-5555-5555-5555-555555555555",
    SecretID: secret,
    ServiceIdentities: [{ ServiceName: "web", Datacenters: null }],
    CreateTime: "2026-01-01T00:00:00Z",
  };
  for (const cluster of [near, far]) {
    await cluster.write({ type: "acl.token.create", token, ttlNs: 0 }, { token: boss });
  }
  await has(far, "x");
  const body = { Name: "q", Token: secret, Service: { Service: "web", Failover: { NearestN: 1 } } };
  const query = decodeBody(queryBodySchema, JSON.stringify(body), "refuse") as PreparedQuery;
  const write = { type: "query.create", id: crypto.randomUUID(), query } as const;
  await near.write(write, { token: boss });
  expect(await execute()).toBe("dc2 1 [x]");
  const asked = { query: "q", seed: 7, agent: "memory", ip: "" };
  expect(JSON.stringify(await near.read("query.execute", asked, {}))).not.toContain(secret);
});
