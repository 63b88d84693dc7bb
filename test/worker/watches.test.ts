// Blocking queries of links while their server sleeps: it wakes up for a write, evaluates what the write touched, and
// leaves everybody else in peace.

import {
  abortAllDurableObjects,
  evictDurableObject,
  reset,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { StateMachine } from "../../src/core/state/machine.ts";
import {
  encodeRequests,
  type LinkReply,
  type ReadRequest,
  type ServerFrame,
} from "../../src/link/protocol.ts";
import { decodeServerFrame } from "../../src/link/server-frame.ts";
import { link, put, server, status, until, write } from "./datacenter.ts";

/** What links asked of state machines since {@link countReads}, as text; leaders read for duties of their own, too. */
let reads: string[];

beforeEach(async () => {
  await put(0, "first", "1");
});

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

/** A host agent's end of a link that keeps what it heard. */
class Listener {
  readonly frames: ServerFrame[] = [];
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.frames.push(decodeServerFrame(data as string));
    });
  }

  /** Replies, but for those that say that an answer will follow. */
  get answers(): LinkReply[] {
    return this.#replies.filter((reply) => !("waiting" in reply));
  }

  get waiting(): number {
    return this.#replies.filter((reply) => "waiting" in reply).length;
  }

  get hellos(): number {
    return this.frames.filter((frame) => "hello" in frame).length;
  }

  get #replies(): LinkReply[] {
    return this.frames.flatMap((frame) => ("replies" in frame ? frame.replies : []));
  }

  ask(...requests: ReadRequest[]): void {
    this.#socket.send(encodeRequests(requests));
  }
}

async function listen(n: number): Promise<Listener> {
  return new Listener(await link(n));
}

async function sleep(n: number): Promise<void> {
  await evictDurableObject(server(n), { webSockets: "hibernate" });
}

/** What was asked of keys; a leader that wakes has questions of its own besides. */
function countReads(): void {
  reads = [];
  const { read } = StateMachine.prototype;
  vi.spyOn(StateMachine.prototype, "read").mockImplementation(function (
    this: StateMachine,
    ...args: Parameters<typeof read>
  ) {
    if (args[0].startsWith("kv.")) reads.push(JSON.stringify(args.slice(0, 2)));
    return read.apply(this, args);
  });
}

/** With an index that nothing was written at yet: it waits as long as nothing is written. */
function waitingRead(id: number, key: string, minIndex = 1_000): ReadRequest {
  return { id, read: "kv.get", args: { key }, consistency: "stale", minIndex };
}

async function indexOf(n: number, key: string): Promise<number> {
  const listener = await listen(n);
  listener.ask({ id: 1, read: "kv.get", args: { key }, consistency: "stale" });
  await until(async () => listener.answers.length === 1);
  return (listener.answers[0] as { index: number }).index;
}

test("a server that wakes for a write evaluates what it touched, and nobody else hears of it", async () => {
  const links = 50;
  const each = 4;
  await put(0, "shared", "1");
  const held = await indexOf(0, "shared");
  const listeners = await Promise.all(Array.from({ length: links }, () => listen(0)));
  for (const [at, listener] of listeners.entries()) {
    const keys = Array.from({ length: each - 1 }, (_, n) => `own/${at}/${n}`);
    listener.ask(...["shared", ...keys].map((key, id) => waitingRead(id, key, held)));
  }
  await until(async () => listeners.every(({ waiting }) => waiting === each));
  await sleep(0);
  countReads();

  await put(1, "own/7/1", "x");
  await until(async () => listeners[7]?.answers.length === 1);
  expect(listeners[7]?.answers).toMatchObject([{ id: 2, index: held + 1 }]);
  expect(reads).toEqual(['["kv.get",{"key":"own/7/1"}]']);
  expect(listeners.filter(({ answers }) => answers.length > 0)).toHaveLength(1);

  await sleep(0);
  await put(1, "shared", "2");
  await until(async () => listeners.every(({ answers }) => answers.some(({ id }) => id === 0)));
  // One evaluation for all fifty.
  expect(reads).toHaveLength(2);
  for (const { hellos } of listeners) expect(hellos).toBe(1);
  for (const [at, { answers }] of listeners.entries()) {
    expect(answers, `link ${at}`).toHaveLength(at === 7 ? 2 : 1);
  }
});

test("of 5,000 watchers of one server, a write while it sleeps wakes who watches what it touched", async () => {
  const [links, each] = [100, 50];
  const held = await indexOf(0, "first");
  const listeners = await Promise.all(Array.from({ length: links }, () => listen(0)));
  for (const [at, listener] of listeners.entries()) {
    listener.ask(
      ...Array.from({ length: each }, (_, id) => waitingRead(id, `own/${at}/${id}`, held)),
    );
  }
  await until(async () => listeners.every(({ waiting }) => waiting === each));
  await sleep(0);
  countReads();
  for (const at of [3, 99]) await put(1, `own/${at}/49`, "x");
  await until(async () => listeners[99]?.answers.length === 1);
  await until(async () => listeners[3]?.answers.length === 1);
  const told = listeners.filter(({ answers }) => answers.length > 0).length;
  console.log(`${links * each} watchers: two writes evaluated ${reads.length} questions`);
  expect(reads).toEqual(['["kv.get",{"key":"own/3/49"}]', '["kv.get",{"key":"own/99/49"}]']);
  expect(told).toBe(2);
  for (const { hellos } of listeners) expect(hellos).toBe(1);
});

