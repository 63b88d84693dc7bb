// What the resolver is told, and with which reads.

import { expect, test } from "vitest";

import type { Found } from "../../src/core/dns/needs.ts";
import type { Registration } from "../../src/core/model/types.ts";
import { find } from "../../src/dns-source.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import { MemoryCluster } from "../support/memory-cluster.ts";

interface Asked {
  op: string;
  cached: boolean | undefined;
}

function recording(bodies: Record<string, unknown>): { cluster: Cluster; asked: Asked[] } {
  const asked: Asked[] = [];
  const read = (op: string, _args: object, { cached }: { cached?: boolean }): Promise<object> => {
    asked.push({ op, cached });
    return Promise.resolve({ index: 1, body: JSON.stringify(bodies[op] ?? null) });
  };
  return { cluster: { read } as unknown as Cluster, asked };
}

test("a reverse name is one read, where the last write is, not in views that lag behind", async () => {
  const cluster = new MemoryCluster();
  const asked: string[] = [];
  const read = cluster.read.bind(cluster);
  cluster.read = async (op, args, options) => {
    asked.push(`${op}${options.cached ? ", cached" : ""}`);
    return await read(op, args, options);
  };
  const Service = { ID: "web", Service: "web", Address: "2001:db8::1" };
  const registration = { Node: "n1", Address: "10.0.0.1", Service } as unknown as Registration;
  await cluster.write({ type: "catalog.register", registration }, {});
  const source = {
    cluster,
    agent: "n1",
    options: { cached: true },
    host: () => Promise.resolve([]),
  };
  const reverse = (address: string): Promise<Found> => find({ need: "reverse", address }, source);
  expect(await reverse("10.0.0.1")).toEqual({ reverse: { node: "n1" } });
  expect(await reverse("2001:db8:0::1")).toEqual({ reverse: { service: "web" } });
  expect(await reverse("10.0.0.2")).toEqual({ reverse: null });
  expect(asked).toEqual(Array.from({ length: 3 }, () => "catalog.reverse"));
});

test("a service is looked up in its view", async () => {
  const { cluster, asked } = recording({ "health.service": [] });
  const source = {
    cluster,
    agent: "n1",
    options: { cached: true },
    host: () => Promise.resolve([]),
  };
  const need = { service: "web", tag: "", datacenter: "dc1", by: "name" } as const;
  expect(await find({ need: "service", ...need }, source)).toEqual({ instances: [] });
  expect(asked).toEqual([{ op: "health.service", cached: true }]);
});

test("a prepared query is executed anew for its client, as the agent's node, and never from a view", async () => {
  const cluster = new MemoryCluster();
  const asked: [string, object, boolean | undefined][] = [];
  const read = cluster.read.bind(cluster);
  cluster.read = async (op, args, options) => {
    asked.push([op, args, options.cached]);
    return await read(op, args, options);
  };
  const Service = { ID: "web", Service: "web", Address: "10.0.0.9", Port: 1 };
  const registration = { Node: "n1", Address: "10.0.0.1", Service } as unknown as Registration;
  await cluster.write({ type: "catalog.register", registration }, {});
  const query = { Name: "q", Service: { Service: "web" }, DNS: { TTL: "7s" } };
  const id = "00000000-0000-0000-0000-000000000001";
  await cluster.write({ type: "query.create", id, query } as never, {});
  const source = {
    cluster,
    agent: "n1",
    options: { cached: true },
    host: () => Promise.resolve([]),
  };
  const ask = { need: "query", ip: "192.0.2.1", seed: 5 } as const;
  const found = await find({ ...ask, query: "q", datacenter: "dc1" }, source);
  const instances = [{ Node: { Node: "n1" }, Service: { Address: "10.0.0.9" } }];
  expect(found).toMatchObject({
    executed: { service: "web", ttl: "7s", datacenter: "dc1", instances },
  });
  const args = { query: "q", seed: 5, agent: "n1", ip: "192.0.2.1" };
  expect(asked).toEqual([["query.execute", args, undefined]]);
  const absent = { failure: "absent" };
  expect(await find({ ...ask, query: "none", datacenter: "dc1" }, source)).toEqual(absent);
  expect(await find({ ...ask, query: "q", datacenter: "dc9" }, source)).toEqual(absent);
});

test("whom nobody can pass a message on to is told so", async () => {
  const { cluster } = recording({});
  const source = { cluster, agent: "n1", options: {}, host: () => Promise.resolve([]) };
  expect(await find({ need: "recursion" }, source)).toEqual({ failure: "unreachable" });
  const message = Uint8Array.of(1);
  const recurse = (): Promise<Uint8Array> => Promise.resolve(message);
  expect(await find({ need: "recursion" }, { ...source, recurse })).toEqual({ message });
});
