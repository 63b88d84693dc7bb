// Views that are followed, and the link below them, against a server that is a few lines here.

import { describe, expect, test } from "vitest";

import { ServiceError } from "../../src/core/model/errors.ts";
import { nodeTimers } from "../../src/agent/timers.ts";
import { LinkClient, type LinkSocket } from "../../src/link/client.ts";
import { LinkCluster } from "../../src/link/cluster.ts";
import {
  decodeRequests,
  encodeHello,
  encodeReplies,
  type LinkReply,
  type LinkRequest,
  type ReadRequest,
} from "../../src/link/protocol.ts";

/** The far end of a link: holds what was asked, answers when told. */
class FarEnd {
  readonly asked: LinkRequest[] = [];
  sockets = 0;
  #receive: (event: { data: unknown }) => void = () => undefined;
  #close: () => void = () => undefined;

  connect(): Promise<LinkSocket> {
    this.sockets += 1;
    return Promise.resolve({
      send: (frame: string) => void this.asked.push(...decodeRequests(frame)),
      close: () => this.#close(),
      addEventListener: (type: string, listener: (event: never) => void) => {
        if (type === "message") this.#receive = listener as (event: { data: unknown }) => void;
        if (type === "close") this.#close = listener as () => void;
      },
    });
  }

  reply(...replies: LinkReply[]): void {
    this.#receive({ data: encodeReplies(replies) });
  }

  hello(incarnation: number): void {
    const hello = { version: 1, incarnation, serverName: "s", servers: [], reconnectSpreadMs: 0 };
    this.#receive({ data: encodeHello(hello) });
  }

  drop(): void {
    this.#close();
  }

  /** The newest request, once it was sent. */
  async next(count: number): Promise<ReadRequest> {
    await expect.poll(() => this.asked.length).toBeGreaterThanOrEqual(count);
    return this.asked[count - 1] as ReadRequest;
  }
}

async function linked(
  frameGapMs = 0,
): Promise<{ far: FarEnd; link: LinkClient; cluster: LinkCluster }> {
  const far = new FarEnd();
  const link = new LinkClient({
    timers: nodeTimers,
    nowMs: Date.now,
    requestMs: 10_000,
    liveness: null,
    connect: () => far.connect(),
    schedule: queueMicrotask,
    frameGapMs,
    holdMs: 2_000,
    random: () => 0,
  });
  await link.start();
  return { far, link, cluster: new LinkCluster(link, "dc1") };
}

function answer(id: number, index: number, body: string | null): LinkReply & { index: number } {
  return { id, index, body, knownLeader: true, lastContactMs: 0 };
}

const args = { service: "web" };
const cached = { cached: true };

describe("followed reads", () => {
  test("the first question fetches, the second is answered from memory, a change comes by itself", async () => {
    const { far, link, cluster } = await linked();
    const first = cluster.read("health.service", args, cached);
    far.reply(answer((await far.next(1)).id, 7, "[1]"));
    expect(await first).toMatchObject({ body: "[1]", cache: { hit: false } });
    const follows = await far.next(2);
    expect(follows).toMatchObject({ read: "health.service", minIndex: 7, follows: true });
    expect(await cluster.read("health.service", args, cached)).toMatchObject({
      body: "[1]",
      cache: { hit: true, ageSeconds: 0 },
    });
    far.reply(answer(follows.id, 8, "[2]"));
    await expect
      .poll(async () => (await cluster.read("health.service", args, cached)).body)
      .toBe("[2]");
    expect(await far.next(3)).toMatchObject({ minIndex: 8 });
    cluster.stop();
    link.stop();
  });

  test("what does not exist is not followed", async () => {
    const { far, link, cluster } = await linked();
    for (const count of [1, 2]) {
      const asked = cluster.read("health.service", args, cached);
      far.reply(answer((await far.next(count)).id, 3, "[]"));
      expect(await asked).toMatchObject({ body: "[]", cache: { hit: false } });
    }
    link.stop();
  });
});

