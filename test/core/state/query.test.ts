// Prepared queries in the state: names, templates, sessions, indexes, who is woken. Answers are Consul 1.8.7's.

import { expect, test } from "vitest";
import type { PreparedQuery } from "../../../src/core/model/prepared-query.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { create, explain, idOf, template, update, type Given } from "../../support/queries.ts";
import { StateHarness } from "../../support/state-harness.ts";

test("names are unique over queries and templates, in any case, and are no ids", () => {
  const harness = new StateHarness();
  harness.run(create(1, { Name: "Web" }));
  harness.run(create(2, template("geo-", {})));
  harness.run(create(3, template("", {})));
  const refused = (command: Command, text: string): void =>
    expect(() => harness.run(command)).toThrow(text);
  refused(create(4, { Name: "wEB" }), "name 'wEB' aliases an existing query name");
  refused(create(4, template("WEB", {})), "name 'WEB' aliases an existing query name");
  refused(create(4, { Name: "GEO-" }), "name 'GEO-' aliases an existing query name");
  refused(create(4, template("", {})), "a query template with an empty name already exists");
  refused(create(4, { Name: idOf(1) }), `name '${idOf(1)}' aliases an existing query ID`);
  refused(update(1, { Name: idOf(1) }), `name '${idOf(1)}' aliases an existing query ID`);
  refused(update(1, { Name: "geo-" }), "aliases an existing query name");
  refused(create(1, { Name: "other" }), "the id of a new prepared query is in use");
  harness.run(update(1, { Name: "WEB" }));
  harness.run({ type: "query.delete", id: idOf(1) });
  harness.run(create(4, { Name: "web" }));
});

test("what other commands may have changed is judged again in the log's order", () => {
  const harness = new StateHarness();
  harness.register({ Node: "a", Address: "10.0.0.1" });
  const session = harness.createSession("a", { NodeChecks: [], Checks: [] });
  harness.run(create(9, { Name: "old" }));
  const admitted = [
    create(1, { Name: "q" }),
    create(2, { Name: "q" }),
    create(1, { Name: "r" }),
    { type: "session.destroy", id: session } as const,
    create(3, { Session: session }),
    { type: "query.delete", id: idOf(9) } as const,
    update(9, { Name: "new" }),
    { type: "query.delete", id: idOf(9) } as const,
  ].map((command) => harness.machine.admit(command, {}));
  const texts = harness
    .applyAll(admitted)
    .map(({ outcome }) => (outcome.ok ? "" : outcome.error.message));
  expect(texts).toEqual([
    "",
    "name 'q' aliases an existing query name",
    "the id of a new prepared query is in use",
    "",
    `invalid session "${session}"`,
    "",
    `Cannot modify non-existent prepared query: '${idOf(9)}'`,
    "",
  ]);
});

test("a name means a query, or the template with the longest name that it starts with", () => {
  const harness = new StateHarness();
  harness.run(create(1, template("", { Service: "any" })));
  harness.run(create(2, template("a", { Service: "a" })));
  harness.run(create(3, template("ab", { Service: "ab" })));
  harness.run(create(4, template("abd", { Service: "abd" })));
  harness.run(create(5, { Name: "abx", Service: { Service: "exact" } }));
  harness.run(create(6, template("é\u{1F600}", { Service: "face" })));
  const cases: [name: string, service: string][] = [
    ["abcd", "ab"],
    ["ABDx", "abd"],
    ["abx", "exact"],
    ["abxy", "ab"],
    ["a", "a"],
    ["b", "any"],
    ["é\u{1F600}x", "face"],
    ["é\u{1F601}x", "any"],
    ["é", "any"],
    [idOf(99), "any"],
    [idOf(5), "exact"],
    [idOf(5).toUpperCase(), "exact"],
    ["x".repeat(10_000), "any"],
  ];
  for (const [name, service] of cases) expect(explain(harness, name).Service.Service).toBe(service);
  expect(() => explain(harness, idOf(2))).toThrow(
    "prepared query templates can only be resolved up by name, not by ID",
  );
  harness.run({ type: "query.delete", id: idOf(1) });
  expect(() => explain(harness, "b")).toThrow("Query not found");
  expect(() => explain(harness, "")).toThrow("Missing Query ID");
});

test("every text of a template's Service is interpolated, keys are not", () => {
  const harness = new StateHarness();
  const texts = {
    Service: "${name.full}|${name.prefix}|${agent.segment}",
    Near: "${name.suffix}",
    Tags: ["a", "", "${match(3)}", "!${match(1)}"],
    NodeMeta: { k: "${name.suffix}" },
    ServiceMeta: { "k${name.suffix}": "v${name.suffix}", __proto__x: "" },
    IgnoreCheckIDs: ["${name.suffix}"],
    Failover: { NearestN: 1, Datacenters: ["dc${match(2)}"] },
  };
  const Template = { Type: "name_prefix_match", Regexp: "^t-(.)(.)", RemoveEmptyTags: true };
  harness.run(create(1, { Name: "t-", Template, Service: texts }));
  expect(explain(harness, "t-abc").Service).toEqual({
    Service: "t-abc|t-|",
    Failover: { NearestN: 1, Datacenters: ["dcb"] },
    OnlyPassing: false,
    IgnoreCheckIDs: ["abc"],
    Near: "abc",
    Tags: ["a", "!a"],
    NodeMeta: { k: "abc" },
    ServiceMeta: { "k${name.suffix}": "vabc", __proto__x: "" },
    Connect: false,
  });
  // Names match in any case, but only the same spelling is cut off.
  expect(explain(harness, "T-abc").Service.Near).toBe("T-abc");
  const [stored] = harness.read("query.get", { id: idOf(1) }).value as [PreparedQuery];
  expect(stored.Service.Service).toBe(texts.Service);
});

