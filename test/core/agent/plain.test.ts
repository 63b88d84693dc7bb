// The local state keeps deadlines, unsynced rows and aliases up to date with every change. Here whatever it keeps is
// compared, after arbitrary changes, with what walking through all rows says.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { reapAtMs } from "../../../src/core/agent/checks/schedule.ts";
import type { CheckStatus } from "../../../src/core/agent/definitions.ts";
import type { CheckEntry } from "../../../src/core/agent/entries.ts";
import { aliasResult, isLocalAlias } from "../../../src/core/agent/health.ts";
import type { LocalAgentState } from "../../../src/core/agent/local-state.ts";
import { confirmStep, planPartialSync } from "../../../src/core/agent/sync-plan.ts";
import { checkOf, newState, putCheck, putService, startMs, testNode } from "./support.ts";

const services = ["a", "b", "c", "d"] as const;
const checks = ["x", "y", "z"] as const;

type Step = (state: LocalAgentState, nowMs: number) => void;

const service = fc.constantFrom(...services);
const check = fc.constantFrom(...checks);
const status = fc.constantFrom<CheckStatus>("passing", "warning", "critical");
const idOf = (owner: string, name: string): string => `${owner}:${name}`;

/** What may happen to an agent. Aliases stand for services before their own, so that there is no ring. */
const step: fc.Arbitrary<Step> = fc.oneof(
  service.map(
    (id): Step =>
      (state, nowMs) =>
        putService(state, { ID: id, Name: "s" }, { nowMs }),
  ),
  fc
    .record({ owner: fc.constantFrom("", ...services), name: check, reaped: fc.boolean() })
    .map(({ owner, name, reaped }): Step => (state, nowMs) => {
      if (owner !== "" && !state.rows.services.has(owner)) return;
      const more = reaped && owner !== "" ? { DeregisterCriticalServiceAfter: "60s" } : {};
      const body = { ID: idOf(owner, name), Name: name, ServiceID: owner, TTL: "10s", ...more };
      putCheck(state, body, { nowMs });
    }),
  fc
    .record({ owner: fc.constantFrom(1, 2, 3), target: fc.nat({ max: 2 }) })
    .map(({ owner, target }): Step => (state, nowMs) => {
      const ServiceID = services[owner] ?? "";
      if (!state.rows.services.has(ServiceID) || target >= owner) return;
      const alias = {
        ID: `alias-${owner}`,
        Name: "alias",
        ServiceID,
        AliasService: services[target],
      };
      putCheck(state, alias, { nowMs });
    }),
  fc
    .record({ owner: fc.constantFrom("", ...services), name: check, status, output: fc.string() })
    .map(({ owner, name, status: said, output }): Step => (state, nowMs) => {
      const id = idOf(owner, name);
      if (state.rows.checks.has(id)) state.updateTtl(id, said, output, nowMs);
    }),
  service.map(
    (id): Step =>
      (state, nowMs) =>
        void state.deregisterService(id, nowMs),
  ),
  fc
    .record({ owner: fc.constantFrom("", ...services), name: check })
    .map(({ owner, name }): Step => (state, nowMs) => {
      state.deregisterCheck(idOf(owner, name), nowMs);
    }),
  fc.tuple(service, fc.boolean()).map(
    ([id, enable]): Step =>
      (state, nowMs) =>
        void state.serviceMaintenance(id, enable, "", nowMs),
  ),
  fc.boolean().map(
    (enable): Step =>
      (state, nowMs) =>
        state.nodeMaintenance(enable, "", nowMs),
  ),
  fc.constant<Step>((state, nowMs) => void state.tick(nowMs)),
  fc.constant<Step>((state) => {
    for (const planned of planPartialSync(state)) confirmStep(state, planned);
  }),
);

function plainDeadline({ check: row, definition, ...entry }: CheckEntry): number {
  const afterMs = definition?.deregisterAfterMs ?? 0;
  const reaps = entry.criticalSinceMs !== null && afterMs > 0 && row.ServiceID !== "";
  return Math.min(
    entry.ttlDeadlineMs ?? Infinity,
    entry.outputSyncAtMs ?? Infinity,
    reaps ? reapAtMs(entry.criticalSinceMs ?? 0, afterMs, startMs) : Infinity,
  );
}

function compare(state: LocalAgentState): void {
  const { rows } = state;
  const entries = [...rows.checks.values()];
  const nextMs = Math.min(Infinity, ...entries.map(plainDeadline));
  expect(state.nextDeadlineMs()).toBe(nextMs === Infinity ? null : nextMs);
  expect(rows.unsyncedChecks()).toEqual(entries.filter(({ inSync }) => !inSync));
  expect(new Set(rows.unsyncedServices())).toEqual(
    new Set([...rows.services.values()].filter(({ inSync }) => !inSync)),
  );
  for (const id of ["", ...services]) {
    expect(rows.checksOf(id)).toEqual(entries.filter((entry) => entry.check.ServiceID === id));
    const own = entries
      .map((entry) => entry.check)
      .filter((row) => row.ServiceID === id || row.ServiceID === "");
    if (rows.services.has(id)) expect(state.serviceHealth(id)?.checks).toEqual(own);
  }
  for (const { definition, check: row } of entries) {
    if (!definition || !isLocalAlias(definition, testNode.name)) continue;
    const serviceExists = rows.services.has(definition.aliasService);
    const said = aliasResult(definition, { checks: rows.checkRows(), serviceExists });
    expect(checkOf(state, row.CheckID)).toEqual(said);
  }
}

test("what is kept is what walking through all rows says", () => {
  const steps = fc.array(fc.tuple(step, fc.constantFrom(0, 1_000, 15_000, 70_000, 400_000)), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (run) => {
      const state = newState();
      let nowMs = startMs;
      for (const [act, laterMs] of run) {
        nowMs += laterMs;
        act(state, nowMs);
        compare(state);
      }
      // Whatever is due is done by one tick.
      state.tick(nowMs);
      expect(state.nextDeadlineMs() ?? Infinity).toBeGreaterThan(nowMs);
    }),
    { numRuns: 300 },
  );
});

test("the cost of a renewal does not grow with the number of checks", () => {
  const state = newState();
  for (let n = 0; n < 3_000; n++) {
    const alias = n % 3 === 0 ? [{ AliasService: "s1" }] : [];
    putService(state, { ID: `s${n}`, Name: "s", Checks: [{ TTL: "10s" }, ...alias] });
  }
  for (const planned of planPartialSync(state)) confirmStep(state, planned);
  const visited = new Set<string>();
  const { rows } = state;
  const values = rows.checks.values.bind(rows.checks);
  rows.checks.values = () => {
    visited.add("all checks");
    return values();
  };
  state.updateTtl("service:s2", "passing", "fine", startMs + 1);
  expect(state.nextDeadlineMs()).toBe(startMs + 10_000);
  expect(planPartialSync(state)).toHaveLength(1);
  state.tick(startMs + 2);
  expect([...visited]).toEqual([]);
});
