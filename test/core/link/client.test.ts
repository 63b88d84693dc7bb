// The asking end of the link, against far ends that answer, hang, or know no leader. Time is virtual.

import { beforeEach, expect, test } from "vitest";

import { LinkClient, type LinkOptions, type LinkSocket } from "../../../src/link/client.ts";
import { limits } from "../../../src/core/model/limits.ts";
import { hostedLinkLiveness } from "../../../src/link/liveness.ts";
import {
  decodeRequests,
  encodeReplies,
  linkPing,
  linkPong,
  type LinkReply,
  type LinkRequest,
} from "../../../src/link/protocol.ts";
import { settled, VirtualTime } from "../../support/virtual-time.ts";

/** A server as the client sees it. Never confirms that a socket is closed: a stopped process does not. */
class FarEnd {
  readonly name: string;
  readonly frames: string[] = [];
  readonly #answer: (request: LinkRequest) => LinkReply | null;
  hangs = false;
  pings = 0;
  bufferedAmount = 0;
  #listener: ((event: { data: unknown }) => void) | null = null;

  constructor(name: string, answer: (request: LinkRequest) => LinkReply | null) {
    this.name = name;
    this.#answer = answer;
  }

  socket(): LinkSocket {
    const bufferedAmount = (): number => this.bufferedAmount;
    return {
      get bufferedAmount() {
        return bufferedAmount();
      },
      send: (frame) => this.#received(frame),
      close: () => undefined,
      addEventListener: (type: string, listener: (event: never) => void) => {
        if (type === "message") this.#listener = listener as never;
      },
    };
  }

  #received(frame: string): void {
    if (frame === linkPing) this.pings += 1;
    else this.frames.push(frame);
    if (this.hangs) return;
    if (frame === linkPing) return this.#listener?.({ data: linkPong });
    const replies = decodeRequests(frame).flatMap((request) => this.#answer(request) ?? []);
    if (replies.length > 0) this.#listener?.({ data: encodeReplies(replies) });
  }
}

const answers = ({ id }: LinkRequest): LinkReply => ({ id, value: id });
const leaderless = ({ id }: LinkRequest): LinkReply => ({
  id,
  error: { code: "no-leader", message: "No cluster leader" },
});

let time: VirtualTime;
let closed: string[];

beforeEach(() => {
  time = new VirtualTime();
  closed = [];
});

async function linked(
  ends: readonly FarEnd[],
  options: Partial<LinkOptions> = {},
): Promise<LinkClient> {
  let at = 0;
  const link = new LinkClient({
    timers: time.timers,
    nowMs: time.nowMs,
    connect: () => Promise.resolve((ends[at % ends.length] as FarEnd).socket()),
    schedule: (flush) => queueMicrotask(flush),
    frameGapMs: 1,
    holdMs: 7_000,
    requestMs: 10_000,
    liveness: hostedLinkLiveness,
    hasOthers: () => ends.length > 1,
    random: () => 0,
    onClose: (reason) => {
      closed.push(reason);
      at += 1;
    },
    ...options,
  });
  await link.start();
  return link;
}

function outcome(reply: Promise<LinkReply>): { value: unknown; atMs: number | null } {
  const seen = { value: undefined as unknown, atMs: null as number | null };
  void reply
    .catch((failure: unknown) => failure)
    .then((value) => Object.assign(seen, { value, atMs: time.nowMs() }));
  return seen;
}

const status = { status: true } as const;
const put = { write: { type: "kv.set", key: "a", value: "YQ==", flags: "0" } } as const;

test("a server that hangs is left within 3 s, and the next one answers the read", async () => {
  const [hung, next] = [new FarEnd("hung", answers), new FarEnd("next", answers)];
  hung.hangs = true;
  const link = await linked([hung, next]);
  const read = outcome(link.ask(status));
  const write = outcome(link.ask(put));
  await time.pass(3_000);
  expect(closed).toEqual(["no sign of life"]);
  expect(read.value).toMatchObject({ value: 1 });
  // What became of a write that was sent, nobody knows: it is not sent again.
  expect(write.value).toMatchObject({ code: "unknown-outcome" });
  expect(next.frames.join()).not.toContain("kv.set");
});

