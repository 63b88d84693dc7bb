// What a token may do with an agent, in Consul's words; and what an agent does about tokens while no server can be
// asked.

import { describe, expect, test } from "vitest";

import { Permissions, type PermissionParts } from "../../../src/api/permissions.ts";
import { RestrictedAgent } from "../../../src/api/restricted-agent.ts";
import { RuleAuthorizer } from "../../../src/core/acl/authorizer.ts";
import { parseRules } from "../../../src/core/acl/rules.ts";
import { LocalServices } from "../../../src/core/agent/local-services.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import type { LocalAgent } from "../../../src/ports/local-agent.ts";
import { newState, startMs } from "../agent/support.ts";

const nowMs = startMs;

/** An agent with a service `db` (id `db-1`, check `c1`) and a check `disk` of its node. */
function agent(): LocalAgent {
  const services = new LocalServices(newState(), () => nowMs);
  const plain = { replaceExistingChecks: false };
  services.registerService('{"ID":"db-1","Name":"db","Check":{"CheckID":"c1","TTL":"1m"}}', plain);
  services.registerCheck('{"ID":"disk","Name":"disk","TTL":"1m"}', {});
  const methods = ["join", "leave", "forceLeave", "reload", "setToken", "self", "host", "metrics"];
  const others = methods.map((name) => [name, () => Promise.resolve({})] as const);
  return new Proxy(Object.fromEntries(others) as unknown as LocalAgent, {
    get: (target, name) => {
      const own: unknown = Reflect.get(services, name);
      if (typeof own !== "function") return Reflect.get(target, name) as unknown;
      return (...args: unknown[]) =>
        Promise.resolve().then(() =>
          (own as (...given: unknown[]) => unknown).apply(services, args),
        );
    },
  });
}

function restricted(rules: string): RestrictedAgent {
  return new RestrictedAgent(agent(), new RuleAuthorizer(parseRules(rules), "deny"), "n1");
}

const missing = (what: string) => `Permission denied: Missing ${what}`;
const ttl = { ID: "x", Name: "x", TTL: "1m" };

type Call = (agent: RestrictedAgent) => Promise<unknown>;

const calls: [name: string, call: Call, enough: string, text: string][] = [
  ["self", (each) => each.self(), 'agent "n1" { policy = "read" }', "Permission denied"],
  ["metrics", (each) => each.metrics(), 'agent "n1" { policy = "read" }', "Permission denied"],
  ["host", (each) => each.host(), 'operator = "read"', "Permission denied"],
  ["reload", (each) => each.reload(), 'agent "n1" { policy = "write" }', "Permission denied"],
  ["leave", (each) => each.leave(), 'agent_prefix "" { policy = "write" }', "Permission denied"],
  [
    "join",
    (each) => each.join("a", { wan: false }),
    'agent "n1" { policy = "write" }',
    "Permission denied",
  ],
  [
    "force-leave",
    (each) => each.forceLeave("x", { prune: false }),
    'operator = "write"',
    "Permission denied",
  ],
  [
    "set a token",
    (each) => each.setToken("default", "{}"),
    'agent "n1" { policy = "write" }',
    "Permission denied",
  ],
  [
    "see a service",
    (each) => each.service("db-1"),
    'service "db" { policy = "read" }',
    "Permission denied",
  ],
  [
    "its health",
    (each) => each.serviceHealth("db-1"),
    'service "db" { policy = "read" }',
    "Permission denied",
  ],
  [
    "health by name",
    (each) => each.serviceHealthByName("no"),
    'service "no" { policy = "read" }',
    "Permission denied",
  ],
  [
    "register",
    (each) => each.registerService('{"Name":"web"}', { replaceExistingChecks: false }),
    'service "web" { policy = "write" }',
    missing("service:write on web"),
  ],
  [
    "take over an id",
    (each) => each.registerService('{"ID":"db-1","Name":"web"}', { replaceExistingChecks: false }),
    'service "web" { policy = "write" } service "db" { policy = "write" }',
    missing("service:write on web"),
  ],
  [
    "deregister",
    (each) => each.deregisterService("db-1"),
    'service "db" { policy = "write" }',
    missing("service:write on db"),
  ],
  [
    "a check of the node",
    (each) => each.registerCheck(JSON.stringify(ttl), {}),
    'node "n1" { policy = "write" }',
    missing("node:write on n1"),
  ],
  [
    "a check of a service",
    (each) => each.registerCheck(JSON.stringify({ ...ttl, ServiceID: "db-1" }), {}),
    'service "db" { policy = "write" }',
    missing("service:write on db"),
  ],
  [
    "update a check",
    (each) => each.updateCheck("c1", "passing", ""),
    'service "db" { policy = "write" }',
    missing("service:write on db"),
  ],
  [
    "drop a check",
    (each) => each.deregisterCheck("disk"),
    'node "n1" { policy = "write" }',
    missing("node:write on n1"),
  ],
  [
    "maintenance",
    (each) => each.nodeMaintenance({ enable: true, reason: "" }),
    'node "n1" { policy = "write" }',
    "Permission denied",
  ],
];