describe("the link", () => {
  test("equal reads of one frame share its place; whoever asks later asks anew", async () => {
    const { far, link, cluster } = await linked();
    const asked = ["a", "a", "b"].map((key) => cluster.read("kv.get", { key }, {}));
    const { id } = await far.next(2);
    const later = cluster.read("kv.get", { key: "a" }, {});
    expect((await far.next(3)).id).not.toBe(id);
    expect(far.asked.map((request) => (request as ReadRequest).args.key)).toEqual(["a", "b", "a"]);
    for (const { id: each } of [...far.asked]) far.reply(answer(each, each, `[${each}]`));
    const bodies = await Promise.all([...asked, later].map(async (each) => (await each).body));
    expect(bodies).toEqual(["[1]", "[1]", "[2]", "[3]"]);
    link.stop();
  });

  test("a frame waits for an answer to the one before it, which brings what was asked meanwhile", async () => {
    const { far, link, cluster } = await linked(60_000);
    const first = cluster.read("kv.get", { key: "a" }, {});
    const { id } = await far.next(1);
    const others = ["b", "c"].map((key) => cluster.read("kv.get", { key }, {}));
    await new Promise((resolve) => setImmediate(resolve));
    expect(far.asked).toHaveLength(1);
    far.reply(answer(id, 1, "[1]"));
    await first;
    await far.next(3);
    far.reply(answer(2, 1, "[2]"), answer(3, 1, "[3]"));
    await Promise.all(others);
    link.stop();
  });

  test("a frame does not wait for longer than its gap", async () => {
    const { far, link, cluster } = await linked(1);
    const reads = [cluster.read("kv.get", { key: "a" }, {})];
    await far.next(1);
    reads.push(cluster.read("kv.get", { key: "b" }, {}));
    await far.next(2);
    far.reply(answer(1, 1, "[1]"), answer(2, 1, "[2]"));
    await Promise.all(reads);
    link.stop();
  });

  test("a thousand blocking reads of one question cost one waiting read", async () => {
    const { far, link, cluster } = await linked();
    const options = { minIndex: 5, waitMs: 10_000 };
    const waits = Array.from({ length: 1_000 }, () =>
      cluster.read("kv.get", { key: "a" }, options),
    );
    const asked = await far.next(1);
    expect(far.asked).toHaveLength(1);
    far.reply({ ...answer(asked.id, 5, "[5]"), waiting: true });
    far.reply(answer(asked.id, 6, "[6]"));
    const answers = await Promise.all(waits);
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(["[6]"]));
    link.stop();
  });

  test("at its deadline a blocking read asks anew, and gives up its wait", async () => {
    const { far, link, cluster } = await linked();
    const read = cluster.read("kv.get", { key: "a" }, { minIndex: 5, waitMs: 30 });
    const asked = await far.next(1);
    far.reply({ ...answer(asked.id, 5, null), waiting: true });
    expect(await far.next(2)).toMatchObject({ id: asked.id, cancel: true });
    const anew = await far.next(3);
    expect(anew).not.toHaveProperty("minIndex");
    far.reply(answer(anew.id, 4, "[4]"));
    expect(await read).toMatchObject({ index: 4, body: "[4]" });
    link.stop();
  });

  test("whoever comes later gets nothing that ended the wait of others before", async () => {
    const { far, link, cluster } = await linked();
    const options = { minIndex: 5, waitMs: 10_000 };
    const first = cluster.read("kv.get", { key: "a" }, options);
    const asked = await far.next(1);
    far.reply({ ...answer(asked.id, 5, null), waiting: true });
    // Index 6 is on its way when the second caller, who has just written index 7, asks.
    const second = cluster.read("kv.get", { key: "a" }, options);
    const now = await far.next(2);
    expect(now).not.toHaveProperty("minIndex");
    far.reply(answer(asked.id, 6, "[6]"), answer(now.id, 7, "[7]"));
    expect(await first).toMatchObject({ body: "[6]" });
    expect(await second).toMatchObject({ body: "[7]" });
    link.stop();
  });

  test("whoever comes later and finds nothing new waits with the others", async () => {
    const { far, link, cluster } = await linked();
    const options = { minIndex: 5, waitMs: 10_000 };
    const first = cluster.read("kv.get", { key: "a" }, options);
    const asked = await far.next(1);
    far.reply({ ...answer(asked.id, 5, null), waiting: true });
    const second = cluster.read("kv.get", { key: "a" }, options);
    far.reply(answer((await far.next(2)).id, 5, "[5]"));
    await new Promise((resolve) => setImmediate(resolve));
    far.reply(answer(asked.id, 6, "[6]"));
    expect(await Promise.all([first, second])).toMatchObject([{ body: "[6]" }, { body: "[6]" }]);
    expect(far.asked).toHaveLength(2);
    link.stop();
  });

  test("a server that woke without memory is asked again, with the index that is held", async () => {
    const { far, link, cluster } = await linked();
    far.hello(1);
    const read = cluster.read("kv.get", { key: "a" }, { minIndex: 5, waitMs: 10_000 });
    const asked = await far.next(1);
    far.reply({ ...answer(asked.id, 5, "[5]"), waiting: true });
    far.hello(2);
    expect(await far.next(2)).toMatchObject({ id: asked.id, minIndex: 5 });
    far.reply(answer(asked.id, 9, "[9]"));
    expect(await read).toMatchObject({ index: 9 });
    link.stop();
  });

  test("when the link drops, reads are asked again and writes are never sent twice", async () => {
    const { far, link, cluster } = await linked();
    const read = cluster.read("kv.get", { key: "a" }, {});
    const write = cluster.write({ type: "kv.delete", key: "a" }, {});
    write.catch(() => undefined);
    await far.next(2);
    far.drop();
    await expect(write).rejects.toMatchObject({
      code: "unknown-outcome",
      message: "rpc error making call: EOF",
    });
    const again = await far.next(3);
    expect(again).toMatchObject({ read: "kv.get" });
    expect(far.sockets).toBe(2);
    far.reply(answer(again.id, 1, "[1]"));
    expect(await read).toMatchObject({ body: "[1]" });
    link.stop();
  });

  test("without a server a request waits only so long", async () => {
    const link = new LinkClient({
      timers: nodeTimers,
      nowMs: Date.now,
      requestMs: 10_000,
      liveness: null,
      connect: () => Promise.reject(new Error("refused")),
      schedule: queueMicrotask,
      frameGapMs: 0,
      holdMs: 20,
      random: () => 0,
    });
    await link.start();
    const cluster = new LinkCluster(link, "dc1");
    await expect(cluster.read("kv.get", { key: "a" }, {})).rejects.toThrow(
      "No known Consul servers",
    );
    await expect(cluster.read("kv.get", { key: "a" }, { dc: "dc2" })).rejects.toBeInstanceOf(
      ServiceError,
    );
    link.stop();
  });
});
