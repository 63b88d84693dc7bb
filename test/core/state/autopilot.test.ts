import { expect, test } from "vitest";
import { autopilotDefaults } from "../../../src/core/model/autopilot.ts";
import { StateHarness } from "../../support/state-harness.ts";

const initialize = { type: "autopilot.initialize", config: autopilotDefaults } as const;

test("the first leader's configuration stands, and every write has an index of its own", () => {
  const state = new StateHarness();
  expect(state.read("autopilot.config", {}).value).toBeNull();
  state.run(initialize);
  state.run({ ...initialize, config: { ...autopilotDefaults, MinQuorum: 9 } });
  expect(state.read("autopilot.config", {})).toMatchObject({
    index: 1,
    value: { MinQuorum: 0, LastContactThreshold: "200ms", CreateIndex: 1, ModifyIndex: 1 },
  });
  const config = { ...autopilotDefaults, MinQuorum: 3 };
  expect(state.run({ type: "autopilot.set", config, index: "" })).toBe(true);
  expect(state.run({ type: "autopilot.set", config, index: "" })).toBe(true);
  expect(state.read("autopilot.config", {})).toMatchObject({
    index: 4,
    value: { MinQuorum: 3, CreateIndex: 1, ModifyIndex: 4 },
  });
});

test.each([
  ["1", true],
  ["0", false],
  ["2", false],
  ["18446744073709551615", false],
])("a write for index %s: %s", (index, written) => {
  const state = new StateHarness();
  state.run(initialize);
  const config = { ...autopilotDefaults, MinQuorum: 5 };
  expect(state.run({ type: "autopilot.set", config, index })).toBe(written);
  const { value } = state.read("autopilot.config", {}) as { value: { MinQuorum: number } };
  expect(value.MinQuorum).toBe(written ? 5 : 0);
});

test("index 0 means that there is none", () => {
  const state = new StateHarness();
  const set = { type: "autopilot.set", config: autopilotDefaults, index: "0" } as const;
  expect([state.run(set), state.run(set)]).toEqual([true, false]);
});

test("what is in the catalog is counted, servers and helpers apart", () => {
  const state = new StateHarness();
  const at = { Node: "n", Address: "10.0.0.1" };
  state.register({ ...at, Service: { Service: "consul" } });
  state.register({ ...at, Service: { ID: "w1", Service: "web", Tags: ['"x-gateway"'] } });
  state.register({ ...at, Service: { ID: "w2", Service: "web", Connect: { Native: true } } });
  state.register({
    ...at,
    Service: {
      ...{ ID: "p", Service: "web-proxy", Kind: "connect-proxy", Port: 1 },
      Proxy: { DestinationServiceName: "web" },
    },
  });
  state.register({ ...at, Service: { ID: "g", Service: "gate", Kind: "mesh-gateway", Port: 2 } });
  expect(state.read("catalog.usage", {}).value).toEqual({
    dc1: {
      Services: 4,
      ServiceInstances: 5,
      ConnectServiceInstances: {
        "connect-native": 1,
        "connect-proxy": 1,
        "ingress-gateway": 0,
        "mesh-gateway": 1,
        "terminating-gateway": 0,
      },
      BillableServiceInstances: 2,
      Nodes: 1,
    },
  });
});
