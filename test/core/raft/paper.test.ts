// The Raft paper (§5) and Ongaro's thesis, sentence by sentence.

import { describe, expect, test } from "vitest";
import { Cluster } from "./cluster.ts";

const abc = ["a", "b", "c"];

describe("§5.1 terms", () => {
  test("§5.1 a server that discovers a larger term reverts to follower at once", () => {
    const cluster = new Cluster(abc);
    cluster.elect("a");
    const a = cluster.peer("a");
    const reply = { outcome: "stale", index: 0, hintIndex: 0, hintTerm: 0, commit: 0 } as const;
    const envelope = { from: "b", to: "a", term: 9, incarnation: 1, toIncarnation: 1, round: 0 };
    a.step({ ...envelope, ...reply, type: "appendReply" });
    expect([a.raft.role, a.raft.term]).toEqual(["follower", 9]);
  });

  test("§5.1 a request with a stale term is rejected", () => {
    const cluster = new Cluster(abc);
    cluster.elect("a");
    const stale = { from: "c", to: "b", term: 1, incarnation: 1 };
    const body = { prevIndex: 0, prevTerm: 0, entries: [], commit: 9, round: 1 };
    const flags = { standDown: false, compactable: 0 };
    cluster.peer("b").step({ ...stale, ...body, ...flags, type: "append" });
    expect(cluster.ofType("appendReply")[0]).toMatchObject({ outcome: "stale", term: 2 });
    expect(cluster.peer("b").raft.leader).toBe("a");
  });
});

describe("§5.2 elections", () => {
  test("§5.2 a follower that hears nothing for an election timeout begins an election", () => {
    const cluster = new Cluster(abc);
    cluster.tick(0, "a");
    expect(cluster.peer("a").raft.role).toBe("follower");
    cluster.tick(cluster.timing.electionMaxMs, "a");
    expect(cluster.peer("a").raft.role).toBe("preCandidate");
  });

  test("§5.2 a candidate increments its term and votes for itself", () => {
    const cluster = new Cluster(abc);
    cluster.campaign("a");
    cluster.deliver();
    cluster.deliver();
    const { raft, disk } = cluster.peer("a");
    expect([raft.role, raft.term]).toEqual(["candidate", 2]);
    expect(disk.hardState).toEqual({ term: 2, votedFor: "a", leader: null });
  });

  test("§5.2 a candidate wins with the votes of a majority", () => {
    const cluster = new Cluster(["a", "b", "c", "d", "e"]);
    cluster.campaign("a");
    cluster.settle((message) => ["d", "e"].includes(message.to));
    expect(cluster.peer("a").raft.role).toBe("leader");
  });

  test("§5.2 a candidate without a majority does not win", () => {
    const cluster = new Cluster(["a", "b", "c", "d", "e"]);
    cluster.campaign("a");
    cluster.settle((message) => ["c", "d", "e"].includes(message.to));
    expect(cluster.peer("a").raft.role).toBe("preCandidate");
  });

  test("§5.2 each server votes for at most one candidate in a term, first come first served", () => {
    const cluster = new Cluster(abc);
    const vote = { to: "c", term: 2, incarnation: 1, lastIndex: 1, lastTerm: 1 };
    const c = cluster.peer("c");
    c.step({ ...vote, from: "a", type: "vote", transferIncarnation: null });
    c.step({ ...vote, from: "b", type: "vote", transferIncarnation: null });
    expect(cluster.ofType("voteReply").map((reply) => reply.granted)).toEqual([true, false]);
    expect(c.disk.hardState.votedFor).toBe("a");
  });

  test("§5.2 the vote survives a restart", () => {
    const cluster = new Cluster(abc);
    const vote = { to: "c", term: 2, incarnation: 1, lastIndex: 1, lastTerm: 1 };
    const c = cluster.peer("c");
    c.step({ ...vote, from: "a", type: "vote", transferIncarnation: null });
    c.restart();
    cluster.now += cluster.timing.electionMinMs;
    cluster.drop();
    c.step({ ...vote, from: "b", type: "vote", transferIncarnation: null });
    expect(cluster.ofType("voteReply")[0]?.granted).toBe(false);
  });

  test("§5.2 a candidate that hears from a leader of its term returns to follower", () => {
    const cluster = new Cluster(abc);
    cluster.campaign("a");
    cluster.deliver();
    cluster.deliver();
    const append = { from: "b", to: "a", term: 2, incarnation: 1, commit: 0, round: 1 };
    const body = { prevIndex: 1, prevTerm: 1, entries: [], standDown: false, compactable: 0 };
    cluster.peer("a").step({ ...append, ...body, type: "append" });
    expect([cluster.peer("a").raft.role, cluster.peer("a").raft.leader]).toEqual(["follower", "b"]);
  });

  test("§5.2 election timeouts are chosen randomly from a fixed interval", () => {
    const cluster = new Cluster(abc);
    const drawn = abc.map((id) => cluster.peer(id).raft.nextDeadlineMs() ?? 0);
    expect(new Set(drawn).size).toBe(3);
    for (const at of drawn) {
      expect(at - 10_000).toBeGreaterThanOrEqual(cluster.timing.electionMinMs);
      expect(at - 10_000).toBeLessThan(cluster.timing.electionMaxMs);
    }
  });
});

