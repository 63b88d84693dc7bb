// More than a server can do: what comes too much is refused with words, at once, and nothing piles up in memory.

import { afterEach, expect, test } from "vitest";

import { InFlight } from "../../../durable/link/in-flight.ts";
import { limits } from "../../../src/core/model/limits.ts";
import { encodeRequests, type LinkReply } from "../../../src/link/protocol.ts";
import { ObjectDatacenter } from "../../support/object-datacenter.ts";

const tooMany = {
  code: "too-many-requests",
  message: "Too many requests at once, try again later",
};
let dc: ObjectDatacenter | null = null;

afterEach(() => dc?.host.stop());

test("a server works on so many requests, and so many bytes, at a time", () => {
  const inFlight = new InFlight();
  const ends = Array.from({ length: limits.requestsAtOnceMax }, () => inFlight.enter(1));
  expect(() => inFlight.enter(1)).toThrow(tooMany.message);
  for (const end of ends) end();
  // One alone may be as large as it likes.
  const large = inFlight.enter(2 * limits.requestBytesAtOnceMax);
  expect(() => inFlight.enter(1)).toThrow(tooMany.message);
  large();
  inFlight.enter(limits.requestBytesAtOnceMax);
  expect(() => inFlight.enter(1)).toThrow(tooMany.message);
});

const isRefused = (reply: LinkReply): boolean =>
  "error" in reply && reply.error.message === tooMany.message;

test("while followers are away, writes and reads beyond the limit are refused, and it recovers", async () => {
  let isAway = false;
  const away = new Error("nobody there");
  dc = new ObjectDatacenter({
    datacenter: { servers: 3 },
    delivery: async (deliver, path) => {
      if (isAway && path === "/rpc/raft") throw away;
      return await deliver();
    },
  });
  await dc.lead();
  const { socket, replies } = await dc.link(0);
  isAway = true;
  const more = 1_000;
  const count = limits.requestsAtOnceMax + more;
  const write = (id: number, value: string): object => ({
    id,
    write: { type: "kv.set", key: `k${id}`, value, flags: "0" },
  });
  for (let id = 0; id < count; id++) socket.send(encodeRequests([write(id, "dg==") as never]));
  await dc.time.pass(100);
  console.log(`${count} writes while followers are away: ${replies.length} refused at once`);
  expect(replies).toHaveLength(more);
  expect(replies.every(isRefused)).toBe(true);
  // Reads have to ask the followers whether it still leads, and wait for them.
  const read = { id: count, read: "kv.get", args: { key: "k1" }, consistency: "consistent" };
  socket.send(encodeRequests([read as never]));
  await dc.time.pass(100);
  expect(replies.filter(isRefused)).toHaveLength(more + 1);
  await dc.time.pass(10_000);
  expect(replies).toHaveLength(count + 1);
  isAway = false;
  await dc.time.pass(5_000);
  // Large ones count by their bytes.
  isAway = true;
  replies.length = 0;
  const value = "x".repeat(700_000);
  for (let id = 0; id < 60; id++) socket.send(encodeRequests([write(id, value) as never]));
  await dc.time.pass(100);
  expect(replies.filter(isRefused)).toHaveLength(60 - 47);
  isAway = false;
  await dc.time.pass(20_000);
  expect(await dc.write(0, { type: "kv.set", key: "a", value: "", flags: "0" })).toMatchObject({
    value: true,
  });
});
