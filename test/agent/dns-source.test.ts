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
  const source = { cluster, options: { cached: true }, host: () => Promise.resolve([]) };
  const reverse = (address: string): Promise<Found> => find({ need: "reverse", address }, source);
  expect(await reverse("10.0.0.1")).toEqual({ reverse: { node: "n1" } });
  expect(await reverse("2001:db8:0::1")).toEqual({ reverse: { service: "web" } });
  expect(await reverse("10.0.0.2")).toEqual({ reverse: null });
  expect(asked).toEqual(Array.from({ length: 3 }, () => "catalog.reverse"));
});

test("a service is looked up in its view", async () => {
  const { cluster, asked } = recording({ "health.service": [] });
  const source = { cluster, options: { cached: true }, host: () => Promise.resolve([]) };
  const need = { service: "web", tag: "", datacenter: "dc1", by: "name" } as const;
  expect(await find({ need: "service", ...need }, source)).toEqual({ instances: [] });
  expect(asked).toEqual([{ op: "health.service", cached: true }]);
});

test("whom nobody can pass a message on to is told so", async () => {
  const { cluster } = recording({});
  const source = { cluster, options: {}, host: () => Promise.resolve([]) };
  expect(await find({ need: "recursion" }, source)).toEqual({ failure: "unreachable" });
  const message = Uint8Array.of(1);
  const recurse = (): Promise<Uint8Array> => Promise.resolve(message);
  expect(await find({ need: "recursion" }, { ...source, recurse })).toEqual({ message });
});
