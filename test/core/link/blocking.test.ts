// Blocking queries and followed views from the port to the state and back, over both ends of the link. Time is virtual.

import { beforeEach, describe, expect, test } from "vitest";

import type { ReadReply } from "../../../src/ports/cluster.ts";
import type { Registration } from "../../../src/core/model/types.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";
import { settled, VirtualTime } from "../../support/virtual-time.ts";

let time: VirtualTime;
let cluster: MemoryCluster;

beforeEach(async () => {
  time = new VirtualTime();
  cluster = new MemoryCluster({ timers: time.timers, nowMs: time.nowMs });
  await settled();
});

async function put(key: string, value: string): Promise<void> {
  await cluster.write({ type: "kv.set", key, value, flags: "0" } as never, {});
}

async function register(Node: string, Service: string): Promise<void> {
  const service = { ID: Service, Service, Port: 1 };
  const registration = { Node, Address: "10.0.0.1", Service: service };
  await cluster.write(
    { type: "catalog.register", registration: registration as unknown as Registration },
    {},
  );
}

async function deregister(Node: string, ServiceID = ""): Promise<void> {
  const deregistration = { Node, ServiceID, CheckID: "" };
  await cluster.write({ type: "catalog.deregister", deregistration } as never, {});
}

interface Seen {
  reply: ReadReply | null;
  atMs: number;
}

function watch(op: "kv.get" | "health.service" | "catalog.node", args: object, minIndex: number) {
  const seen: Seen = { reply: null, atMs: Number.NaN };
  void cluster.read(op, args as never, { minIndex, waitMs: 60_000 }).then((reply) => {
    Object.assign(seen, { reply, atMs: time.nowMs() });
  });
  return seen;
}

describe("a blocking query", () => {
  test("whose index is above the store's waits, and then tells what is there now", async () => {
    await put("a", "1");
    const seen = watch("kv.get", { key: "a" }, 1_000_000);
    await time.pass(30_000);
    await put("a", "2");
    await time.pass(29_999);
    expect(seen.reply).toBeNull();
    await time.pass(1);
    expect(seen.reply && withoutId(seen.reply)).toEqual(
      withoutId(await cluster.read("kv.get", { key: "a" }, {})),
    );
  });

  test("whose answer vanished with its index tells so at the deadline, not what it saw before", async () => {
    await register("n1", "web");
    const { index } = await cluster.read("catalog.node", { node: "n1" }, {});
    const seen = watch("catalog.node", { node: "n1" }, index);
    await time.pass(10);
    await deregister("n1");
    await time.pass(60_000);
    const now = await cluster.read("catalog.node", { node: "n1" }, {});
    expect(seen.reply).toMatchObject({ body: now.body, index: now.index });
    expect(now.body).not.toContain("n1");
  });

  test.each([0, 1])(
    "shorter than any answer (%i ms) is answered with the value",
    async (waitMs) => {
      await put("a", "1");
      const { index } = await cluster.read("kv.get", { key: "a" }, {});
      const reply = cluster.read("kv.get", { key: "a" }, { minIndex: index, waitMs });
      await time.pass(waitMs);
      expect(withoutId(await reply)).toEqual(
        withoutId(await cluster.read("kv.get", { key: "a" }, {})),
      );
    },
  );

  test("leaves nothing waiting behind", async () => {
    await put("a", "1");
    const { index } = await cluster.read("kv.get", { key: "a" }, {});
    const seen = [1, 2].map(() => watch("kv.get", { key: "a" }, index));
    await time.pass(10);
    expect(cluster.waiting).toBe(1);
    await time.pass(60_000);
    expect(seen.map(({ reply }) => reply?.index)).toEqual([index, index]);
    expect(cluster.waiting).toBe(0);
  });
});

describe("a followed view", () => {
  const args = { service: "web" };

  async function view(): Promise<{ body: string | null; hit: boolean | undefined }> {
    const { body, cache } = await cluster.read("health.service", args, { cached: true });
    return { body, hit: cache?.hit };
  }

  test("hears at once of what made its index fall", async () => {
    const read = (): Promise<ReadReply> =>
      cluster.read("catalog.node", { node: "n1" }, { cached: true });
    await put("a", "1");
    await register("n1", "web");
    const { index } = await read();
    await deregister("n1");
    await time.pass(0);
    const { body, index: fallen, cache } = await read();
    expect({ body, hit: cache?.hit }).toEqual({ body: "null", hit: true });
    expect(fallen).toBeLessThan(index);
  });

  test("goes on following after that", async () => {
    await register("n1", "web");
    await view();
    await deregister("n1");
    await time.pass(0);
    await register("n2", "web");
    await time.pass(0);
    expect((await view()).body).toContain("n2");
  });
});

function withoutId({ index, body, knownLeader, lastContactMs }: ReadReply): object {
  return { index, body, knownLeader, lastContactMs };
}
