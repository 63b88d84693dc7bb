import { expect, test } from "vitest";
import {
  completeIntention,
  intentionHash,
  parseServiceName,
  precedenceOf,
} from "../../../src/core/model/intention.ts";
import type { IntentionDefinition } from "../../../src/core/model/intention.ts";
import { StateHarness } from "../../support/state-harness.ts";

const blank: IntentionDefinition = {
  ID: "",
  Description: "",
  SourceNS: "",
  SourceName: "web",
  DestinationNS: "",
  DestinationName: "db",
  SourceType: "",
  Action: "allow",
  DefaultAddr: "",
  DefaultPort: 0,
  Meta: null,
};

const idOf = (n: number): string => `00000000-0000-0000-0000-${String(n).padStart(12, "0")}`;
const name = (text: string) => ({ ...(parseServiceName(text) ?? { ns: "", name: "" }) });

/** `a => b` in the given action. */
function keep(harness: StateHarness, id: number, pair: string, more: object = {}): unknown {
  const [source = "", destination = ""] = pair.split(" => ").map((text) => text);
  const [from, to] = [name(source), name(destination)];
  const intention = {
    ...blank,
    SourceNS: from.ns,
    SourceName: from.name,
    DestinationNS: to.ns,
    DestinationName: to.name,
    ...more,
  };
  return harness.run({ type: "intention.create", id: idOf(id), intention });
}

interface Seen {
  ID: string;
  SourceName: string;
  CreatedAt: string;
  UpdatedAt: string;
}

const ids = (value: unknown): number[] =>
  ((value ?? []) as Seen[]).map(({ ID }) => Number(ID.slice(-12)));

function harnessWithAll(): StateHarness {
  const harness = new StateHarness();
  const pairs = [
    "*/* => */*",
    "* => *",
    "web => *",
    "* => db",
    "web => db",
    "app => db",
    "web => api",
    "other/web => other/db",
  ];
  pairs.forEach((pair, at) => keep(harness, at + 1, pair));
  return harness;
}

test("the list goes from the most exact to the least, and by name where they are equal", () => {
  const { value, index } = harnessWithAll().read("intention.list", {});
  expect(ids(value)).toEqual([6, 7, 5, 8, 4, 3, 2, 1]);
  expect(index).toBe(8);
});

const matches: [by: "source" | "destination", name: string, found: number[]][] = [
  ["destination", "db", [6, 5, 4, 3, 2, 1]],
  ["destination", "api", [7, 3, 2, 1]],
  ["destination", "DB", [6, 5, 4, 3, 2, 1]],
  ["destination", "*", [3, 2, 1]],
  ["destination", "*/*", [1]],
  ["destination", "other/db", [8, 1]],
  ["destination", "/db", [1]],
  ["source", "web", [7, 5, 4, 3, 2, 1]],
  ["source", "app", [6, 4, 2, 1]],
  ["source", "nobody", [4, 2, 1]],
];

test.each(matches)("what matches %s %s", (by, text, found) => {
  const { value } = harnessWithAll().read("intention.match", { by, names: { [text]: name(text) } });
  expect(ids((value as Record<string, unknown>)[text])).toEqual(found);
});

test("a name that nothing matches is null, and names are sorted", () => {
  const { body } = new StateHarness().machine.read(
    "intention.match",
    { by: "source", names: { b: name("b"), a: name("a") } },
    { nowMs: 0 },
  );
  expect(body).toBe('{"a":null,"b":null}');
});

test("the most exact intention about both ends decides; without any, connections are allowed", () => {
  const harness = new StateHarness();
  const allowed = (source: string, destination: string): unknown =>
    harness.read("intention.check", { source: name(source), destination: name(destination) }).value;
  expect(allowed("web", "db")).toEqual({ Allowed: true });
  keep(harness, 1, "* => db", { Action: "deny" });
  keep(harness, 2, "web => db");
  keep(harness, 3, "web => *", { Action: "deny" });
  expect(allowed("web", "db")).toEqual({ Allowed: true });
  expect(allowed("app", "db")).toEqual({ Allowed: false });
  expect(allowed("web", "api")).toEqual({ Allowed: false });
  expect(allowed("app", "api")).toEqual({ Allowed: true });
  expect(allowed("other/web", "db")).toEqual({ Allowed: true });
});

test("a pair is one in any case, but the source of a connection is compared exactly", () => {
  const harness = new StateHarness();
  keep(harness, 1, "É => Db", { Action: "deny" });
  expect(() => keep(harness, 2, "é => DB")).toThrow("duplicate intention found: DENY default/É");
  const allowed = (source: string): unknown =>
    harness.read("intention.check", { source: name(source), destination: name("dB") }).value;
  expect(allowed("É")).toEqual({ Allowed: false });
  expect(allowed("é")).toEqual({ Allowed: true });
});

test("an update keeps id and time of creation; an equal pair elsewhere refuses it and changes nothing", () => {
  const harness = new StateHarness();
  harness.nowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 600);
  keep(harness, 1, "web => db");
  keep(harness, 2, "app => db");
  harness.nowMs += 1_400;
  const update = (SourceName: string): unknown =>
    harness.run({
      type: "intention.update",
      id: idOf(1).toUpperCase(),
      intention: { ...blank, SourceName, ID: idOf(9), Action: "deny" },
    });
  expect(() => update("app")).toThrow(
    `duplicate intention found: ALLOW default/app => default/db (ID: ${idOf(2)}, Precedence: 9)`,
  );
  expect(harness.index("intention.list", {})).toBe(2);
  update("front");
  expect(harness.read("intention.get", { id: idOf(1) }).value).toMatchObject({
    ID: idOf(1),
    SourceName: "front",
    Action: "deny",
    CreatedAt: "2026-01-02T03:04:05.6Z",
    UpdatedAt: "2026-01-02T03:04:07Z",
    CreateIndex: 1,
    ModifyIndex: 4,
  });
});

