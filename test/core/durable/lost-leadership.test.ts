// Writes whose leader lost its office before they were committed. Three hosts of Raft cores with real SQLite; calls
// between them arrive at once, unless the way is cut.

import { beforeEach, expect, test } from "vitest";

import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { RaftDriver } from "../../../durable/raft/driver.ts";
import { NotLeader, OutcomeUnknown } from "../../../durable/raft/outcome.ts";
import { decodeMessages } from "../../../durable/raft/peer-codec.ts";
import { StateSnapshots } from "../../../durable/raft/snapshots.ts";
import { RaftStorage } from "../../../durable/raft/storage.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import { Raft } from "../../../src/core/raft/raft.ts";
import { lan } from "../../../src/core/raft/timing.ts";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

const ids = ["a", "b", "c"];
const tickMs = 50;

class Group {
  readonly time = new VirtualTime();
  readonly peers = new Map<string, Peer>();
  /** `from>to`: what is sent that way, be it a call or an answer, is lost. */
  readonly cuts = new Set<string>();

  constructor() {
    for (const [at, id] of ids.entries()) this.peers.set(id, new Peer(this, id, at + 1));
    const [first] = this.peers.values();
    const members = ids.map((id) => ({ id, name: id, address: `${id}:8300`, voter: true }));
    first?.raft.bootstrap({ members }, 0);
    first?.driver.run();
  }

  peer(id: string): Peer {
    return this.peers.get(id) as Peer;
  }

  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += tickMs) {
      await this.time.pass(tickMs);
      for (const { driver } of this.peers.values()) driver.tick();
    }
    await this.time.pass(0);
  }

  /** Lets time pass until one of `among` leads, and nobody else of them. */
  async led(...among: string[]): Promise<Peer> {
    for (let turn = 0; turn < 200; turn++) {
      const leading = among.filter((id) => this.peer(id).raft.role === "leader");
      const [leader] = leading;
      if (leader !== undefined && leading.length === 1) return this.peer(leader);
      await this.pass(tickMs);
    }
    throw new Error("nobody leads");
  }

  isolate(id: string): void {
    for (const other of ids) {
      this.cuts.add(`${id}>${other}`);
      this.cuts.add(`${other}>${id}`);
    }
  }
}

class Peer {
  readonly sql = new NodeSql();
  readonly storage = new RaftStorage(this.sql);
  readonly machine = new StateMachine(this.sql, { datacenter: "dc1" });
  readonly raft: Raft;
  readonly driver: RaftDriver;
  readonly id: string;

  constructor({ time, cuts, peers }: Group, id: string, seed: number) {
    this.id = id;
    const { storage, machine, sql } = this;
    this.raft = new Raft({
      ...{ id, incarnation: 1, timing: lan, random: seededRandom(seed), nowMs: 0 },
      ...{ log: storage, snapshots: new StateSnapshots(storage, machine) },
      ...{ hardState: storage.hardState, configuration: storage.latestConfiguration() },
      ...{ commitIndex: 0, appliedIndex: 0, fresh: true, installing: null },
    });
    this.driver = new RaftDriver({
      ...{ raft: this.raft, storage, machine, sql, timers: time.timers, nowMs: time.nowMs },
      // Whatever is applied may be compacted, so that who was away gets a snapshot.
      ...{ noticeHoldMs: 0, logBytesMax: 0 },
      transport: {
        call: async (to, _op, body) => {
          await Promise.resolve();
          if (cuts.has(`${id}>${to.id}`)) throw new Error("the request was lost");
          const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
          const answer = peers.get(to.id)?.driver.receive(decodeMessages(bytes));
          if (!answer || cuts.has(`${to.id}>${id}`)) throw new Error("the answer was lost");
          return answer;
        },
      },
      abort: (reason) => {
        throw reason;
      },
      soon: queueMicrotask,
      wakeAt: () => undefined,
      applied: () => undefined,
      leadershipChanged: () => undefined,
    });
  }

  /** Sets a key; tells what it came to, and how often it has come to anything. */
  set(key: string, value = ""): { fate: string[] } {
    const command = encodeCommand({ type: "kv.set", key, value, flags: "0" }, 0);
    const fate: string[] = [];
    this.driver.propose(command).then(
      ({ ok }) => fate.push(ok ? "applied" : "refused"),
      (failure: Error) => fate.push(failure.name),
    );
    return { fate };
  }

  has(key: string): boolean {
    const { body } = this.machine.read("kv.get", { key }, { nowMs: 0 });
    return body !== null && body !== "[]";
  }
}

let group: Group;

beforeEach(() => {
  group = new Group();
});

/** The two who do not lead, the first of them named. */
function followersOf(leader: Peer): [Peer, Peer] {
  return ids.filter((id) => id !== leader.id).map((id) => group.peer(id)) as [Peer, Peer];
}

test("what the next leader had received is not called lost: it is committed, and answered as applied", async () => {
  const leader = await group.led(...ids);
  const [heir, other] = followersOf(leader);
  await group.pass(500);
  // The entry arrives at one follower, whose answers do not.
  group.cuts.add(`${heir.id}>${leader.id}`);
  group.cuts.add(`${leader.id}>${other.id}`);
  const { fate } = leader.set("k");
  await group.time.pass(0);
  expect([heir, other].map(({ storage }) => storage.lastIndex())).toEqual([
    leader.storage.lastIndex(),
    leader.storage.lastIndex() - 1,
  ]);
  group.isolate(leader.id);
  expect(await group.led(heir.id, other.id)).toBe(heir);
  await group.pass(500);
  expect(heir.has("k")).toBe(true);
  // Cut off, it cannot know.
  expect(fate).toEqual([]);
  group.cuts.clear();
  await group.pass(2_000);
  expect(leader.raft.role).toBe("follower");
  expect(fate).toEqual(["applied"]);
});

test("what no later leader has is called not accepted, when another entry stands in its place", async () => {
  const leader = await group.led(...ids);
  const [one, other] = followersOf(leader);
  await group.pass(500);
  group.isolate(leader.id);
  const { fate } = leader.set("k");
  const next = await group.led(one.id, other.id);
  const second = next.set("l");
  await group.pass(500);
  expect(second.fate).toEqual(["applied"]);
  expect(fate).toEqual([]);
  group.cuts.clear();
  await group.pass(2_000);
  expect(fate).toEqual([NotLeader.name]);
  for (const peer of group.peers.values())
    expect([peer.has("k"), peer.has("l")]).toEqual([false, true]);
});

test("what a snapshot took the place of is not to be tried again: nobody can say what became of it", async () => {
  const leader = await group.led(...ids);
  const [one, other] = followersOf(leader);
  await group.pass(500);
  group.isolate(leader.id);
  const { fate } = leader.set("k");
  const next = await group.led(one.id, other.id);
  // More entries than a compaction leaves, and more bytes than the leader keeps in memory.
  const value = btoa("v".repeat(6_000));
  for (let n = 0; n < 1_100; n++) next.set(`n${n}`, value);
  await group.pass(1_000);
  next.set("last");
  await group.pass(500);
  expect(next.storage.baseIndex()).toBeGreaterThan(leader.storage.lastIndex());
  group.cuts.clear();
  await group.pass(3_000);
  expect(leader.has("last")).toBe(true);
  expect(fate).toEqual([OutcomeUnknown.name]);
});