test("whoever is sent from one hung server to the next is told in the end", async () => {
  const ends = [new FarEnd("hung", answers), new FarEnd("hung, too", answers)];
  for (const end of ends) end.hangs = true;
  const link = await linked(ends);
  const read = outcome(link.ask(status));
  await time.pass(17_000);
  expect(closed.length).toBeGreaterThan(2);
  expect(read.value).toMatchObject({ code: "no-leader" });
});

test("an idle link to a server that vanished is noticed, too", async () => {
  const [gone, next] = [new FarEnd("gone", answers), new FarEnd("next", answers)];
  const link = await linked([gone, next]);
  await time.pass(5_000);
  gone.hangs = true;
  await time.pass(hostedLinkLiveness.idlePingMs + hostedLinkLiveness.answerMs + 100);
  expect(closed).toEqual(["no sign of life"]);
  expect(link.connected).toBe(true);
});

test("a server that is slow, but lives, is kept; the request ends in time", async () => {
  const slow = new FarEnd("slow", ({ id }) => (id === 1 ? null : { id, value: id }));
  const link = await linked([slow]);
  const first = outcome(link.ask(status));
  await time.pass(9_000);
  expect(first.atMs).toBeNull();
  await time.pass(2_000);
  expect(first.value).toMatchObject({ code: "no-leader" });
  expect(first.atMs).toBe(10_000);
  expect(closed).toEqual([]);
  expect(slow.pings).toBeGreaterThan(2);
});

test("whoever knows no leader is left for another server, once", async () => {
  const [lost, leads] = [new FarEnd("lost", leaderless), new FarEnd("leads", answers)];
  const link = await linked([lost, leads]);
  await time.pass(2_000);
  const write = outcome(link.ask(put));
  await time.pass(500);
  expect(write.value).toMatchObject({ value: 1 });
  expect(closed).toEqual(["it knows no leader"]);
});

test("where nobody knows a leader, the error comes through", async () => {
  const ends = [new FarEnd("a", leaderless), new FarEnd("b", leaderless)];
  const link = await linked(ends);
  await time.pass(2_000);
  const read = outcome(link.ask(status));
  await time.pass(10_000);
  expect(read.value).toMatchObject({ code: "no-leader" });
  expect(closed).toHaveLength(1);
});

test("a burst of large writes goes in bounded frames, and all are answered", async () => {
  const end = new FarEnd("end", answers);
  const link = await linked([end]);
  const value = "x".repeat(500_000);
  const writes = Array.from({ length: 30 }, (_, n) =>
    outcome(link.ask({ write: { type: "kv.set", key: `k${n}`, value, flags: "0" } })),
  );
  await time.pass(1_000);
  expect(writes.filter(({ atMs }) => atMs === null)).toEqual([]);
  expect(end.frames.length).toBeGreaterThanOrEqual(30);
  for (const frame of end.frames) expect(frame.length).toBeLessThan(limits.frameLengthMax + 1_000);
});

test("what the socket holds back is waited for", async () => {
  const end = new FarEnd("end", answers);
  const link = await linked([end]);
  end.bufferedAmount = 10_000_000;
  const write = outcome(link.ask(put));
  await time.pass(500);
  expect(end.frames).toEqual([]);
  end.bufferedAmount = 0;
  await time.pass(50);
  expect(write.value).toMatchObject({ value: 1 });
});

test("a blocking read that waits has no deadline here, and is told to end when it is cancelled", async () => {
  const waits = new FarEnd("waits", ({ id }) => ({
    id,
    index: 5,
    knownLeader: true,
    lastContactMs: 0,
    body: "[]",
    waiting: true,
  }));
  const link = await linked([waits]);
  const read = { read: "kv.get", args: { key: "a" }, minIndex: 5 };
  const { reply, cancel } = link.askBlocking(read);
  const seen = outcome(reply);
  await time.pass(60_000);
  expect(seen.atMs).toBeNull();
  expect(closed).toEqual([]);
  cancel();
  await settled();
  await time.pass(10);
  expect(waits.frames.at(-1)).toBe('[{"id":1,"cancel":true}]');
});
