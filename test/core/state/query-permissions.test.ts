// Who may see and change prepared queries, and on whose behalf they are executed, as in Consul 1.8.7.

import { expect, test } from "vitest";
import { decodeBody } from "../../../src/core/model/decode.ts";
import { preparedQuerySchema, type PreparedQuery } from "../../../src/core/model/prepared-query.ts";
import type {
  Authorizer,
  AuthorizerSource,
  Principal,
} from "../../../src/core/state/authorizer.ts";
import { type Command, encodeCommand } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import type { ReadArguments, ReadName } from "../../../src/core/state/reads.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";

/** What each token is allowed, as `resource:prefix:access`. */
const rules: Record<string, readonly string[]> = {
  manager: ["acl::write", "query::write", "service::read", "node::read", "session::write"],
  reader: ["query:a:read"],
  writer: ["query:a:read", "query:a:write"],
  discoverer: ["service::read", "node::read"],
  "": [],
};

const source: AuthorizerSource = {
  resolve: (_state, token = ""): Principal => {
    const allowed = rules[token];
    if (!allowed) throw new ServiceError("permission-denied", "ACL not found");
    const allows: Authorizer["allows"] = (resource, segment, access) =>
      allowed.some((rule) => {
        const [kind, prefix = "", level] = rule.split(":");
        return kind === resource && segment.startsWith(prefix) && level === access;
      });
    const authorizer: Authorizer = {
      unrestricted: false,
      allows,
      readsAll: () => false,
      allowsKeyTree: () => false,
    };
    return { authorizer, id: token, bearer: token, topics: [] };
  },
};

class Guarded {
  readonly #sql = new NodeSql();
  readonly #machine = new StateMachine(this.#sql, { datacenter: "dc1", authorizers: source });

  run(command: Command, token: string): void {
    const admitted = this.#machine.admit(command, { token });
    const entry = { index: this.#machine.appliedIndex + 1, command: encodeCommand(admitted, 1) };
    const [applied] = this.#sql.transaction(() => this.#machine.applyBatch([entry]));
    if (!applied?.outcome.ok) throw new Error(JSON.stringify(applied?.outcome));
  }

  read<Op extends ReadName>(op: Op, args: ReadArguments[Op], token: string): unknown {
    return JSON.parse(this.#machine.read(op, args as never, { nowMs: 0, token }).body ?? "null");
  }
}

const idOf = (n: number): string => `0000000a-0000-0000-0000-${String(n).padStart(12, "0")}`;

function write(type: "query.create" | "query.update", n: number, given: object): Command {
  const body = JSON.stringify({ Service: { Service: "web" }, ...given });
  const query = decodeBody(preparedQuerySchema, body, "refuse") as PreparedQuery;
  return { type, id: idOf(n), query };
}

const session = "0000000b-0000-0000-0000-000000000001";

function withQueries(): Guarded {
  const state = new Guarded();
  const Service = { Service: "web", ID: "web", Tags: null, Address: "", Meta: null, Port: 0 };
  const registration = { Node: "n", Address: "10.0.0.1", Service };
  rules.registrar = ["node::write", "service::write"];
  state.run({ type: "catalog.register", registration } as unknown as Command, "registrar");
  state.run(
    {
      type: "session.create",
      session: { ID: session, Node: "n", Behavior: "release", TTL: "", LockDelay: 0 },
    } as unknown as Command,
    "manager",
  );
  state.run(write("query.create", 1, { Name: "a1", Token: "discoverer" }), "writer");
  state.run(write("query.create", 2, { Name: "b1" }), "manager");
  // Whoever has no name to be permitted needs none.
  state.run(write("query.create", 3, { Session: session, Token: "discoverer" }), "");
  return state;
}

const denied = "Permission denied";

test("writing needs permission for the name that a query has and the one it shall have", () => {
  const state = withQueries();
  const refused = (command: Command, token: string, text = denied): void =>
    expect(() => state.run(command, token)).toThrow(text);
  refused(write("query.create", 9, { Name: "a2" }), "reader");
  refused(write("query.create", 9, { Name: "b2" }), "writer");
  refused(write("query.create", 9, { Name: "a2" }), "nobody", "ACL not found");
  const everything = { Name: "", Template: { Type: "name_prefix_match" } };
  refused(write("query.create", 9, everything), "writer");
  refused(write("query.update", 1, { Name: "b2" }), "writer");
  refused(write("query.update", 2, { Name: "a2" }), "writer");
  refused({ type: "query.delete", id: idOf(1) }, "reader");
  refused({ type: "query.delete", id: idOf(2) }, "writer");
  state.run(write("query.update", 1, { Name: "a3" }), "writer");
  state.run({ type: "query.delete", id: idOf(1) }, "writer");
  state.run({ type: "query.delete", id: idOf(3) }, "");
});

test("a token is shown to who manages ACLs only", () => {
  const state = withQueries();
  const listed = (token: string) =>
    (state.read("query.list", {}, token) as PreparedQuery[]).map(({ Name, Token }) => [
      Name,
      Token,
    ]);
  expect(listed("manager")).toEqual([
    ["a1", "discoverer"],
    ["b1", ""],
    ["", "discoverer"],
  ]);
  expect(listed("reader")).toEqual([["a1", "<hidden>"]]);
  expect(listed("")).toEqual([]);
  const tokenOf = (n: number, token: string): string | undefined =>
    (state.read("query.get", { id: idOf(n) }, token) as PreparedQuery[])[0]?.Token;
  expect([tokenOf(1, "manager"), tokenOf(1, "reader"), tokenOf(3, "")]).toEqual([
    "discoverer",
    "<hidden>",
    "<hidden>",
  ]);
  expect(() => tokenOf(2, "reader")).toThrow(denied);
  const explained = (query: string, token: string): string =>
    (state.read("query.explain", { query }, token) as { Query: PreparedQuery }).Query.Token;
  expect([explained("a1", "manager"), explained("a1", "reader")]).toEqual([
    "discoverer",
    "<hidden>",
  ]);
  expect(() => explained("b1", "reader")).toThrow(denied);
  expect(() => explained(idOf(3), "")).toThrow(denied);
});

test("a query is executed with its own token, else with that of who asks", () => {
  const state = withQueries();
  const found = (query: string, token: string): number => {
    const args = { query, seed: 0, agent: "", ip: "" };
    return (state.read("query.execute", args, token) as { Nodes: object[] }).Nodes.length;
  };
  expect([found("a1", ""), found(idOf(3), "")]).toEqual([1, 1]);
  expect([found("b1", ""), found("b1", "discoverer")]).toEqual([0, 1]);
  state.run(write("query.create", 9, { Name: "bad", Token: "nobody" }), "manager");
  expect(() => found("bad", "manager")).toThrow("ACL not found");
});
