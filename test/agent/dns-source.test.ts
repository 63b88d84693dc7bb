// What the resolver is told, and with which reads.

import { expect, test } from "vitest";

import { find } from "../../src/dns-source.ts";
import type { Cluster } from "../../src/ports/cluster.ts";

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

const bodies = {
  "catalog.nodes": [{ Node: "n1", Address: "10.0.0.1" }],
  "catalog.services": { web: [] },
  "catalog.service": [{ ServiceAddress: "2001:db8:0::1" }],
};

test("a reverse name is looked up where the last write is, not in views that lag behind", async () => {
  const { cluster, asked } = recording(bodies);
  const source = { cluster, options: { cached: true }, host: () => Promise.resolve([]) };
  expect(await find({ need: "reverse", address: "10.0.0.1" }, source)).toEqual({
    reverse: { node: "n1" },
  });
  expect(await find({ need: "reverse", address: "2001:db8::1" }, source)).toEqual({
    reverse: { service: "web" },
  });
  expect(await find({ need: "reverse", address: "10.0.0.2" }, source)).toEqual({ reverse: null });
  expect(asked.map(({ cached }) => cached ?? false)).not.toContain(true);
});

test("a service is looked up in its view", async () => {
  const { cluster, asked } = recording({ "health.service": [] });
  const source = { cluster, options: { cached: true }, host: () => Promise.resolve([]) };
  const need = { service: "web", tag: "", datacenter: "dc1", connect: false };
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
