import { describe, expect, test } from "vitest";
import {
  confirmStep,
  localHash,
  planFullSync,
  planPartialSync,
  viewHash,
  type CatalogView,
  type SyncStep,
} from "../../../src/core/agent/sync-plan.ts";
import type { LocalAgentState } from "../../../src/core/agent/local-state.ts";
import type { HealthCheck, NodeService, Registration } from "../../../src/core/model/types.ts";
import { newState, putCheck, putService, startMs, testNode } from "./support.ts";

const indexes = { CreateIndex: 5, ModifyIndex: 9 };

/** A catalog that takes what it is sent; enough of one to be compared with. */
class FakeCatalog {
  view: CatalogView = { node: null, services: [], checks: [] };

  send(state: LocalAgentState, steps: readonly SyncStep[]): void {
    for (const step of steps) {
      if (step.type === "catalog.register") this.#register(step.registration);
      else this.#deregister(step.deregistration);
      confirmStep(state, step);
    }
  }

  #register(registration: Registration): void {
    const { Node, ID, Address, Datacenter, TaggedAddresses, NodeMeta } = registration;
    const node = { ID, Node, Address, Datacenter, TaggedAddresses, Meta: NodeMeta, ...indexes };
    const services = new Map(this.view.services.map((service) => [service.ID, service]));
    const checks = new Map(this.view.checks.map((check) => [check.CheckID, check]));
    const { Service: service } = registration;
    if (service !== null) services.set(service.ID, { ...service, ...indexes });
    for (const check of registration.Checks ?? []) {
      checks.set(check.CheckID, { ...check, ...indexes });
    }
    this.view = {
      node: registration.SkipNodeUpdate ? this.view.node : node,
      services: [...services.values()],
      checks: [...checks.values()],
    };
  }

  #deregister({ ServiceID, CheckID }: { ServiceID: string; CheckID: string }): void {
    const { node, services, checks } = this.view;
    this.view = {
      node,
      services: services.filter((service) => service.ID !== ServiceID),
      checks: checks.filter(
        (check) => check.CheckID !== CheckID && (ServiceID === "" || check.ServiceID !== ServiceID),
      ),
    };
  }
}

const summary = (steps: readonly SyncStep[]): unknown[] =>
  steps.map((step) =>
    step.type === "catalog.register"
      ? {
          service: step.registration.Service?.ID ?? null,
          checks: step.registration.Checks?.map((check) => check.CheckID) ?? [],
          node: !step.registration.SkipNodeUpdate,
        }
      : { forgets: step.deregistration.ServiceID || step.deregistration.CheckID },
  );

function synced(): { state: LocalAgentState; catalog: FakeCatalog } {
  const state = newState();
  const catalog = new FakeCatalog();
  putService(state, { Name: "web", Checks: [{ TTL: "2h" }, { TTL: "2h" }] });
  catalog.send(state, planFullSync(state, catalog.view));
  return { state, catalog };
}

describe("what is sent", () => {
  test("a service goes with its checks, and the first command brings the node", () => {
    const state = newState();
    putService(state, { Name: "web", Checks: [{ TTL: "60s" }, { TTL: "60s" }] });
    putService(state, { Name: "db" });
    putCheck(state, { Name: "n1", TTL: "60s" });
    putCheck(state, { Name: "n2", TTL: "60s" });
    const steps = planFullSync(state, { node: null, services: [], checks: [] });
    expect(summary(steps)).toEqual([
      { service: "web", checks: ["service:web:1", "service:web:2"], node: true },
      { service: "db", checks: [], node: false },
      { service: null, checks: ["n1", "n2"], node: false },
    ]);
  });

  test("a check with another token goes alone", () => {
    const state = newState();
    putService(state, { Name: "web", Token: "a" });
    putCheck(state, { Name: "c", ServiceID: "web", Token: "b", TTL: "60s" });
    putCheck(state, { Name: "d", ServiceID: "web", TTL: "60s" });
    const steps = planPartialSync(state);
    expect(summary(steps)).toEqual([
      { service: "web", checks: ["d"], node: true },
      { service: null, checks: ["c"], node: false },
    ]);
    expect(steps.map((step) => step.token)).toEqual(["a", "b"]);
  });

  test("nothing when the catalog agrees; only the node when only that differs", () => {
    const { state, catalog } = synced();
    expect(planFullSync(state, catalog.view)).toEqual([]);
    state.configure({ ...testNode, meta: { rack: "r2" } }, state.settings);
    expect(summary(planPartialSync(state))).toEqual([{ service: null, checks: [], node: true }]);
  });

  test("a change of status at once, of output alone after a while", () => {
    const { state, catalog } = synced();
    state.updateTtl("service:web:1", "passing", "fine", startMs);
    expect(summary(planPartialSync(state))).toEqual([
      { service: null, checks: ["service:web:1"], node: false },
    ]);
    catalog.send(state, planPartialSync(state));
    state.updateTtl("service:web:1", "passing", "still fine", startMs);
    expect(planPartialSync(state)).toEqual([]);
    // Nor does a full sync send it before its time.
    expect(planFullSync(state, catalog.view)).toEqual([]);
    // Half of the interval at the earliest, one and a half at the latest.
    state.tick(startMs + 149_999);
    expect(planPartialSync(state)).toEqual([]);
    state.tick(startMs + 450_000);
    catalog.send(state, planPartialSync(state));
    const held = catalog.view.checks.find((check) => check.CheckID === "service:web:1");
    expect(held?.Output).toBe("still fine");
  });

  test("a check_update_interval of 0 syncs output at once", () => {
    const state = newState({ checkUpdateIntervalMs: 0 });
    putCheck(state, { Name: "c", TTL: "60s" });
    const catalog = new FakeCatalog();
    catalog.send(state, planPartialSync(state));
    state.updateTtl("c", "critical", "new", startMs);
    expect(planPartialSync(state)).toHaveLength(1);
  });
});

