// What Ongaro's thesis adds to the paper: membership, transfer, pre-vote, check-quorum, read-index
// and leases.

import { describe, expect, test } from "vitest";
import { encodeConfiguration } from "../../../src/core/raft/membership.ts";
import { Cluster } from "./cluster.ts";

const abc = ["a", "b", "c"];
const addD = { type: "addLearner", id: "d", name: "d", address: "d" } as const;

function led(ids: string[] = abc): Cluster {
  const cluster = new Cluster(ids);
  cluster.elect(ids[0] ?? "a");
  return cluster;
}

describe("thesis §4 membership", () => {
  test("§4.1 one change at a time: a second waits until the first is committed", () => {
    const cluster = led();
    const a = cluster.peer("a");
    expect(a.raft.proposeConfiguration(addD, cluster.now)).toHaveProperty("firstIndex");
    const second = { type: "remove", id: "c" } as const;
    expect(a.raft.proposeConfiguration(second, cluster.now)).toEqual({ refused: "pending" });
    a.drain();
    cluster.settle();
    expect(a.raft.proposeConfiguration(second, cluster.now)).toHaveProperty("firstIndex");
  });

  test("§4.1 no change before an entry of the leader's own term is committed", () => {
    const cluster = new Cluster(abc);
    cluster.campaign("a");
    cluster.settle((message) => message.type === "append");
    const a = cluster.peer("a");
    expect(a.raft.role).toBe("leader");
    expect(a.raft.proposeConfiguration(addD, cluster.now)).toEqual({ refused: "pending" });
  });

  test("§4.1 a server uses the latest configuration in its log, committed or not", () => {
    const cluster = led();
    const a = cluster.peer("a");
    a.raft.proposeConfiguration({ type: "remove", id: "c" }, cluster.now);
    a.drain();
    expect(a.raft.configuration.members.map((member) => member.id)).toEqual(["a", "b"]);
    cluster.deliver((message) => message.to === "b");
    expect(cluster.peer("b").raft.configuration.members).toHaveLength(2);
  });

  test("§4.1 a truncated change falls back to the configuration before it", () => {
    const cluster = led();
    const a = cluster.peer("a");
    a.raft.proposeConfiguration({ type: "remove", id: "c" }, cluster.now);
    a.drain();
    cluster.drop();
    cluster.tick(cluster.timing.electionMaxMs, "b");
    cluster.settle((message) => message.to === "a");
    expect(cluster.peer("b").raft.role).toBe("leader");
    cluster.tick(cluster.timing.heartbeatMs ?? 0, "b");
    cluster.settle();
    expect(a.raft.role).toBe("follower");
    expect(a.raft.configuration.members).toHaveLength(3);
  });

  test("§4.2.1 a learner receives the log, and neither votes nor counts", () => {
    const cluster = led();
    const a = cluster.peer("a");
    cluster.addEmpty("d");
    a.raft.proposeConfiguration(addD, cluster.now);
    a.drain();
    cluster.settle();
    expect(cluster.peer("d").disk.lastIndex()).toBe(3);
    a.propose("x");
    cluster.settle((message) => message.to === "b" || message.to === "c");
    expect(a.raft.commitIndex).toBe(3);
    cluster.tick(10 * cluster.timing.electionMaxMs, "d");
    expect(cluster.peer("d").raft.role).toBe("follower");
  });

  test("§4.2.1 a learner far behind is not promoted", () => {
    const cluster = led();
    const a = cluster.peer("a");
    a.raft.proposeConfiguration(addD, cluster.now);
    a.drain();
    cluster.settle();
    const promote = { type: "promote", id: "d" } as const;
    expect(a.raft.proposeConfiguration(promote, cluster.now)).toEqual({ refused: "behind" });
  });

  test("§4.2.2 a leader that removes itself leads until that is committed", () => {
    const cluster = led();
    const a = cluster.peer("a");
    a.raft.proposeConfiguration({ type: "remove", id: "a" }, cluster.now);
    a.drain();
    expect(a.raft.role).toBe("leader");
    cluster.settle((message) => message.to === "c");
    expect(a.raft.role).toBe("leader");
    cluster.tick(cluster.timing.heartbeatMs ?? 0, "a");
    cluster.settle();
    expect(a.raft.role).toBe("follower");
    cluster.elect("b");
    expect(cluster.peer("b").raft.role).toBe("leader");
  });

  test("a configuration is read back as it was written", () => {
    const members = [{ id: "a", name: "ä", address: "x", voter: true }];
    const data = encodeConfiguration({ members });
    const cluster = led(["a"]);
    cluster.peer("a").disk.log.push({ index: 3, term: 2, kind: "configuration", data });
    expect(cluster.peer("a").disk.configurationAt(3).configuration).toEqual({ members });
  });
});

