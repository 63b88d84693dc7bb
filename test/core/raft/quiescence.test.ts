// Quiescent mode (preset edge) and what waking means: silence costs nothing, failure is found by
// use, and hibernation does not cost an election.

import { describe, expect, test } from "vitest";
import { edge, lan } from "../../../src/core/raft/timing.ts";
import type { Message } from "../../../src/core/raft/types.ts";
import { Cluster } from "./cluster.ts";

const abc = ["a", "b", "c"];

function led(): Cluster {
  const cluster = new Cluster(abc, { timing: edge });
  cluster.campaign("a");
  cluster.settle();
  // Each voter asks the leader it does not have for an election timeout, then answers.
  cluster.tick(edge.electionMinMs);
  cluster.settle();
  expect(cluster.peer("a").raft.role).toBe("leader");
  return cluster;
}

describe("standing down", () => {
  test("a lone write costs two appends, two answers and two notices to stand down", () => {
    const cluster = led();
    cluster.peer("a").propose("x");
    const sent: Message[] = [];
    cluster.settle((message) => {
      sent.push(message);
      return false;
    });
    const appends = sent.filter((message) => message.type === "append");
    expect(appends.map((message) => message.entries.length)).toEqual([1, 1, 0, 0]);
    expect(appends.map((message) => message.standDown)).toEqual([false, false, true, true]);
    expect(sent).toHaveLength(8);
    expect(cluster.peer("c").applied.at(-1)?.index).toBe(3);
  });

  test("an idle group has no timers but its watchdogs, and the leader's is the slowest", () => {
    const cluster = led();
    for (const id of abc) expect(cluster.peer(id).raft.standingDown).toBe(true);
    for (const id of abc) {
      const wait = (cluster.peer(id).raft.nextDeadlineMs() ?? 0) - cluster.now;
      const periods = id === "a" ? 2 : 1;
      expect(wait).toBeGreaterThan(periods * (edge.watchdogMs ?? 0) - edge.electionMinMs * 2);
    }
    cluster.tick(60_000);
    expect(cluster.held).toEqual([]);
  });

  test("a follower that does not confirm is retried ever more rarely", () => {
    const cluster = led();
    const toC = (message: Message): boolean => message.to === "c";
    cluster.peer("a").propose("x");
    cluster.settle(toC);
    const waits: number[] = [];
    for (let count = 0; count < 5; count += 1) {
      const deadline = cluster.peer("a").raft.nextDeadlineMs() ?? 0;
      waits.push(deadline - cluster.now);
      cluster.tick(deadline - cluster.now, "a");
      cluster.settle(toC);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
    cluster.tick(32_000, "a");
    cluster.settle();
    expect(cluster.peer("c").applied.at(-1)?.index).toBe(3);
  });

  test("a write that no majority answers ends leadership, and only then", () => {
    const cluster = led();
    cluster.tick(100_000);
    cluster.settle();
    expect(cluster.peer("a").raft.role).toBe("leader");
    cluster.peer("a").propose("x");
    cluster.drop();
    cluster.tick(edge.electionMaxMs, "a");
    expect(cluster.peer("a").raft.role).toBe("follower");
  });
});

describe("failure is found by use", () => {
  test("a voter asks the leader first, and refuses the pre-vote when it answers", () => {
    const cluster = led();
    cluster.tick(60_000);
    cluster.campaign("b");
    const refusals: boolean[] = [];
    cluster.settle((message) => {
      if (message.type === "preVoteReply") refusals.push(!message.granted);
      return message.from === "b" && message.to === "a";
    });
    expect(refusals).toEqual([true]);
    cluster.tick(edge.electionMinMs + edge.electionMaxMs, "b");
    expect(cluster.peer("b").raft.role).toBe("follower");
    expect(abc.map((id) => cluster.peer(id).raft.term)).toEqual([2, 2, 2]);
  });

  test("a leader that does not answer for an election timeout is replaced", () => {
    const cluster = led();
    cluster.tick(60_000);
    const dead = (message: Message): boolean => message.to === "a";
    cluster.campaign("b");
    cluster.settle(dead);
    expect(cluster.peer("b").raft.role).toBe("preCandidate");
    for (let passed = 0; passed < edge.electionMinMs; passed += 500) {
      cluster.tick(500, "c");
      cluster.settle(dead);
    }
    expect(cluster.peer("b").raft.role).toBe("leader");
  });

  test("the watchdog finds a dead leader without any use", () => {
    const cluster = led();
    const dead = (message: Message): boolean => message.to === "a";
    cluster.peer("b").raft.watchdog(cluster.now);
    cluster.peer("b").drain();
    expect(cluster.ofType("probe").map((message) => message.to)).toEqual(["a"]);
    cluster.settle(dead);
    cluster.tick(edge.leaderReachMs, "b");
    expect(cluster.peer("b").raft.role).toBe("preCandidate");
  });

  test("a probe tells the leader of a follower that lacks entries", () => {
    const cluster = led();
    cluster.peer("a").propose("x");
    cluster.settle((message) => message.to === "c");
    cluster.peer("c").raft.watchdog(cluster.now);
    cluster.peer("c").drain();
    cluster.settle();
    expect(cluster.peer("c").applied.at(-1)?.index).toBe(3);
  });
});

describe("who was left behind asks for itself", () => {
  /** A write that `missing` does not hear of, after which everybody else sleeps and forgets. */
  function leaveBehind(cluster: Cluster, missing: string): void {
    const leader = [...cluster.peers.values()].find(({ raft }) => raft.role === "leader");
    leader?.propose("x");
    cluster.settle((message) => message.to === missing);
    for (const peer of cluster.peers.values()) if (peer.id !== missing) peer.restart();
    const wait = (leader?.raft.nextDeadlineMs() ?? 0) - cluster.now;
    expect(wait, "a leader that owes nothing").toBeGreaterThan(edge.watchdogMs ?? 0);
  }

  function passWatchdogs(cluster: Cluster, count: number): void {
    for (let number = 0; number < count; number += 1) {
      cluster.tick(((edge.watchdogMs ?? 0) * 3) / 2);
      cluster.settle();
      cluster.tick(edge.leaderReachMs);
      cluster.settle();
    }
  }

  function withLearner(): Cluster {
    const cluster = led();
    cluster.addEmpty("d");
    const learner = { type: "addLearner", id: "d", name: "d", address: "d" } as const;
    cluster.peer("a").raft.proposeConfiguration(learner, cluster.now);
    cluster.peer("a").drain();
    cluster.settle();
    expect(cluster.peer("d").raft.leader).toBe("a");
    return cluster;
  }

  /** b leads the next term, and `missing` hears nothing of it. */
  function electUnheard(cluster: Cluster, missing: string): void {
    const lost = (message: Message): boolean => message.to === missing;
    cluster.peer("a").raft.transferLeadership("b", cluster.now);
    cluster.peer("a").drain();
    cluster.settle(lost);
    expect(cluster.peer("b").raft.role).toBe("leader");
  }

  test("a follower, after the leader slept and forgot it", () => {
    const cluster = led();
    leaveBehind(cluster, "c");
    passWatchdogs(cluster, 1);
    expect(cluster.peer("c").applied.at(-1)?.index).toBe(3);
    expect(cluster.peer("a").raft.term).toBe(2);
  });

  test("a learner, after the leader slept and forgot it", () => {
    const cluster = withLearner();
    leaveBehind(cluster, "d");
    passWatchdogs(cluster, 1);
    expect(cluster.peer("d").applied.at(-1)?.index).toBe(4);
  });

  test.each(["c", "d"])("%s, that missed an election as well", (missing) => {
    const cluster = withLearner();
    electUnheard(cluster, missing);
    leaveBehind(cluster, missing);
    passWatchdogs(cluster, 2);
    const { commitIndex, term } = cluster.peer("b").raft;
    expect(cluster.peer(missing).applied.at(-1)?.index).toBe(commitIndex);
    expect(cluster.peer(missing).raft).toMatchObject({ leader: "b", term });
  });

  test("a learner that knows no leader finds one when it is used", () => {
    const cluster = withLearner();
    electUnheard(cluster, "d");
    leaveBehind(cluster, "d");
    const { raft } = cluster.peer("d");
    for (let use = 0; use < 2; use += 1) {
      raft.leaderUnreachable(cluster.now);
      cluster.peer("d").drain();
      cluster.settle();
    }
    expect(raft.leader).toBe("b");
  });
});

describe("waking", () => {
  test("a woken leader leads its term on, without a lease, and commits", () => {
    const cluster = led();
    const a = cluster.peer("a");
    a.restart();
    expect([a.raft.role, a.raft.term]).toEqual(["leader", 2]);
    expect(a.raft.leaseValid(cluster.now)).toBe(false);
    a.propose("x");
    cluster.settle();
    cluster.tick(edge.retryMinMs, "a");
    cluster.settle();
    expect(a.raft.commitIndex).toBe(3);
    expect(a.raft.leaseValid(cluster.now)).toBe(true);
  });

  test("when all restart at once no election is needed", () => {
    for (const timing of [lan, edge]) {
      const cluster = new Cluster(abc, { timing });
      cluster.campaign("a");
      cluster.settle();
      cluster.tick(timing.electionMinMs);
      cluster.settle();
      const { term } = cluster.peer("a").raft;
      for (const peer of cluster.peers.values()) peer.restart();
      cluster.tick(1);
      cluster.settle();
      cluster.peer("a").propose("x");
      cluster.settle();
      expect(abc.map((id) => cluster.peer(id).raft.leader)).toEqual(["a", "a", "a"]);
      expect(cluster.peer("a").raft.term).toBe(term);
    }
  });

  test("a voter refuses votes for one election timeout after its construction", () => {
    const cluster = new Cluster(abc);
    cluster.peer("b").restart();
    const vote = { from: "c", to: "b", term: 5, incarnation: 1, lastIndex: 9, lastTerm: 4 };
    cluster.peer("b").step({ ...vote, type: "vote", transferIncarnation: null });
    expect(cluster.peer("b").raft.term).toBe(1);
    cluster.now += lan.electionMinMs;
    cluster.peer("b").step({ ...vote, type: "vote", transferIncarnation: null });
    expect(cluster.ofType("voteReply")).toMatchObject([{ granted: true }]);
  });

  test("a follower refuses an older incarnation of its leader", () => {
    const cluster = led();
    const a = cluster.peer("a");
    a.propose("x");
    const [old] = cluster.ofType("append");
    cluster.drop();
    a.restart();
    a.propose("y");
    cluster.settle();
    if (old !== undefined) cluster.peer(old.to).step(old);
    expect(cluster.ofType("appendReply")).toMatchObject([{ outcome: "stale" }]);
  });

  test("a round for a read is preceded by a write, where old instances may run on", () => {
    const cluster = led();
    const a = cluster.peer("a");
    a.readies = [];
    a.raft.readIndex(cluster.now, { lease: false });
    a.drain();
    expect(a.readies.map((ready) => ready.fence)).toEqual([true]);
  });
});
