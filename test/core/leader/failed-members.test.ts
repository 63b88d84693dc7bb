// Failed members are forgotten after 72 h, or `reconnect_timeout`, counted from when the leader saw this failure, not
// an earlier one.

import { expect, test } from "vitest";

import { FailedMembers } from "../../../durable/leader/failed-members.ts";
import { AlarmClock } from "../../../durable/platform/alarm-clock.ts";
import { reconnectTimeoutMs } from "../../../src/core/gossip/liveness.ts";
import { StateHarness } from "../../support/state-harness.ts";

const hourMs = 3_600_000;

class Leader {
  readonly harness: StateHarness;
  readonly forgotten: string[] = [];
  alarmMs: number | null = null;
  readonly #timeoutMs: number;
  #clock: AlarmClock;
  members: FailedMembers;

  constructor(timeoutMs = reconnectTimeoutMs) {
    this.harness = new StateHarness();
    this.#timeoutMs = timeoutMs;
    [this.#clock, this.members] = this.#construct();
  }

  #construct(): [AlarmClock, FailedMembers] {
    const { harness } = this;
    const clock = new AlarmClock({
      setAlarm: (atMs) => {
        this.alarmMs = atMs;
      },
    });
    clock.loaded(this.alarmMs);
    const members = new FailedMembers({
      sql: harness.sql,
      machine: harness.machine,
      clock,
      nowMs: () => harness.nowMs,
      reconnectTimeoutMs: this.#timeoutMs,
      leads: () => true,
      isServer: (id) => id === "00000000-0000-4000-8000-000000000009",
      forget: (gone) => {
        for (const { name, status } of gone) {
          this.forgotten.push(`${name} ${status}`);
          harness.deregister({ Node: name });
        }
        return Promise.resolve();
      },
      warn: () => undefined,
    });
    return [clock, members];
  }

  /** As a platform may do at any time. */
  loseMemory(): void {
    [this.#clock, this.members] = this.#construct();
    this.members.arm();
  }

  health(n: number, Status: "passing" | "critical"): void {
    const applied = this.harness.register({
      Node: `host-${n}`,
      ID: `00000000-0000-4000-8000-00000000000${n}`,
      Address: `10.0.0.${n}`,
      Check: { CheckID: "serfHealth", Name: "Serf Health Status", Status },
    });
    this.members.applied([applied]);
  }

  /** Fires whatever alarm is due within that time. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.harness.nowMs + ms;
    for (let alarms = 0; this.alarmMs !== null && this.alarmMs <= untilMs; alarms++) {
      if (alarms > 100) throw new Error("alarms without end");
      this.harness.nowMs = Math.max(this.harness.nowMs, this.alarmMs);
      this.alarmMs = null;
      await this.#clock.fire(this.harness.nowMs);
    }
    this.harness.nowMs = untilMs;
  }
}

test("one that stays failed is deregistered after 72 h, and not before", async () => {
  const leader = new Leader();
  leader.health(1, "passing");
  leader.health(1, "critical");
  await leader.pass(reconnectTimeoutMs - 1);
  expect(leader.forgotten).toEqual([]);
  await leader.pass(1);
  expect(leader.forgotten).toEqual(["host-1 left"]);
  await leader.pass(200 * hourMs);
  expect(leader.forgotten).toHaveLength(1);
});

test("after another time, where one is set, and with it those who failed a little later", async () => {
  const leader = new Leader(20_000);
  leader.health(1, "critical");
  await leader.pass(1_000);
  leader.health(2, "critical");
  await leader.pass(18_999);
  expect(leader.forgotten).toEqual([]);
  await leader.pass(3_000);
  expect(leader.forgotten.toSorted()).toEqual(["host-1 left", "host-2 left"]);
});

test("one that recovered and failed anew has 72 h again, though memory was lost in between", async () => {
  const leader = new Leader();
  leader.health(1, "critical");
  await leader.pass(60 * hourMs);
  leader.health(1, "passing");
  leader.health(1, "critical");
  leader.loseMemory();
  await leader.pass(71 * hourMs);
  expect(leader.forgotten).toEqual([]);
  await leader.pass(hourMs);
  expect(leader.forgotten).toEqual(["host-1 left"]);
});

test("sleep does not start the time anew", async () => {
  const leader = new Leader();
  leader.health(1, "critical");
  await leader.pass(71 * hourMs);
  leader.loseMemory();
  await leader.pass(hourMs);
  expect(leader.forgotten).toEqual(["host-1 left"]);
});

test("servers of the group are not forgotten, nor who is well", async () => {
  const leader = new Leader();
  leader.health(9, "critical");
  leader.health(2, "passing");
  await leader.pass(100 * hourMs);
  expect(leader.forgotten).toEqual([]);
});
