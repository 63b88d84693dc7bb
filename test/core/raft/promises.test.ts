// What a lease, a promise and an acknowledgement are worth: each test here fails when one of the lines that keep
// them is taken out.

import { describe, expect, test } from "vitest";
import { Lease } from "../../../src/core/raft/lease.ts";
import { edge } from "../../../src/core/raft/timing.ts";
import type { SnapshotChunkMessage, Vote } from "../../../src/core/raft/types.ts";
import { Cluster } from "./cluster.ts";

const abc = ["a", "b", "c"];

function led(): Cluster {
  const cluster = new Cluster(abc);
  cluster.elect("a");
  expect(cluster.peer("a").raft.role).toBe("leader");
  return cluster;
}

describe("leases", () => {
  test("a round that no write preceded begins none", () => {
    const lease = new Lease(100, 0);
    lease.confirm(lease.begin(1_000, false));
    expect(lease.valid(1_001)).toBe(false);
    lease.confirm(lease.begin(1_010, true));
    expect(lease.valid(1_011)).toBe(true);
    lease.confirm(lease.begin(1_090, false));
    expect(lease.valid(1_109)).toBe(true);
    expect(lease.valid(1_110)).toBe(false);
  });

  test("where an old instance may run on, notices do not prolong the lease of the write before", () => {
    const cluster = new Cluster(abc, { timing: edge });
    cluster.campaign("a");
    cluster.settle();
    cluster.tick(edge.electionMinMs);
    cluster.settle();
    const { raft } = cluster.peer("a");
    cluster.tick(edge.electionMinMs, "a");
    cluster.settle();
    expect(raft.leaseValid(cluster.now)).toBe(false);
    cluster.peer("a").propose("x");
    const sentMs = cluster.now;
    cluster.now += edge.electionMinMs / 2;
    // Commits, and sends the notices to stand down, which are a round of their own.
    cluster.settle();
    expect(cluster.peer("b").raft.commitIndex).toBe(raft.lastIndex);
    expect(raft.leaseValid(cluster.now)).toBe(true);
    const endMs = sentMs + 0.75 * edge.electionMinMs;
    expect(raft.leaseValid(endMs - 1)).toBe(true);
    expect(raft.leaseValid(endMs)).toBe(false);
  });

  test("none is valid from the moment a transfer begins, whatever is confirmed later", () => {
    const cluster = led();
    const { raft } = cluster.peer("a");
    expect(raft.leaseValid(cluster.now)).toBe(true);
    expect(raft.transferLeadership("b", cluster.now)).toBe(true);
    expect(raft.leaseValid(cluster.now)).toBe(false);
    cluster.peer("a").drain();
    // The order to campaign is under way for long; the leader gives the transfer up and goes on.
    const [order] = cluster.ofType("timeoutNow");
    cluster.drop(({ type }) => type === "timeoutNow");
    for (let passed = 0; passed <= 2 * cluster.timing.electionMaxMs; passed += 100) {
      cluster.tick(100);
      cluster.settle();
      expect(raft.leaseValid(cluster.now)).toBe(false);
    }
    expect(raft.role).toBe("leader");
    if (order) cluster.peer("b").step(order);
    cluster.settle();
    expect(cluster.peer("b").raft.role).toBe("leader");
  });
});

describe("the promise to vote for nobody else", () => {
  const vote = (incarnation: number | null): Vote => ({
    type: "vote",
    from: "b",
    to: "c",
    term: 3,
    incarnation: 1,
    lastIndex: 9,
    lastTerm: 2,
    transferIncarnation: incarnation,
  });

  test("ends for an election that the leader itself has asked for", () => {
    const cluster = led();
    const { incarnation } = cluster.peer("a").raft.node;
    cluster.peer("c").step(vote(incarnation));
    expect(cluster.ofType("voteReply")).toMatchObject([{ granted: true, term: 3 }]);
  });

  test("does not end for one that an older instance of the leader asked for", () => {
    const cluster = led();
    cluster.peer("a").restart();
    cluster.peer("a").propose("x");
    cluster.settle();
    const { incarnation } = cluster.peer("a").raft.node;
    expect(cluster.peer("c").raft.node.promisedIncarnation).toBe(incarnation);
    cluster.peer("c").step(vote(incarnation - 1));
    expect(cluster.ofType("voteReply").filter(({ granted }) => granted)).toEqual([]);
    expect(cluster.peer("c").raft.term).toBe(2);
  });

  test("does not end for one that nobody asked for", () => {
    const cluster = led();
    cluster.peer("c").step(vote(null));
    expect(cluster.peer("c").raft.term).toBe(2);
  });

  test("is kept by the leader towards an order of another instance of itself", () => {
    const cluster = led();
    const a = cluster.peer("a");
    const { incarnation } = a.raft.node;
    a.step({ ...vote(incarnation + 1), to: "a" });
    a.step({ ...vote(incarnation - 1), to: "a" });
    expect([a.raft.role, a.raft.term]).toEqual(["leader", 2]);
    a.step({ ...vote(incarnation), to: "a" });
    expect([a.raft.role, a.raft.term]).toEqual(["follower", 3]);
  });

  test("is kept by a voter that may have given it before it was constructed", () => {
    const cluster = led();
    const { incarnation } = cluster.peer("a").raft.node;
    cluster.peer("c").restart();
    cluster.peer("c").step(vote(incarnation));
    expect(cluster.peer("c").raft.term).toBe(2);
    cluster.now += cluster.timing.electionMinMs;
    cluster.peer("c").step(vote(incarnation));
    expect(cluster.peer("c").raft.term).toBe(3);
  });
});

describe("a snapshot that nobody needs", () => {
  const chunk = (
    cluster: Cluster,
    base: { index: number; term: number },
  ): SnapshotChunkMessage => ({
    type: "snapshot",
    from: "a",
    to: "b",
    term: 2,
    incarnation: cluster.peer("a").raft.node.incarnation,
    stream: 7,
    sequence: 0,
    data: new Uint8Array(0),
    final: null,
    baseIndex: base.index,
    baseTerm: base.term,
    round: 1,
  });

  test("is declined by a log that reaches its base: what was acknowledged is not thrown away", () => {
    const cluster = led();
    for (const text of ["x", "y", "z"]) {
      cluster.peer("a").propose(text);
      cluster.settle();
    }
    const b = cluster.peer("b");
    const last = b.raft.lastIndex;
    b.step(chunk(cluster, { index: last - 1, term: 2 }));
    expect(b.raft.installing).toBe(false);
    expect(b.raft.lastIndex).toBe(last);
    expect(cluster.ofType("appendReply")).toMatchObject([{ outcome: "matched", to: "a" }]);
    expect(cluster.ofType("snapshotReply")).toEqual([]);
  });

  test("is declined where more is committed than its base, though the base itself is compacted away", () => {
    const cluster = led();
    const b = cluster.peer("b");
    b.step(chunk(cluster, { index: 1, term: 9 }));
    expect(b.raft.installing).toBe(false);
    expect(cluster.ofType("appendReply")).toMatchObject([{ outcome: "matched" }]);
  });

  test("is taken by a log that ends before its base", () => {
    const cluster = led();
    const b = cluster.peer("b");
    b.step(chunk(cluster, { index: b.raft.lastIndex + 5, term: 2 }));
    expect(b.raft.installing).toBe(true);
    expect(cluster.ofType("snapshotReply")).toMatchObject([{ outcome: "received" }]);
  });
});
