// Pools that tell each other of user events: each keeps an event once, and after a failure both come to have the same.

import { beforeEach, expect, test } from "vitest";
import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { textOf } from "../../../durable/platform/platform.ts";
import {
  type EventMessage,
  type EventPeer,
  eventsPath,
  firePath,
  PoolEvents,
} from "../../../durable/presence/pool-events.ts";
import { eventWindow, type UserEvent } from "../../../src/core/model/user-event.ts";
import { decodePoolEvents } from "../../../src/link/protocol.ts";

const encoder = new TextEncoder();

class Pool {
  readonly sql = new NodeSql();
  readonly delivered: string[] = [];
  readonly work: Promise<unknown>[] = [];
  readonly repairs: number[] = [];
  isDown = false;
  others: Pool[] | null = [];
  local: EventPeer | null = null;
  events: PoolEvents;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
    this.events = this.construct();
  }

  construct(isHosted = false): PoolEvents {
    this.events = new PoolEvents({
      sql: this.sql,
      others: async () => this.others?.map((other) => other.peer) ?? null,
      local: this.local,
      isHosted,
      deliver: (frame) => {
        this.delivered.push(...(decodePoolEvents(frame) ?? []).map(({ Name }) => Name));
      },
      repairIn: (delayMs) => this.repairs.push(delayMs),
      waitUntil: (work) => this.work.push(work),
    });
    return this.events;
  }

  get peer(): EventPeer {
    const send = async (message: EventMessage): Promise<unknown> => {
      await Promise.resolve();
      if (this.isDown) throw new Error("unreachable");
      return this.say(message);
    };
    return { key: this.name, compares: true, send };
  }

  say(message: unknown, path = eventsPath): unknown {
    const answer = this.events.call(path, encoder.encode(JSON.stringify(message)));
    const { body = "null", status } = answer ?? {};
    if (status !== 200) return null;
    return JSON.parse(typeof body === "string" ? body : textOf(body));
  }

  async fire(Name: string, given: Partial<UserEvent> = {}): Promise<unknown> {
    const filters = { NodeFilter: "", ServiceFilter: "", TagFilter: "" };
    const ID = crypto.randomUUID();
    const answer = this.say(
      { ID, Name, Payload: "", ...filters, Version: 1, LTime: 0, ...given },
      firePath,
    );
    await this.settled();
    return answer;
  }

  async settled(): Promise<void> {
    while (this.work.length > 0) await this.work.shift();
  }
}

let first: Pool;
let second: Pool;

beforeEach(() => {
  first = new Pool("first");
  second = new Pool("second");
  first.others = [second];
  second.others = [first];
});

test("what is fired at one is delivered by both, once, with the time that the first gave", async () => {
  await first.fire("a");
  await second.fire("b");
  expect([first.delivered, second.delivered]).toEqual([
    ["a", "b"],
    ["a", "b"],
  ]);
  expect([first.events.clock, second.events.clock]).toEqual([2, 2]);
  expect([first.repairs, second.repairs]).toEqual([[], []]);
});

test("an event is itself, however often it is fired or told", async () => {
  const ID = "00000000-0000-4000-8000-000000000001";
  await first.fire("a", { ID });
  await first.fire("a", { ID });
  await second.fire("a", { ID });
  expect([first.delivered, second.delivered]).toEqual([["a"], ["a"]]);
});

test("a pool that could not be told is told later, and tells what was fired there meanwhile", async () => {
  second.isDown = true;
  first.isDown = true;
  await first.fire("a");
  await second.fire("b");
  expect([first.repairs, second.repairs]).toEqual([[5_000], [5_000]]);
  await first.events.repair();
  // It waits longer each time that nobody answers.
  expect(first.repairs).toEqual([5_000, 10_000]);
  second.isDown = false;
  first.isDown = false;
  await first.events.repair();
  expect([first.delivered, second.delivered]).toEqual([
    ["a", "b"],
    ["b", "a"],
  ]);
  await second.events.repair();
  expect([first.delivered, second.delivered]).toEqual([
    ["a", "b"],
    ["b", "a"],
  ]);
  expect([first.repairs.length, second.repairs.length]).toEqual([2, 1]);
});

test("what is owed outlives the memory, and whoever is no longer there is owed nothing", async () => {
  second.isDown = true;
  await first.fire("a");
  first.repairs.length = 0;
  first.construct().woke();
  expect(first.repairs).toEqual([0]);
  first.others = [];
  await first.events.repair();
  first.repairs.length = 0;
  first.construct().woke();
  expect(first.repairs).toEqual([]);
});

test("while nobody says which pools there are, all of them are owed it", async () => {
  first.others = null;
  await first.fire("a");
  await first.events.repair();
  first.others = [second];
  await first.events.repair();
  expect(second.delivered).toEqual(["a"]);
  first.repairs.length = 0;
  first.construct().woke();
  expect(first.repairs).toEqual([]);
});

test("a process that was away asks the others when it starts", async () => {
  await first.fire("a");
  const third = new Pool("third");
  third.others = [first, second];
  third.construct(true).woke();
  await third.settled();
  expect(third.delivered).toEqual(["a"]);
});

test("the agent at the Worker's URL is told by whoever an event is fired at, and on hosts by each pool", async () => {
  const told: string[] = [];
  const local = (key: string): EventPeer => ({
    key,
    compares: false,
    send: async ({ events = [] }) => void told.push(...events.map(({ Name }) => `${key} ${Name}`)),
  });
  first.local = local("one");
  second.local = local("two");
  first.construct();
  second.construct();
  await first.fire("a");
  await second.settled();
  expect(told).toEqual(["one a"]);
  second.construct(true);
  await first.fire("b");
  await second.settled();
  expect(told).toEqual(["one a", "one b", "two b"]);
});

test("as many are kept as count, and none that comes too late", async () => {
  const early = "00000000-0000-4000-8000-000000000001";
  for (let n = 0; n < eventWindow + 50; n++) await first.fire(`e${n}`);
  const [row] = first.sql.exec<{ n: number }>("SELECT count(*) AS n FROM user_events ORDER BY 1");
  expect(row?.n).toBe(eventWindow + 1);
  const event = { ID: early, Name: "late", Payload: "", NodeFilter: "", ServiceFilter: "" };
  first.say({ events: [{ ...event, TagFilter: "", Version: 1, LTime: 3 }] });
  expect(first.delivered).not.toContain("late");
});

test("too large is said, and nothing happens", async () => {
  expect(await first.fire("a", { Payload: "QUFB".repeat(200) })).toEqual({
    problem: "user event exceeds configured limit of 512 bytes before encoding",
  });
  expect([first.delivered, first.events.clock]).toEqual([[], 0]);
});

test.each([[{ events: [null, 1, {}] }], [{ events: "x" }], [{}], [{ have: [1, null] }]])(
  "%j from a broken pool does nothing",
  (message) => {
    first.say(message);
    expect(first.delivered).toEqual([]);
  },
);

test("a clock that nobody can have is not believed", () => {
  const event = { ID: "x", Name: "a", Payload: "", NodeFilter: "", ServiceFilter: "" };
  first.say({ events: [{ ...event, TagFilter: "", Version: 1, LTime: Number.MAX_SAFE_INTEGER }] });
  first.events.missedBy("9".repeat(16));
  expect(first.events.clock).toBe(0);
});