test.each(calls)("%s", async (_name, call, enough, text) => {
  await expect(call(restricted(""))).rejects.toThrow(new ServiceError("permission-denied", text));
  await call(restricted(enough));
});

test("what there is not is refused, too", async () => {
  const all = restricted(
    'service_prefix "" { policy = "write" } node_prefix "" { policy = "write" }',
  );
  await expect(all.deregisterService("no")).rejects.toThrow('Unknown service {"no" {}}');
  await expect(all.deregisterCheck("no")).rejects.toThrow('Unknown check "no"');
  await expect(all.updateCheck("no", "passing", "")).rejects.toThrow('Unknown check "no"');
});

test("lists leave out what may not be seen", async () => {
  const names = async (rules: string): Promise<string[]> => {
    const seen = restricted(rules);
    const [services, checks] = await Promise.all([seen.services(), seen.checks()]);
    return [...services.map(({ ID }) => ID), ...checks.map(({ CheckID }) => CheckID)];
  };
  expect(await names("")).toEqual([]);
  expect(await names('service "db" { policy = "read" }')).toEqual(["db-1", "c1"]);
  expect(await names('node "n1" { policy = "read" }')).toEqual(["disk"]);
});

describe("while no server can be asked", () => {
  const body = JSON.stringify({
    ...{ enabled: true, isManagement: false, defaultPolicy: "deny", expiresMs: 0 },
    rules: parseRules('service "web" { policy = "read" }'),
  });

  function permissions(
    downPolicy: PermissionParts["downPolicy"],
    answer: { ageSeconds: number } | null,
  ): Permissions {
    const cache = { hit: true, ageSeconds: answer?.ageSeconds ?? 0, isCurrent: () => false };
    const read = () =>
      answer
        ? Promise.resolve({ index: 1, knownLeader: true, lastContactMs: 0, body, cache })
        : Promise.reject(new ServiceError("no-leader", "No cluster leader"));
    return new Permissions({ cluster: { read }, nowMs: () => nowMs, downPolicy, ttlMs: 30_000 });
  }

  async function may(parts: Permissions): Promise<boolean[]> {
    const authorizer = await parts.of("token");
    return ["web", "db"].map((name) => authorizer.allows("service", name, "read"));
  }

  test.each([
    ["extend-cache", 29, [true, false]],
    ["extend-cache", 3_600, [true, false]],
    ["async-cache", 3_600, [true, false]],
    ["deny", 29, [true, false]],
    ["deny", 31, [false, false]],
    ["allow", 29, [true, false]],
    ["allow", 31, [true, true]],
  ] as const)("%s, %i s after the last word", async (policy, ageSeconds, expected) => {
    expect(await may(permissions(policy, { ageSeconds }))).toEqual(expected);
  });

  test.each([
    ["extend-cache", [false, false]],
    ["deny", [false, false]],
    ["allow", [true, true]],
  ] as const)("%s, of a token that was never seen", async (policy, expected) => {
    expect(await may(permissions(policy, null))).toEqual(expected);
  });
});
