// How things are: against what discovery answers, and against each other.

import { describe, expect, test } from "vitest";

import { instanceState } from "../../../src/core/model/instance-state.ts";
import type { InstanceState } from "../../../src/core/model/instance-state.ts";
import { addressOf, instancesOf } from "../../../src/ui/model/instance.ts";
import type { HealthRow } from "../../../src/ui/model/instance.ts";
import {
  countStates,
  countsOf,
  serves,
  serviceState,
  summaryState,
} from "../../../src/ui/model/status.ts";
import { servers, verdict } from "../../../src/ui/model/verdict.ts";
import { causeOf, why } from "../../../src/ui/model/why.ts";

const check = (Status: string, CheckID = "c", ServiceID = "web-1") => ({
  ...{ Node: "n", CheckID, Name: CheckID, Status, ServiceID },
  ...{ Notes: "", Output: "", ServiceName: "web", ServiceTags: [], Definition: {} },
});

describe("an instance", () => {
  test.each<[string[], InstanceState]>([
    [[], "passing"],
    [["passing"], "passing"],
    [["passing", "warning"], "warning"],
    [["warning", "critical", "passing"], "critical"],
    [["unheard-of"], "critical"],
  ])("with checks %j is %s", (statuses, state) => {
    expect(instanceState(statuses.map((status) => check(status)))).toBe(state);
  });

  test("in maintenance is that, whatever else is wrong", () => {
    const checks = [check("critical"), check("critical", "_service_maintenance:web-1")];
    expect(instanceState(checks)).toBe("maintenance");
    expect(instanceState([check("critical", "_node_maintenance", "")])).toBe("maintenance");
    expect(instanceState([check("passing", "_node_maintenance", "")])).toBe("passing");
  });

  test("serves where DNS answers with it: unless a check is critical", () => {
    for (const status of ["passing", "warning", "critical"] as const) {
      expect(serves(status)).toBe(status !== "critical");
    }
    expect(serves("maintenance")).toBe(false);
  });
});

test.each([
  [[], "empty"],
  [["passing", "passing"], "passing"],
  [["passing", "warning"], "warning"],
  [["passing", "critical"], "degraded"],
  [["warning", "critical"], "degraded"],
  [["critical", "critical"], "down"],
  [["critical", "maintenance"], "down"],
  [["maintenance"], "maintenance"],
  [["maintenance", "passing"], "passing"],
] as const)("a service with instances %j is %s", (states, expected) => {
  expect(serviceState(countStates(states))).toBe(expected);
});

const summary = { InstanceCount: 2, ChecksPassing: 3, ChecksWarning: 0, ChecksCritical: 1 };

test("counts of checks do not say whether anything serves, counts of instances do", () => {
  expect([countsOf(summary), summaryState(summary)]).toEqual([null, "critical"]);
  const counted = { ...summary, InstancesPassing: 1, InstancesCritical: 1 };
  expect(summaryState(counted)).toBe("degraded");
  const none = { InstanceCount: 0, ChecksPassing: 0, ChecksWarning: 0, ChecksCritical: 0 };
  expect(summaryState(none)).toBe("empty");
  expect(verdict([counted, none])).toMatchObject({
    services: 2,
    countsInstances: true,
    byState: { degraded: 1, empty: 1, down: 0 },
  });
  expect(verdict([summary]).countsInstances).toBe(false);
});

describe("servers", () => {
  const row = (Node: string, Status: string, Address = "") => ({
    Node: { Node, Address: "127.0.0.1" },
    Service: { Address, Port: 8300 },
    Checks: [{ Status }],
  });
  const rows = [row("a", "passing", "127.0.0.2"), row("b", "critical"), row("c", "passing", "::1")];

  test.each([
    ["127.0.0.1:8300", "b"],
    ["127.0.0.2:8300", "a"],
    ["[::1]:8300", "c"],
    ["10.0.0.1:8300", "10.0.0.1:8300"],
    ["", ""],
  ])("the leader at %j is %j", (leader, name) => {
    expect(servers(leader, rows)).toEqual({ leader: name, well: 2, all: 3 });
  });
});

function row(id: string, checks: object[], more: object = {}): HealthRow {
  return {
    Node: { Node: "n", Address: "10.0.0.1" },
    Service: { ID: id, Service: "web", Address: "", Port: 80, Tags: null, Meta: null, ...more },
    Checks: checks,
  } as unknown as HealthRow;
}

describe("why", () => {
  const rows = [
    row("web-1", [check("critical", "http"), check("passing", "serf", "")], {
      Weights: { Passing: 5, Warning: 2 },
    }),
    row("web-2", [check("warning", "http", "web-2")], { Weights: { Passing: 5, Warning: 2 } }),
    row("web-3", []),
  ];
  const proxy = { Kind: "connect-proxy", Proxy: { DestinationServiceID: "web-3" } };
  const sidecars = [row("web-3-proxy", [check("critical", "proxy", "web-3-proxy")], proxy)];
  const [first, second, third] = instancesOf(rows, sidecars);
  const all = instancesOf(rows, sidecars);
  if (!first || !second || !third) throw new Error("there are three");

  test("the check that decides, and who else serves", () => {
    expect(why(first, all)).toMatchObject({
      ...{ state: "critical", isServed: false, isNodeWell: true, weight: null },
      ...{ others: 2, othersServing: 1 },
    });
    expect(why(first, all).deciding.map(({ check, of }) => [check.Name, of])).toEqual([
      ["http", "service"],
    ]);
  });

  test("a warning is served with its own weight", () => {
    expect(why(second, all)).toMatchObject({ isServed: true, weight: 2, state: "warning" });
  });

  test("a sidecar's check decides about what it stands before", () => {
    expect(why(third, all)).toMatchObject({ isServed: false, deciding: [{ of: "sidecar" }] });
  });

  test("clients connect to the service's address, or its node's", () => {
    expect(addressOf(first)).toBe("10.0.0.1:80");
    expect(addressOf({ address: "::1", port: 80 })).toBe("[::1]:80");
    expect(addressOf({ address: "10.0.0.1", port: 0 })).toBe("10.0.0.1");
  });
});

test.each([
  [
    'Get "http://10.0.0.3/": dial tcp 10.0.0.3:80: connect: connection refused',
    "connection refused",
  ],
  ["disk: 91 % full", "disk: 91 % full"],
  [
    "HTTP GET http://a/: 503 Service Unavailable Output: no",
    "HTTP GET http://a/: 503 Service Unavailable Output: no",
  ],
  ["", ""],
  ["a\nb", "a"],
  ["x".repeat(500), `${"x".repeat(120)}…`],
])("the output %j comes down to %j", (output, cause) => {
  expect(causeOf(output)).toBe(cause);
});