describe("what is forgotten", () => {
  test("a service takes its checks along; foreign rows go, consul and serfHealth stay", () => {
    const { state, catalog } = synced();
    const [web] = catalog.view.services as [NodeService];
    const [check] = catalog.view.checks as [HealthCheck, HealthCheck];
    catalog.view = {
      ...catalog.view,
      services: [...catalog.view.services, { ...web, ID: "consul" }, { ...web, ID: "stray" }],
      checks: [
        ...catalog.view.checks,
        { ...check, CheckID: "serfHealth", ServiceID: "" },
        { ...check, CheckID: "stray1", ServiceID: "stray" },
        { ...check, CheckID: "stray2", ServiceID: "web" },
      ],
    };
    state.deregisterService("web", startMs);
    const steps = planFullSync(state, catalog.view);
    expect(summary(steps)).toEqual([{ forgets: "web" }, { forgets: "stray" }]);
    catalog.send(state, steps);
    expect(planFullSync(state, catalog.view)).toEqual([]);
    expect(state.rows.removals.size).toBe(0);
  });

  test("a row that comes back before it was forgotten is sent, not removed", () => {
    const { state } = synced();
    state.deregisterService("web", startMs);
    putService(state, { Name: "web", Port: 1 });
    expect(summary(planPartialSync(state))).toEqual([
      { service: "web", checks: [], node: false },
      { forgets: "service:web:1" },
      { forgets: "service:web:2" },
    ]);
  });

  test("what the catalog does not hold need not be forgotten", () => {
    const state = newState();
    putService(state, { Name: "web" });
    state.deregisterService("web", startMs);
    expect(state.rows.removals.size).toBe(1);
    planFullSync(state, { node: null, services: [], checks: [] });
    expect(state.rows.removals.size).toBe(0);
  });
});

describe("differences", () => {
  test("edits of the catalog by others are undone, except tags that may be overridden", () => {
    const { state, catalog } = synced();
    const tagged = { ...catalog.view, services: catalog.view.services.map(retagged) };
    expect(summary(planFullSync(state, tagged))).toMatchObject([{ service: "web" }]);
    putService(state, { Name: "web", EnableTagOverride: true });
    catalog.send(state, planPartialSync(state));
    const overridden = { ...catalog.view, services: catalog.view.services.map(retagged) };
    expect(planFullSync(state, overridden)).toEqual([]);
    expect(state.rows.services.get("web")?.service.Tags).toEqual(["foreign"]);
  });

  test("a change made while a step is under way stays to be sent", () => {
    const { state } = synced();
    state.updateTtl("service:web:1", "passing", "", startMs);
    const [step] = planPartialSync(state) as [SyncStep];
    state.updateTtl("service:web:1", "warning", "", startMs);
    confirmStep(state, step);
    expect(planPartialSync(state)).toHaveLength(1);
  });

  test("registering the same again sends nothing", () => {
    const { state } = synced();
    putService(state, { Name: "web", Checks: [{ TTL: "60s" }, { TTL: "60s" }] });
    expect(planPartialSync(state)).toEqual([]);
  });

  test("equal hashes mean that there is nothing to send", () => {
    const { state, catalog } = synced();
    expect(localHash(state)).toBe(viewHash(catalog.view));
    state.updateTtl("service:web:1", "passing", "", startMs);
    expect(localHash(state)).not.toBe(viewHash(catalog.view));
    catalog.send(state, planPartialSync(state));
    expect(localHash(state)).toBe(viewHash(catalog.view));
    // As it comes over the wire: encoded, without fields that Go leaves out.
    const wire = JSON.parse(JSON.stringify(catalog.view)) as CatalogView;
    expect(localHash(state)).toBe(viewHash(wire));
  });
});

function retagged(service: NodeService): NodeService {
  return { ...service, Tags: ["foreign"] };
}