test("an answer that is news to nobody leaves its waiters waiting, for what it depends on now", async () => {
  const listener = await listen(0);
  const question = {
    read: "health.service",
    args: { service: "web" },
    consistency: "stale",
  } as const;
  listener.ask({ id: 1, ...question, minIndex: 1_000 });
  await until(async () => listener.waiting === 1);
  await sleep(0);
  await register("a");
  await until(async () => (await healthIndex(listener, question)) > 1);
  // Not above the index that was asked for, and the topics are those of a service that has an instance now.
  expect(listener.answers.filter(({ id }) => id === 1)).toEqual([]);
  const held = await healthIndex(listener, question);
  listener.ask({ id: 2, ...question, minIndex: held });
  await until(async () => listener.waiting === 2);
  await register("b");
  await until(async () => listener.answers.some(({ id }) => id === 2));
  await sleep(0);
  listener.ask({ id: 3, ...question, minIndex: await healthIndex(listener, question) });
  await until(async () => listener.waiting === 3);
  await sleep(0);
  await register("c");
  await until(async () => listener.answers.some(({ id }) => id === 3));
  expect(listener.hellos).toBe(1);
});

async function register(node: string): Promise<void> {
  const service = { ID: "web", Service: "web", Port: 1 };
  const registration = { Node: node, Address: "10.0.0.1", Service: service };
  await write(0, { type: "catalog.register", registration } as never);
}

async function healthIndex(listener: Listener, question: object): Promise<number> {
  const id = 100 + listener.answers.length;
  listener.ask({ id, ...question } as ReadRequest);
  await until(async () => listener.answers.some((answer) => answer.id === id));
  return (listener.answers.find((answer) => answer.id === id) as { index: number }).index;
}

test("who waits for more than an attachment holds is asked to ask again, and nobody else", async () => {
  const views = 2_000;
  const many = await listen(0);
  const few = await listen(0);
  const held = await indexOf(0, "first");
  const requests = Array.from({ length: views }, (_, id) => waitingRead(id, `many/${id}`, held));
  many.ask(...requests);
  few.ask(waitingRead(1, "few", held));
  await until(async () => many.waiting === views && few.waiting === 1);
  await sleep(0);
  await put(1, "elsewhere", "x");
  await until(async () => many.hellos === 2);
  expect(few.hellos).toBe(1);
  const now = await indexOf(0, "missing");
  many.ask(...requests.slice(0, 10).map((request) => ({ ...request, minIndex: now })));
  await until(async () => many.waiting === views + 10);
  // What is left fits.
  await sleep(0);
  await put(1, "many/3", "x");
  await until(async () => many.answers.length === 1);
  expect(many.hellos).toBe(2);
});

test("a change that nobody was told of before the sleep is told after it", async () => {
  const listener = await listen(0);
  const held = await indexOf(0, "first");
  listener.ask(waitingRead(1, "first", held));
  await until(async () => listener.waiting === 1);
  // Evaluating is what the turn leaves for later; here it never comes to it.
  const evaluating = vi.spyOn(StateMachine.prototype, "read").mockImplementation(() => {
    throw new Error("planned: asleep");
  });
  await put(0, "first", "2");
  evaluating.mockRestore();
  await until(async () => listener.answers.length + listener.hellos > 1);
});

test("a link that closed with its server leaves nothing that waits", async () => {
  const listener = await listen(0);
  listener.ask(waitingRead(1, "first"));
  await until(async () => listener.waiting === 1);
  await abortAllDurableObjects();
  countReads();
  await put(0, "first", "3");
  await until(async () => (await indexOf(0, "first")) > 1);
  expect(listener.answers).toEqual([]);
});

test("a state that a snapshot replaced answers everybody who waits", async () => {
  // Enough for the leader to have forgotten how it began.
  const fill = Array.from({ length: 1_100 }, async (_, n) => await put(0, `k${n}`, "x"));
  await Promise.all(fill);
  await put(0, "last", "1");
  const follower = 2;
  await until(async () => (await status(follower)).appliedIndex > 1_100);
  const listener = await listen(follower);
  // No index that is news will ever come.
  listener.ask(waitingRead(1, "last", 1_000_000));
  await until(async () => listener.waiting === 1);
  await runInDurableObject(server(follower), async (_object, state) => {
    await state.storage.deleteAll();
  });
  await sleep(follower);
  // A leader that slept has to find out anew what the others have.
  await sleep(0);
  await put(0, "last", "2");
  await until(async () => listener.answers.length === 1);
  expect(listener.answers[0]).toMatchObject({ id: 1 });
});
