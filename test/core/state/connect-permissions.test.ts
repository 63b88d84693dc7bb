// Who may see and change intentions, and have certificates signed: as Consul 1.8.7 with ACLs and default deny.

import { beforeEach, expect, test } from "vitest";
import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { parseServiceName } from "../../../src/core/model/intention.ts";
import type { AuthorizerSource } from "../../../src/core/state/authorizer.ts";
import { encodeCommand } from "../../../src/core/state/commands.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import type { ReadName } from "../../../src/core/state/reads.ts";

/** Tokens name what they may, as `resource:segment:access`, with commas in between; none may everything. */
const authorizers: AuthorizerSource = {
  resolve: (_state, token) => ({
    authorizer: {
      unrestricted: token === undefined,
      allows: (...asked) => token === undefined || token.split(",").includes(asked.join(":")),
      readsAll: () => false,
      allowsKeyTree: () => false,
    },
    ...{ id: token ?? "", bearer: token ?? "", topics: [] },
  }),
};

const idOf = (n: number): string => `00000000-0000-0000-0000-00000000000${n}`;
const name = (text: string) => ({ ...(parseServiceName(text) ?? { ns: "", name: "" }) });
const denied = "Permission denied";

let machine: StateMachine;

function run(command: Command, token?: string): unknown {
  const admitted = machine.admit(command, token === undefined ? {} : { token });
  const entry = { index: machine.appliedIndex + 1, command: encodeCommand(admitted, 1) };
  const [applied] = machine.applyBatch([entry]);
  if (!applied) throw new Error("nothing was applied");
  if (!applied.outcome.ok) throw new Error(applied.outcome.error.message);
  return applied.outcome.value;
}

function read(op: ReadName, args: Record<string, never> | object, token: string): unknown {
  return JSON.parse(machine.read(op, args as never, { nowMs: 0, token }).body ?? "null");
}

function intentionOf(source: string, destination: string, ID = "") {
  return {
    ID,
    Description: "",
    SourceNS: "",
    SourceName: source,
    DestinationNS: "",
    DestinationName: destination,
    SourceType: "",
    Action: "allow",
    DefaultAddr: "",
    DefaultPort: 0,
    Meta: null,
  };
}

beforeEach(() => {
  machine = new StateMachine(new NodeSql(), { datacenter: "dc1", authorizers });
  run({ type: "intention.create", id: idOf(1), intention: intentionOf("web", "api") });
  run({ type: "intention.create", id: idOf(2), intention: intentionOf("app", "db") });
});

test("whoever may read either end sees an intention, and nobody else", () => {
  const seen = (token: string): string[] =>
    (read("intention.list", {}, token) as { ID: string }[]).map(({ ID }) => ID);
  expect(seen("intention:web:read")).toEqual([idOf(1)]);
  expect(seen("intention:db:read")).toEqual([idOf(2)]);
  expect(seen("service:db:read")).toEqual([]);
  expect(read("intention.get", { id: idOf(1) }, "intention:api:read")).toMatchObject({
    ID: idOf(1),
  });
  expect(() => read("intention.get", { id: idOf(1) }, "intention:db:read")).toThrow(denied);
  expect(() => read("intention.get", { id: idOf(9) }, "")).toThrow("Intention not found");
});

test("matching needs to read every name that is asked for, whichever end it is", () => {
  const match = (token: string) =>
    read("intention.match", { by: "source", names: { web: name("web"), "": name("") } }, token);
  expect(match("intention:web:read")).toMatchObject({ web: [{ ID: idOf(1) }] });
  expect(() => match("intention:api:read")).toThrow(denied);
});

test("checking needs to see the destination, judging to offer it", () => {
  const pair = { source: name("web"), destination: name("api") };
  expect(read("intention.check", pair, "service:api:read")).toEqual({ Allowed: true });
  expect(() => read("intention.check", pair, "intention:api:read")).toThrow(denied);
  const about = { target: name("api") };
  expect(read("intention.about", about, "service:api:write")).toHaveProperty("Intentions");
  expect(() => read("intention.about", about, "service:api:read")).toThrow(denied);
});

const write = "intention:api:write";
const refused: [command: Command, token: string, text: string][] = [
  [
    { type: "intention.create", id: idOf(3), intention: intentionOf("a", "zip", "x") },
    write,
    denied,
  ],
  [
    { type: "intention.create", id: idOf(3), intention: intentionOf("a", "api", "x") },
    write,
    "ID must be empty",
  ],
  [{ type: "intention.update", id: idOf(1), intention: intentionOf("web", "zip") }, write, denied],
  [{ type: "intention.update", id: idOf(2), intention: intentionOf("web", "api") }, write, denied],
  [{ type: "intention.update", id: idOf(9), intention: intentionOf("web", "zip") }, write, denied],
  [
    { type: "intention.update", id: idOf(9), intention: intentionOf("web", "api") },
    write,
    "Cannot modify non-existent intention",
  ],
  [{ type: "intention.upsert", id: idOf(3), intention: intentionOf("a", "db") }, write, denied],
  [{ type: "intention.delete", id: idOf(2) }, write, denied],
  [{ type: "intention.delete", id: idOf(9) }, "", "Cannot delete non-existent intention"],
  [{ type: "intention.delete-exact", source: name("app"), destination: name("db") }, write, denied],
  [{ type: "ca.issue", service: "web" }, "service:web:read", denied],
  [{ type: "ca.issue-agent", node: "n" }, "node:n:read", denied],
  [{ type: "ca.issue-agent", node: "n" }, "service:n:write", denied],
  [{ type: "ca.serial", count: 1 }, "operator::read", denied],
];

test.each(refused)("%j with %s is refused", (command, token, text) => {
  expect(() => run(command, token)).toThrow(text);
  expect(machine.appliedIndex).toBe(2);
});

test("the permission for the destination is enough to write", () => {
  run({ type: "intention.create", id: idOf(3), intention: intentionOf("a", "api") }, write);
  run({ type: "intention.update", id: idOf(3), intention: intentionOf("b", "api") }, write);
  expect(run({ type: "intention.delete", id: idOf(3) }, write)).toBe(true);
});
