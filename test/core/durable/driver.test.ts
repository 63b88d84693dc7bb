// The host of a Raft core, alone with its storage: one voter, real SQLite, no network.

import { expect, test } from "vitest";

import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { InstanceEnded } from "../../../durable/platform/platform.ts";
import { RaftDriver } from "../../../durable/raft/driver.ts";
import { NotLeader } from "../../../durable/raft/outcome.ts";
import { StateSnapshots } from "../../../durable/raft/snapshots.ts";
import { RaftStorage } from "../../../durable/raft/storage.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import { Raft } from "../../../src/core/raft/raft.ts";
import { lan } from "../../../src/core/raft/timing.ts";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import { encodeEnvelope } from "../../../src/core/state/envelope.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

class SoleServer {
  readonly time = new VirtualTime();
  readonly sql = new NodeSql();
  readonly storage = new RaftStorage(this.sql);
  readonly machine = new StateMachine(this.sql, { datacenter: "dc1" });
  readonly raft = new Raft({
    ...{ id: "a", incarnation: 1, timing: lan, random: seededRandom(1), nowMs: 0 },
    ...{ log: this.storage, snapshots: new StateSnapshots(this.storage, this.machine) },
    ...{ hardState: this.storage.hardState, configuration: this.storage.latestConfiguration() },
    ...{ commitIndex: 0, appliedIndex: 0, fresh: true, installing: null },
  });
  readonly driver: RaftDriver;
  /** Entries of each transaction that applied some. */
  readonly batches: number[] = [];
  /** Why the instance was ended. */
  readonly aborted: unknown[] = [];
  /** What happens to whoever arms the alarm. */
  fault: Error | null = null;

  constructor() {
    const { raft, storage, machine, sql, time } = this;
    this.driver = new RaftDriver({
      ...{ raft, storage, machine, sql, timers: time.timers, nowMs: time.nowMs },
      ...{ noticeHoldMs: 0, logBytesMax: 1e9 },
      transport: { call: () => Promise.reject(new Error("there is nobody else")) },
      abort: (reason) => {
        this.aborted.push(reason);
        throw new InstanceEnded(String(reason));
      },
      soon: queueMicrotask,
      wakeAt: () => {
        if (this.fault) throw this.fault;
      },
      applied: (entries) => void this.batches.push(entries.length),
      leadershipChanged: () => undefined,
    });
    const self = { id: "a", name: "a", address: "10.0.0.1:8300", voter: true };
    raft.bootstrap({ members: [self] }, 0);
    this.driver.run();
  }

  async lead(): Promise<void> {
    for (let turn = 0; this.raft.role !== "leader" && turn < 50; turn++) {
      await this.time.pass(100);
      this.driver.tick();
    }
    expect(this.raft.role).toBe("leader");
  }
}

test("what is queued beyond 1 MB waits for the next round: no row of the log is larger", async () => {
  const server = new SoleServer();
  await server.lead();
  server.batches.length = 0;
  const value = btoa("v".repeat(300_000));
  const commands = Array.from({ length: 10 }, (_, n) =>
    encodeCommand({ type: "kv.set", key: `k${n}`, value, flags: "0" }, 0),
  );
  await Promise.all(commands.map((command) => server.driver.propose(command)));
  // 400 kB each: two fit.
  expect(server.batches).toEqual([2, 2, 2, 2, 2]);
});

test("a disk that is full for what follows an apply or an election ends the instance", async () => {
  const server = new SoleServer();
  await server.lead();
  server.fault = new Error("database or disk is full");
  expect(() => server.driver.tick()).toThrow(InstanceEnded);
  expect(server.aborted).toEqual([server.fault]);
});

test("one larger command goes alone", async () => {
  const server = new SoleServer();
  await server.lead();
  server.batches.length = 0;
  const set = (key: string, bytes: number): Uint8Array =>
    encodeCommand({ type: "kv.set", key, value: btoa("v".repeat(bytes)), flags: "0" }, 0);
  const commands = [set("a", 10), set("b", 900_000), set("c", 10)];
  await Promise.all(commands.map((command) => server.driver.propose(command)));
  expect(server.batches).toEqual([1, 1, 1]);
});

test("a server that meets a command of newer code stops leading, and accepts nothing more", async () => {
  const server = new SoleServer();
  await server.lead();
  const future = { stampMs: 0, version: 1, command: { type: "future.thing" } };
  void server.driver.propose(encodeEnvelope(future)).catch(() => undefined);
  await server.time.pass(100);
  expect(server.machine.parkedAt).not.toBeNull();
  expect(server.raft.role).not.toBe("leader");
  await server.time.pass(10_000);
  server.driver.tick();
  expect(server.raft.role).not.toBe("leader");
  const set = encodeCommand({ type: "kv.set", key: "a", value: "", flags: "0" }, 0);
  await expect(server.driver.propose(set)).rejects.toThrow(NotLeader);
});