test("an upsert takes the id that its pair has", () => {
  const harness = new StateHarness();
  const upsert = (id: number, Action: string): unknown =>
    harness.run({ type: "intention.upsert", id: idOf(id), intention: { ...blank, Action } });
  upsert(1, "allow");
  upsert(2, "deny");
  const { value } = harness.read("intention.list", {});
  expect(value).toMatchObject([{ ID: idOf(1), Action: "deny", CreateIndex: 1, ModifyIndex: 2 }]);
  const pair = { source: name("web"), destination: name("db") };
  harness.run({ type: "intention.delete-exact", ...pair });
  expect(() => harness.read("intention.exact", pair)).toThrow("Intention not found");
  expect(harness.index("intention.list", {})).toBe(3);
  harness.run({ type: "intention.delete-exact", ...pair });
  expect(harness.index("intention.list", {})).toBe(3);
});

test("every change wakes all who wait for several, and those who wait for this one", () => {
  const harness = harnessWithAll();
  const exact = (source: string) => ({ source: name(source), destination: name("DB") });
  const reads = [
    ["intention.get", { id: idOf(1) }],
    ["intention.get", { id: idOf(5) }],
    ["intention.exact", exact("app")],
    ["intention.exact", exact("WEB")],
    ["intention.list", {}],
    ["intention.match", { by: "source", names: { zz: name("zz") } }],
    ["intention.about", { target: name("zz") }],
  ] as const;
  const remove = { type: "intention.delete", id: idOf(5) } as const;
  expect(harness.wakers(reads, () => harness.apply(remove))).toEqual([
    false,
    true,
    false,
    true,
    true,
    true,
    true,
  ]);
  expect(harness.index("intention.list", {})).toBe(9);
});

const precedences: [pair: string, precedence: number][] = [
  ["a => b", 9],
  ["* => b", 8],
  ["*/* => b", 7],
  ["a => *", 6],
  ["* => *", 5],
  ["*/* => *", 4],
  ["a => */*", 3],
  ["* => */*", 2],
  ["*/* => */*", 1],
];

test.each(precedences)("precedence of %s is %i", (pair, precedence) => {
  const [source = "", destination = ""] = pair.split(" => ");
  const [from, to] = [name(source), name(destination)];
  const ends = {
    SourceNS: from.ns,
    SourceName: from.name,
    DestinationNS: to.ns,
    DestinationName: to.name,
  };
  expect(precedenceOf({ ...blank, ...ends })).toBe(precedence);
});

const refusals: [what: string, given: Partial<IntentionDefinition>, problems: string[]][] = [
  [
    "nothing",
    { SourceName: "", DestinationName: "", Action: "" },
    [
      "SourceName must be set",
      "DestinationName must be set",
      "Action must be set to 'allow' or 'deny'",
    ],
  ],
  [
    "everything",
    {
      SourceNS: "*",
      SourceName: "we*",
      DestinationNS: "x*",
      DestinationName: "a*",
      Action: "ALLOW",
      SourceType: "k8s",
      Description: "é".repeat(257),
    },
    [
      "SourceName: wildcard character '*' cannot be used with partial values",
      "SourceName: exact value cannot follow wildcard namespace",
      "DestinationNS: wildcard character '*' cannot be used with partial values",
      "DestinationName: wildcard character '*' cannot be used with partial values",
      "Description exceeds maximum length 512",
      "Action must be set to 'allow' or 'deny'",
      "SourceType must be set to 'consul'",
    ],
  ],
  [
    "metadata",
    {
      Meta: {
        ...Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`k${at}`, ""])),
        ['"'.repeat(129)]: "v".repeat(513),
      },
    },
    [
      "Meta exceeds maximum element count 64",
      `Meta key "${'\\"'.repeat(129)}" exceeds maximum length 128`,
      `Meta value for key "${'\\"'.repeat(129)}" exceeds maximum length 512`,
    ],
  ],
];

test.each(refusals)("%s is refused, all at once", (_what, given, problems) => {
  const count = problems.length === 1 ? "1 error" : `${problems.length} errors`;
  const text = `${count} occurred:\n${problems.map((each) => `\t* ${each}\n`).join("")}\n`;
  expect(() => completeIntention({ ...blank, ...given })).toThrow(text);
});

test("what is just within the bounds is accepted", () => {
  const pairs = Array.from({ length: 63 }, (_, at) => [`k${at}`, ""]);
  const Meta = { ...Object.fromEntries(pairs), ["k".repeat(128)]: "v".repeat(512) };
  expect(() => completeIntention({ ...blank, Meta, Description: "é".repeat(256) })).not.toThrow();
});

/** As Consul 1.8.7 answered them. */
const hashes: [intention: Partial<IntentionDefinition>, hash: string][] = [
  [
    {
      ID: "37e2908e-df41-1779-0768-15e998b52dd0",
      SourceName: "aaa",
      DestinationName: "api",
      Action: "allow",
    },
    "s0ucLQNVm0H5H+N86vqg917PJ6DuWHiTCsWsPdF6AGA=",
  ],
  [
    {
      ID: "2c4b644f-2013-7ab8-ea04-53a08d3890be",
      SourceName: "*",
      DestinationName: "api",
      Action: "deny",
      Description: "hi",
      Meta: { b: "c", a: "d" },
    },
    "B01n4RoeP1ZbXCVABx1BJA546gTAyP7DnXDc+Ix1KHo=",
  ],
];

test.each(hashes)("the hash of %j", (given, hash) => {
  expect(intentionHash(completeIntention({ ...blank, ...given }))).toBe(hash);
});