describe("thesis §3.10 leadership transfer", () => {
  test("§3.10 the target campaigns at once and wins although the leader lives", () => {
    const cluster = led();
    const a = cluster.peer("a");
    expect(a.raft.transferLeadership("b", cluster.now)).toBe(true);
    expect(a.raft.propose([new Uint8Array(1)], cluster.now)).toEqual({ notLeader: null });
    a.drain();
    cluster.settle();
    expect(cluster.peer("b").raft.role).toBe("leader");
    expect(a.raft.role).toBe("follower");
  });

  test("§3.10 a transfer that fails is given up after an election timeout, but not its lease", () => {
    const cluster = led();
    const a = cluster.peer("a");
    expect(a.raft.leaseValid(cluster.now)).toBe(true);
    a.raft.transferLeadership("b", cluster.now);
    a.drain();
    cluster.drop((message) => message.type === "timeoutNow");
    for (let passed = 0; passed <= cluster.timing.electionMaxMs; passed += 100) {
      cluster.tick(100, "a");
      cluster.settle();
    }
    a.propose("x");
    cluster.settle();
    expect(a.raft.commitIndex).toBe(3);
    expect(a.raft.leaseValid(cluster.now)).toBe(false);
  });
});

describe("thesis §6 and §9: clients and stability", () => {
  test("§9.6 a server that was partitioned does not raise anyone's term by coming back", () => {
    const cluster = led();
    for (let passed = 0; passed <= cluster.timing.electionMaxMs; passed += 100) {
      cluster.tick(100, "a");
      cluster.settle((message) => message.to === "c");
    }
    cluster.tick(0, "c");
    expect(cluster.peer("c").raft.role).toBe("preCandidate");
    cluster.settle();
    expect(cluster.peer("c").raft.role).toBe("follower");
    expect(abc.map((id) => cluster.peer(id).raft.term)).toEqual([2, 2, 2]);
  });

  test("§4.2.3 a voter that just heard from its leader refuses votes of newer terms", () => {
    const cluster = led();
    const vote = { from: "c", to: "b", term: 9, incarnation: 1, lastIndex: 99, lastTerm: 9 };
    cluster.peer("b").step({ ...vote, type: "vote", transferIncarnation: null });
    expect(cluster.peer("b").raft.term).toBe(2);
  });

  test("§6.2 a leader without a majority steps down after an election timeout", () => {
    const cluster = led();
    cluster.tick(cluster.timing.electionMaxMs, "a");
    expect(cluster.peer("a").raft.role).toBe("follower");
    expect(cluster.peer("a").raft.leader).toBeNull();
  });

  test("§6.4 a read-index waits for a round that was sent after it", () => {
    const cluster = led();
    const a = cluster.peer("a");
    const id = a.raft.readIndex(cluster.now, { lease: false });
    a.drain();
    expect(a.reads).toEqual([]);
    cluster.settle((message) => message.to === "c");
    expect(a.reads).toEqual([{ id, index: 2 }]);
  });

  test("§6.4 no read before an entry of the leader's own term is committed", () => {
    const cluster = new Cluster(abc);
    cluster.campaign("a");
    cluster.settle((message) => message.type === "append");
    const a = cluster.peer("a");
    a.raft.readIndex(cluster.now, { lease: true });
    a.drain();
    expect(a.raft.leaseValid(cluster.now)).toBe(false);
    expect(a.reads).toEqual([]);
    cluster.tick(cluster.timing.heartbeatMs ?? 0, "a");
    cluster.settle();
    expect(a.reads).toMatchObject([{ index: 2 }]);
  });

  test("§6.4 a deposed leader's reads come back unconfirmed", () => {
    const cluster = led();
    const a = cluster.peer("a");
    const id = a.raft.readIndex(cluster.now, { lease: false });
    a.drain();
    cluster.drop();
    cluster.tick(cluster.timing.electionMaxMs, "a");
    expect(a.reads).toEqual([{ id, index: null }]);
  });

  test("§6.4.1 a lease counts from the send of the round, and ends", () => {
    const cluster = led();
    const a = cluster.peer("a");
    cluster.tick(cluster.timing.heartbeatMs ?? 0, "a");
    const sentMs = cluster.now;
    cluster.now += 200;
    cluster.settle();
    expect(a.raft.leaseValid(sentMs + cluster.timing.leaseMs - 1)).toBe(true);
    expect(a.raft.leaseValid(sentMs + cluster.timing.leaseMs)).toBe(false);
    a.raft.readIndex(sentMs + cluster.timing.leaseMs, { lease: true });
    expect(a.reads).toEqual([]);
  });

  test("§6.4.1 a clock that goes back voids the lease", () => {
    const cluster = led();
    const a = cluster.peer("a");
    expect(a.raft.leaseValid(cluster.now)).toBe(true);
    expect(a.raft.leaseValid(cluster.now - 1)).toBe(false);
    expect(a.raft.leaseValid(cluster.now)).toBe(false);
  });

  test("§10.2.1 a single server commits without any message", () => {
    const cluster = led(["a"]);
    const a = cluster.peer("a");
    a.propose("x");
    expect(a.raft.commitIndex).toBe(3);
    expect(cluster.held).toEqual([]);
    const id = a.raft.readIndex(cluster.now, { lease: false });
    a.drain();
    expect(a.reads).toEqual([{ id, index: 3 }]);
  });
});
