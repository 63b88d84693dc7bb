// The two signs that a verdict needs (decision 22), at the real pool of a host: a socket that is lost or silent, and no
// other agent that reaches the member. Agents here are sockets that answer as the test says.

import { afterEach, beforeEach, expect, test } from "vitest";

import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { MemoryStores, objectId } from "../../../durable/platform/node/stores.ts";
import {
  type HostedObject,
  jsonAnswer,
  noOperatorFiles,
  noOutside,
  textOf,
} from "../../../durable/platform/platform.ts";
import type { Settings } from "../../../durable/platform/settings.ts";
import { lanPoolObject } from "../../../durable/platform/topology.ts";
import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import {
  decodePoolFrame,
  encodeAgentFrame,
  type RelayedAnswer,
} from "../../../src/link/pool-frames.ts";
import { linkPing } from "../../../src/link/protocol.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

const pool = lanPoolObject("dc1");
const server = { id: "s", name: "s", address: "10.0.0.9:8300" };
const hosted: Settings = {
  ...{ DEFAULT_DC: "dc1", DATACENTERS: { dc1: { servers: 1 } } },
  HOST: { servers: [server], bootstrapExpect: 1, timing: "lan", startId: "" },
};

let time: VirtualTime;
let host: ObjectHost;
/** What the leader was told of members that it knew, as `name status`. */
let told: string[];

/** An agent as the pool sees it. */
class Agent {
  readonly name: string;
  readonly socket: LinkSocket;
  /** Names of whom the pool has asked about, and of whom it has told. */
  readonly asked: string[] = [];
  readonly peers: string[] = [];
  /** What all members answered to what it asked. */
  readonly relayed: RelayedAnswer[] = [];
  isSilent = false;
  /** Whom it can reach; null: it does not answer such questions. */
  reaches: ((name: string) => boolean) | null = () => false;

  constructor(name: string, socket: LinkSocket) {
    this.name = name;
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => this.#heard(data));
    socket.addEventListener("close", () => (this.isSilent = true));
    socket.accept?.();
    this.#ping();
  }

  #heard(data: unknown): void {
    const frame = decodePoolFrame(data);
    if (!frame || this.isSilent) return;
    if ("peers" in frame) this.peers.push(...frame.peers.map(({ name }) => name));
    if ("doubt" in frame) this.socket.send(linkPing);
    if ("relayed" in frame) this.relayed.push(...frame.relayed.answers);
    if (!("ask" in frame)) return;
    const { id, question } = frame.ask;
    if ("relayed" in question) {
      if (this.reaches === null) return;
      const value = `${this.name} heard ${question.relayed}`;
      return this.socket.send(encodeAgentFrame({ answer: { id, value } }));
    }
    this.asked.push(question.reach.name);
    if (!this.reaches) return;
    const value = this.reaches(question.reach.name);
    this.socket.send(encodeAgentFrame({ answer: { id, value } }));
  }

  #ping(): void {
    if (!this.isSilent) this.socket.send(linkPing);
    time.timers.set(() => this.#ping(), 15_000);
  }
}

beforeEach(() => {
  time = new VirtualTime();
  told = [];
  start(hosted);
});

afterEach(() => host.stop());

const listening: HostedObject = {
  woke: () => undefined,
  call: async (_path, body) => {
    const facts = JSON.parse(textOf(body)) as { name: string; status: string }[];
    told.push(
      ...facts.filter((fact) => fact.status !== "alive").map((f) => `${f.name} ${f.status}`),
    );
    return await Promise.resolve(jsonAnswer(true));
  },
  connect: () => ({ status: 404, body: "" }),
  ...{ opened: () => undefined, message: () => undefined, closed: () => undefined },
  alarm: () => Promise.resolve(),
};

function start(settings: Settings): void {
  host = new ObjectHost({
    timers: time.timers,
    soon: (run) => void setImmediate(run),
    nowMs: () => 1_700_000_000_000 + time.nowMs(),
    random: Math.random,
    openStore: () => new MemoryStores().open(),
    build: ({ kind }, platform) =>
      kind === "lanPool" ? new LanPoolObject(platform, settings) : listening,
    ...{ outside: noOutside, operatorFiles: noOperatorFiles },
    post: () => Promise.reject(new Error("there is no network")),
    dial: () => Promise.reject(new Error("there is no network")),
    idOf: (of) => objectId("proconsul", of),
    log: () => undefined,
  });
}

async function join(name: string, port: number | undefined = 8301): Promise<Agent> {
  const id = `00000000-0000-4000-8000-${name.padStart(12, "0")}`;
  const member = encodeURIComponent(JSON.stringify({ name, id, address: "10.0.0.1", port }));
  const agent = new Agent(name, await host.connect(pool, `/gossip?member=${member}`));
  await time.pass(100);
  return agent;
}

async function joinAll(...names: string[]): Promise<Agent[]> {
  const agents: Agent[] = [];
  for (const name of names) agents.push(await join(name));
  return agents;
}

function listOf(agents: readonly Agent[]): string[] {
  return agents.flatMap(({ asked }) => asked);
}

