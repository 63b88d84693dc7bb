// What the leader makes of facts about members that come close after each other, as after a cut: what was sent before
// it, and what is so now.

import { expect, test } from "vitest";

import { Reconciler, type ReconcilerParts } from "../../../durable/leader/reconciler.ts";
import type { MemberFact } from "../../../durable/leader/member-registration.ts";
import type { HealthCheck } from "../../../src/core/model/types.ts";
import { StateHarness } from "../../support/state-harness.ts";
import { settled } from "../../support/virtual-time.ts";

const agent = { name: "web", id: "00000000-0000-4000-8000-000000000001", address: "10.0.0.1" };
const failed: MemberFact = { ...agent, status: "failed" };
const alive: MemberFact = { ...agent, status: "alive" };

test("a fact is compared with what the one before it writes, not with what was there", async () => {
  const state = new StateHarness();
  const round = Promise.withResolvers<void>();
  let isSlow = false;
  const requests = {
    writeHere: async ({ write }: { write: Parameters<StateHarness["run"]>[0] }) => {
      if (isSlow) await round.promise;
      state.run(write);
    },
  };
  const reconciler = new Reconciler({
    ...{ machine: state.machine, datacenter: "dc1", lasting: [], warn: () => undefined },
    requests: requests as unknown as ReconcilerParts["requests"],
    raft: { role: "leader" } as ReconcilerParts["raft"],
    heldAnywhere: () => Promise.resolve({ names: new Set() }),
    roster: () => Promise.resolve([]),
  });
  await reconciler.report([alive]);
  isSlow = true;
  // It was on its way for long; meanwhile the agent came back.
  const reports = [reconciler.report([failed]), reconciler.report([alive])];
  await settled();
  round.resolve();
  await Promise.all(reports);
  const { body } = state.machine.read("health.state", { state: "any" }, { nowMs: state.nowMs });
  const checks = JSON.parse(body ?? "[]") as HealthCheck[];
  expect(checks.map(({ CheckID, Status }) => `${CheckID} ${Status}`)).toEqual([
    "serfHealth passing",
  ]);
});