test("a template that could never be used is refused", () => {
  const harness = new StateHarness();
  const refused = (given: Given, text: string): void =>
    expect(() => harness.run(create(1, given))).toThrow(`failed compiling template: ${text}`);
  refused({ Name: "x", Template: { Type: "bad" } }, "Bad Template.Type 'bad'");
  refused(template("x", {}, "("), "Bad Regexp: error parsing regexp: missing closing ): `(`");
  refused(
    template("x", { Tags: ["a", "${"] }),
    "Bad format '${' in Service.Tags[1]: parse error: syntax error",
  );
  refused(
    template("x", { NodeMeta: { k: "${x}" } }),
    "Bad evaluation for '${x}' in Service.NodeMeta[k]: 1:3: unknown variable accessed: x",
  );
  const long = "${name.full}".repeat(6_000);
  harness.run(create(1, template("x", { Service: long, Tags: Array<string>(20).fill(long) })));
  expect(() => explain(harness, `x${"y".repeat(9)}`)).toThrow("Rendered query is too long");
  expect(() => explain(harness, `x${"y".repeat(20)}`)).toThrow("text is too long");
});

test("a query needs a name or a session, which takes it along when it goes", () => {
  const harness = new StateHarness();
  harness.register({ Node: "a", Address: "10.0.0.1" });
  const session = harness.createSession("a", { NodeChecks: [], Checks: [] });
  const refused = (given: Given, text: string): void =>
    expect(() => harness.run(create(1, given))).toThrow(text);
  refused({}, "Invalid prepared query: Must be bound to a session");
  refused({ Session: "zzz" }, "invalid session: index error: UUID must be 36 characters");
  refused({ Session: idOf(9) }, `invalid session "${idOf(9)}"`);
  harness.run(create(1, { Session: session.toUpperCase() }));
  harness.run(create(2, { Name: "bound", Session: session }));
  harness.run(create(3, { Name: "free" }));
  const destroy: Command = { type: "session.destroy", id: session };
  const waiting = [
    ["query.get", { id: idOf(1) }],
    ["query.get", { id: idOf(3) }],
    ["query.list", {}],
  ] as const;
  expect(harness.wakers(waiting, () => harness.apply(destroy))).toEqual([true, false, true]);
  const left = harness.read("query.list", {});
  expect(left.index).toBe(harness.machine.appliedIndex);
  expect((left.value as PreparedQuery[]).map(({ Name }) => Name)).toEqual(["free"]);
});

test("lists and single queries carry the table's index, which every write moves", () => {
  const harness = new StateHarness();
  expect(harness.read("query.list", {})).toMatchObject({ index: 1, value: [] });
  harness.run(create(2, { Name: "b" }));
  harness.run(create(1, { Name: "a" }));
  harness.set("k");
  expect(harness.index("query.get", { id: idOf(2) })).toBe(2);
  const reads = [
    ["query.get", { id: idOf(1).toUpperCase() }],
    ["query.get", { id: idOf(2) }],
    ["query.list", {}],
    ["query.execute", { query: "b", seed: 0, agent: "", ip: "" }],
  ] as const;
  const same = update(1, { Name: "a" });
  expect(harness.wakers(reads, () => harness.apply(same))).toEqual([true, false, true, true]);
  expect(harness.wakers(reads, () => harness.set("k"))).toEqual([false, false, false, false]);
  const listed = harness.read("query.list", {}).value as { Name: string; CreateIndex: number }[];
  expect(listed.map((each) => [each.Name, each.CreateIndex])).toEqual([
    ["a", 2],
    ["b", 1],
  ]);
  const { value } = harness.read("query.get", { id: idOf(1) });
  expect(value).toMatchObject([{ CreateIndex: 2, ModifyIndex: 4 }]);
});

test("unknown and malformed ids are refused in Consul's words", () => {
  const harness = new StateHarness();
  const missing = `Cannot modify non-existent prepared query: '${idOf(1)}'`;
  expect(() => harness.run(update(1, { Name: "a" }))).toThrow(missing);
  expect(() => harness.run({ type: "query.delete", id: idOf(1) })).toThrow(missing);
  expect(() => harness.run({ type: "query.delete", id: "x" })).toThrow(
    "Prepared Query lookup failed: failed prepared query lookup: index error: UUID must be 36 characters",
  );
  expect(() => harness.read("query.get", { id: "x" })).toThrow(
    "failed prepared query lookup: index error: UUID must be 36 characters",
  );
  expect(() => harness.read("query.get", { id: idOf(1) })).toThrow("Query not found");
});

test("where empty tags are removed, none at all are an empty list", () => {
  const harness = new StateHarness();
  const Template = { Type: "name_prefix_match", RemoveEmptyTags: true };
  harness.run(create(1, { Name: "t-", Template }));
  harness.run(create(2, template("u-", {})));
  expect([explain(harness, "t-").Service.Tags, explain(harness, "u-").Service.Tags]).toEqual([
    [],
    null,
  ]);
});

test("a query writes its row and the one of the state", () => {
  const harness = new StateHarness();
  const before = harness.sql.rowsWritten;
  harness.run(create(1, { Name: "q" }));
  expect(harness.sql.rowsWritten - before).toBeLessThanOrEqual(3);
});
