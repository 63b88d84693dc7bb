// Who is woken by what, and who sees what, of the overviews.

import { expect, test } from "vitest";
import { decodeEntry } from "../../../src/core/model/config-entry/decode.ts";
import { decodeBody } from "../../../src/core/model/decode.ts";
import { registrationSchema } from "../../../src/core/model/schemas.ts";
import type { Registration } from "../../../src/core/model/types.ts";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import type { ReadName } from "../../../src/core/state/reads.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { StateHarness } from "../../support/state-harness.ts";

const web = { Node: "a", Address: "10.0.0.1", Service: { Service: "web" } };
const api = {
  Node: "b",
  Address: "10.0.0.2",
  Service: { Service: "api" },
  Checks: [{ Name: "n" }, { Name: "s", ServiceID: "api" }],
};
const ingress = {
  Kind: "ingress-gateway",
  Name: "gw",
  Listeners: ["web", "api"].map((Name, at) => ({ Port: at + 1, Services: [{ Name }] })),
};

test("overviews hear of everything in the catalog, a node of what is on it", () => {
  const harness = new StateHarness();
  harness.register(web);
  harness.register(api);
  harness.run({ type: "config.set", ...decodeEntry(JSON.stringify(ingress)) });
  const reads = [
    ["ui.nodes", {}],
    ["ui.services", {}],
    ["ui.node", { node: "A" }],
    ["ui.node", { node: "b" }],
    ["ui.gateway-services-nodes", { gateway: "gw", domains: [] }],
  ] as const;
  const woken = (body: object) =>
    harness
      .wakers(reads, () => harness.register(body))
      .map(Number)
      .join("");
  expect(woken({ ...web, NodeMeta: { x: "y" } })).toBe("11101");
  expect(woken({ ...api, Checks: [{ Name: "n", Output: "changed" }] })).toBe("11011");
  expect(woken({ Node: "c", Address: "10.0.0.3" })).toBe("11000");
  expect(woken({ Node: "c", Address: "10.0.0.3", Service: { Service: "new" } })).toBe("11000");
});

/** Reads of one who may read node `b`, and services `api` and `gw`. */
function restricted(): (op: ReadName, args: object) => unknown {
  const allowed = new Set(["node b", "service api", "service gw"]);
  const sql = new NodeSql();
  const authorizers = {
    resolve: (_state: unknown, token = "") => ({
      authorizer: {
        unrestricted: token === "all",
        allows: (resource: string, segment: string) =>
          token === "all" || allowed.has(`${resource} ${segment}`),
        readsAll: () => false,
        allowsKeyTree: () => false,
      },
      ...{ id: token, bearer: token, topics: [] },
    }),
  };
  const machine = new StateMachine(sql, { datacenter: "dc1", authorizers });
  const commands: Command[] = [web, api, { ...web, Node: "b" }].map((body) => ({
    type: "catalog.register",
    registration: decodeBody(registrationSchema, JSON.stringify(body), "refuse") as Registration,
  }));
  commands.push({ type: "config.set", ...decodeEntry(JSON.stringify(ingress)) });
  for (const [at, command] of commands.entries()) {
    const entry = encodeCommand(machine.admit(command, { token: "all" }), 1);
    sql.transaction(() => machine.applyBatch([{ index: at + 1, command: entry }]));
  }
  return (op, args) => {
    const { body } = machine.read(op, args as never, { nowMs: 0 });
    return body === null ? null : JSON.parse(body);
  };
}

test("one sees nodes and services that one may read, and no others", () => {
  const read = restricted();
  const node = {
    Node: "b",
    Services: [{ Service: "api" }],
    Checks: [{ Name: "n" }, { Name: "s" }],
  };
  expect(read("ui.nodes", {})).toMatchObject([node]);
  expect(read("ui.node", { node: "b" })).toMatchObject(node);
  expect(read("ui.node", { node: "a" })).toBeNull();
  expect(read("ui.services", {})).toMatchObject([{ Name: "api", InstanceCount: 1 }]);
  const domains = ["consul."];
  expect(read("ui.gateway-services-nodes", { gateway: "gw", domains })).toMatchObject([
    { Name: "api", GatewayConfig: { Addresses: ["api.ingress.dc1.consul.:2"] } },
  ]);
  expect(() => read("ui.gateway-services-nodes", { gateway: "x", domains })).toThrow(
    "Permission denied",
  );
  expect(read("catalog.gateway-services", { gateway: "gw" })).toMatchObject([
    { Service: { Name: "api" } },
  ]);
  expect(() => read("catalog.gateway-services", { gateway: "x" })).toThrow("Permission denied");
  for (const op of ["health.ingress", "health.connect", "catalog.connect"] as const) {
    expect(read(op, { service: "web" })).toEqual([]);
  }
});

test("instances are counted by the worst of their own checks, their sidecar's and their node's", () => {
  const harness = new StateHarness();
  const instance = (Node: string, Status: string, more: object = {}) => ({
    ...{ Node, Address: "10.0.0.1", Service: { ID: `web-${Node}`, Service: "web" } },
    Checks: [{ CheckID: "c", Name: "c", ServiceID: `web-${Node}`, Status }],
    ...more,
  });
  harness.register(instance("a", "passing"));
  harness.register(instance("b", "warning"));
  harness.register(instance("c", "passing"));
  harness.register({
    ...{ Node: "c", Address: "10.0.0.1" },
    Service: {
      ...{ ID: "WEB-c-proxy", Service: "web-proxy", Kind: "connect-proxy", Port: 1 },
      Proxy: { DestinationServiceName: "web", DestinationServiceID: "web-c" },
    },
    Checks: [{ CheckID: "p", Name: "p", ServiceID: "WEB-c-proxy", Status: "critical" }],
  });
  harness.register(instance("d", "passing"));
  harness.register({
    ...{ Node: "d", Address: "10.0.0.1" },
    Check: { CheckID: "serfHealth", Name: "s", Status: "critical" },
  });
  harness.register(instance("e", "critical"));
  harness.register({
    ...{ Node: "e", Address: "10.0.0.1" },
    Check: { CheckID: "_node_maintenance", Name: "m", Status: "critical" },
  });
  const summary = (args: object) =>
    (harness.read("ui.services", args).value as { Name: string }[]).find(
      ({ Name }) => Name === "web",
    );
  expect(summary({ instances: true })).toMatchObject({
    InstanceCount: 5,
    InstancesPassing: 1,
    InstancesWarning: 1,
    InstancesCritical: 2,
    InstancesMaintenance: 1,
  });
  expect(Object.keys(summary({}) ?? {})).not.toContain("InstancesPassing");
});
