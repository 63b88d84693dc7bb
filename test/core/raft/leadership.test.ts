// What a leader owes to itself: answers to an earlier leadership of its own say nothing about this one, and a peer that
// is away does not keep the log for ever.

import { expect, test } from "vitest";
import { lan } from "../../../src/core/raft/timing.ts";
import { Cluster } from "./cluster.ts";

test("a late append of one's own earlier term, and its answer, depose nobody", () => {
  const cluster = new Cluster(["a", "b", "c"], { timing: lan });
  cluster.elect("a");
  const a = cluster.peer("a");
  a.propose("1");
  const late = cluster.ofType("append").filter(({ to }) => to === "c");
  expect(late).not.toEqual([]);
  cluster.settle(({ to, type }) => to === "c" && type === "append");
  cluster.tick(600, "c");
  cluster.now += 2_000;
  cluster.campaign("b");
  cluster.settle();
  expect(cluster.peer("b").raft.role).toBe("leader");
  cluster.now += 2_000;
  cluster.campaign("a");
  cluster.settle();
  cluster.tick(200);
  cluster.settle();
  const { term } = a.raft;
  cluster.held.push(...late);
  cluster.settle();
  expect({ role: a.raft.role, term: a.raft.term }).toEqual({ role: "leader", term });
});

test("the log is kept for a voter that is away, but not longer than a week", () => {
  const cluster = new Cluster(["a", "b", "c"], { timing: lan });
  cluster.elect("a");
  const a = cluster.peer("a");
  for (let n = 0; n < 50; n++) {
    a.propose(String(n));
    cluster.settle(({ to }) => to === "c");
  }
  const before = a.raft.compactableIndex;
  expect(before).toBeLessThan(10);
  for (let day = 0; day < 8; day++) {
    cluster.now += 24 * 3_600_000;
    a.propose(`day ${day}`);
    // Check-quorum must not depose a leader whose clock jumped: the answers of b come first.
    cluster.settle(({ to }) => to === "c");
  }
  cluster.tick(100, "a");
  cluster.settle(({ to }) => to === "c");
  expect(a.raft.role).toBe("leader");
  expect(a.raft.compactableIndex).toBeGreaterThan(50);
});

test("a sole voter that restarts commits what it had appended, and answers reads", () => {
  const hardState = { term: 2, votedFor: "a", leader: "a" };
  const cluster = new Cluster(["a"], {
    timing: lan,
    logs: { a: [2, 2] },
    hardStates: { a: hardState },
  });
  const a = cluster.peer("a");
  expect(a.raft.role).toBe("leader");
  a.raft.readIndex(cluster.now, { lease: true });
  a.drain();
  expect(a.raft.commitIndex).toBe(3);
  expect(a.reads).toEqual([expect.objectContaining({ index: 3 })]);
});