test("who joins is told of others that listen for datagrams", async () => {
  const [, , third] = await joinAll("a", "b", "c");
  expect(third?.peers.toSorted()).toEqual(["a", "b"]);
  await time.pass(60_000);
  const plain = await join("d", 0);
  expect(plain.peers).toEqual([]);
  expect((await join("e")).peers).not.toContain("d");
});

test("a silent member that nobody reaches has failed within 30 s; nobody else is doubted", async () => {
  const [victim, ...others] = (await joinAll("a", "b", "c", "d", "e")) as [Agent, ...Agent[]];
  await time.pass(60_000);
  victim.isSilent = true;
  await time.pass(30_000);
  expect(told).toEqual(["a failed"]);
  expect(listOf(others)).toEqual(["a", "a", "a"]);
});

test("a silent member that is reached by one of three has not failed, until nobody reaches it", async () => {
  const [victim, ...others] = (await joinAll("a", "b", "c", "d")) as [Agent, ...Agent[]];
  const [, , last] = others as [Agent, Agent, Agent];
  last.reaches = () => true;
  victim.isSilent = true;
  await time.pass(600_000);
  expect(told).toEqual([]);
  last.reaches = () => false;
  await time.pass(70_000);
  expect(told).toEqual(["a failed"]);
});

test("a silent socket is no failure once its member has come back by another", async () => {
  const [silent] = (await joinAll("a", "b", "c", "d")) as [Agent];
  await time.pass(60_000);
  silent.isSilent = true;
  // Between the doubt and the end of the time for an answer.
  await time.pass(21_000);
  await join("a");
  await time.pass(120_000);
  expect(told).toEqual([]);
});

test("one that only its probers complain of gives a sign of life, and that is all", async () => {
  const [suspect, accuser] = (await joinAll("a", "b", "c")) as [Agent, Agent, Agent];
  accuser.socket.send(encodeAgentFrame({ unreachable: ["a", "nobody"] }));
  await time.pass(60_000);
  expect(told).toEqual([]);
  expect(suspect.asked).toEqual([]);
  expect(accuser.asked).toEqual([]);
});

test("one that probers complain of and whose socket is silent has failed within 10 s", async () => {
  const [victim, accuser] = (await joinAll("a", "b", "c")) as [Agent, Agent, Agent];
  await time.pass(60_000);
  victim.isSilent = true;
  accuser.socket.send(encodeAgentFrame({ unreachable: ["a"] }));
  await time.pass(10_000);
  expect(told).toEqual(["a failed"]);
});

test("a lost socket is a failure when nobody reaches the member, and none while somebody does", async () => {
  const [gone, cut, asker] = (await joinAll("a", "b", "c")) as [Agent, Agent, Agent];
  asker.reaches = (name) => name === "b";
  const close = (agent: Agent): void => {
    agent.isSilent = true;
    agent.socket.close(1006, "");
  };
  for (const agent of [gone, cut]) close(agent);
  await time.pass(300_000);
  expect(told).toEqual(["a failed"]);
  const again = await join("b");
  await time.pass(60_000);
  expect(told).toEqual(["a failed"]);
  close(again);
  asker.reaches = null;
  await time.pass(30_000);
  // Nobody answers: the socket's sign stands alone.
  expect(told).toEqual(["a failed", "b failed"]);
});

test("where nobody listens for datagrams the socket decides, after the time of before", async () => {
  const victim = await join("a", 0);
  const other = await join("b", 0);
  victim.isSilent = true;
  await time.pass(38_000);
  expect(told).toEqual([]);
  await time.pass(25_000);
  expect(told).toEqual(["a failed"]);
  expect(other.asked).toEqual([]);
});

test("a deployment asks nobody, and takes no complaints", async () => {
  host.stop();
  start({ DEFAULT_DC: "dc1", DATACENTERS: { dc1: { servers: 1 } } });
  const [victim, accuser] = (await joinAll("a", "b")) as [Agent, Agent];
  victim.isSilent = true;
  accuser.socket.send(encodeAgentFrame({ unreachable: ["a"] }));
  await time.pass(38_000);
  expect(told).toEqual([]);
  await time.pass(60_000);
  expect(told).toEqual(["a failed"]);
  expect([accuser.asked, accuser.peers]).toEqual([[], []]);
});

test("what one agent asks of all is answered by each, or told to be unanswered", async () => {
  const [asker, , mute] = (await joinAll("a", "b", "c")) as [Agent, Agent, Agent];
  mute.reaches = null;
  asker.socket.send(encodeAgentFrame({ relay: { id: 4, text: "who?" } }));
  await time.pass(3_000);
  expect(asker.relayed).toEqual([]);
  await time.pass(2_000);
  const answers = { a: "a heard who?", b: "b heard who?", c: null };
  expect(Object.fromEntries(asker.relayed)).toEqual(answers);
});

test("what is no frame ends the socket, and answers to nothing do nothing", async () => {
  const [agent, other] = (await joinAll("a", "b")) as [Agent, Agent];
  let isClosed = false;
  agent.socket.addEventListener("close", () => (isClosed = true));
  agent.socket.send(encodeAgentFrame({ answer: { id: 77, value: true } }));
  await time.pass(100);
  expect(isClosed).toBe(false);
  agent.socket.send(`{"unreachable":["${"x".repeat(20_000)}"]}`);
  await time.pass(100);
  expect(isClosed).toBe(true);
  expect(other.asked).toEqual([]);
});