describe("§5.3 replication", () => {
  test("§5.3 an entry is committed once the leader has it on a majority", () => {
    const cluster = new Cluster(abc);
    cluster.elect("a");
    const a = cluster.peer("a");
    a.propose("x");
    expect(a.raft.commitIndex).toBe(2);
    cluster.settle((message) => message.to === "c");
    expect(a.raft.commitIndex).toBe(3);
    expect(a.applied.at(-1)?.index).toBe(3);
  });

  test("§5.3 followers learn of the commit and apply in log order", () => {
    const cluster = new Cluster(abc);
    cluster.elect("a");
    cluster.peer("a").propose("x");
    cluster.peer("a").propose("y");
    cluster.settle();
    expect(cluster.peer("b").applied.map((entry) => entry.index)).toEqual([1, 2, 3, 4]);
  });

  test("§5.3 a follower refuses entries when the one before them does not match", () => {
    const cluster = new Cluster(abc, { logs: { a: [1, 1], b: [], c: [1, 1] } });
    const append = { from: "a", to: "b", term: 2, incarnation: 1, commit: 0, round: 1 };
    const body = { prevIndex: 3, prevTerm: 1, entries: [], standDown: false, compactable: 0 };
    cluster.peer("b").step({ ...append, ...body, type: "append" });
    expect(cluster.ofType("appendReply")[0]).toMatchObject({ outcome: "conflict", hintIndex: 1 });
  });

  test("§5.3 conflicting entries of a follower are overwritten with the leader's (figure 7)", () => {
    const logs = {
      a: [1, 1, 4, 4, 5, 5, 6, 6, 6],
      b: [1, 1, 4, 4, 5, 5, 6, 6],
      c: [1, 1, 4],
      d: [1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      e: [1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    };
    const cluster = new Cluster(Object.keys(logs), { logs });
    const hardState = { term: 7, votedFor: null, leader: null };
    for (const peer of cluster.peers.values()) {
      peer.disk.hardState = hardState;
      peer.restart();
    }
    cluster.now += cluster.timing.electionMinMs;
    cluster.elect("a");
    cluster.tick(cluster.timing.heartbeatMs ?? 0, "a");
    cluster.settle();
    expect(cluster.peer("a").raft.role).toBe("leader");
    const terms = (id: string): number[] => cluster.peer(id).disk.log.map((entry) => entry.term);
    for (const id of Object.keys(logs)) expect(terms(id)).toEqual(terms("a"));
  });

  test("§5.3 a whole conflicting term costs one round trip", () => {
    const logs = { a: [1, 4, 4], b: [1, 2, 2, 2, 2, 2, 2, 2], c: [1, 4, 4] };
    const cluster = new Cluster(abc, { logs });
    cluster.elect("a");
    const conflicts = cluster
      .peer("b")
      .readies.flatMap((ready) =>
        ready.messages.filter(
          (message) => message.type === "appendReply" && message.outcome === "conflict",
        ),
      );
    expect(cluster.peer("b").disk.lastIndex()).toBe(5);
    expect(conflicts.length).toBeLessThanOrEqual(2);
  });

  test("§5.3 an append that arrives twice or late changes nothing", () => {
    const cluster = new Cluster(abc);
    cluster.elect("a");
    cluster.peer("a").propose("x");
    const [first] = cluster.ofType("append").filter((message) => message.to === "b");
    cluster.peer("a").propose("y");
    cluster.settle();
    const log = [...cluster.peer("b").disk.log];
    if (first !== undefined) cluster.peer("b").step(first);
    expect(first?.entries).toHaveLength(1);
    expect(cluster.peer("b").disk.log).toEqual(log);
  });
});

describe("§5.4 safety", () => {
  test("§5.4.1 a voter denies its vote if its own log is more up to date", () => {
    const cluster = new Cluster(abc, { logs: { a: [1], b: [2], c: [1, 1] } });
    cluster.elect("a");
    expect(cluster.peer("a").raft.role).not.toBe("leader");
    cluster.elect("b");
    expect(cluster.peer("b").raft.role).toBe("leader");
  });

  test("§5.4.1 with equal last terms the longer log is more up to date", () => {
    const cluster = new Cluster(abc, { logs: { a: [1], b: [1, 1], c: [1, 1] } });
    cluster.elect("a");
    expect(cluster.peer("a").raft.role).not.toBe("leader");
  });

  test("§5.4.2 a leader commits only entries of its own term by counting", () => {
    const cluster = new Cluster(abc, { logs: { a: [2, 2], b: [], c: [] } });
    cluster.campaign("a");
    cluster.settle((message) => message.type === "append");
    const a = cluster.peer("a");
    expect(a.raft.role).toBe("leader");
    a.raft.step(matched("b", a.raft.term, 3), cluster.now);
    a.drain();
    expect(a.raft.commitIndex).toBe(0);
    a.raft.step(matched("b", a.raft.term, 4), cluster.now);
    a.drain();
    expect(a.raft.commitIndex).toBe(4);
  });

  test("§5.4.2 entries of earlier terms are committed with the first of the leader's own", () => {
    const cluster = new Cluster(abc, { logs: { a: [1, 1], b: [1], c: [] } });
    cluster.elect("a");
    expect(cluster.peer("a").applied.map((entry) => entry.term)).toEqual([1, 1, 1, 2]);
  });
});

function matched(from: string, term: number, index: number) {
  return {
    type: "appendReply" as const,
    from,
    to: "a",
    term,
    incarnation: 1,
    toIncarnation: 1,
    round: 1,
    outcome: "matched" as const,
    index,
    hintIndex: 0,
    hintTerm: 0,
    commit: 0,
  };
}

describe("§5.6 timing and §8 clients", () => {
  test("§5.2 a leader sends heartbeats to stop others from campaigning", () => {
    const cluster = new Cluster(abc);
    cluster.elect("a");
    for (let count = 0; count < 30; count += 1) {
      cluster.tick(cluster.timing.heartbeatMs ?? 0);
      cluster.settle();
    }
    expect(abc.map((id) => cluster.peer(id).raft.role)).toEqual(["leader", "follower", "follower"]);
    expect(cluster.peer("a").raft.term).toBe(2);
  });

  test("§8 a leader commits an entry with no command at the start of its term", () => {
    const cluster = new Cluster(abc);
    cluster.elect("a");
    expect(cluster.peer("a").applied.at(-1)).toMatchObject({ kind: "noop", term: 2 });
  });
});
