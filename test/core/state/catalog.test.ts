import { describe, expect, test } from "vitest";
import type { Applied } from "../../../src/core/state/machine.ts";
import { StateHarness } from "../../support/state-harness.ts";

const idA = "aaaaaaaa-0000-1111-2222-000000000001";
const idB = "aaaaaaaa-0000-1111-2222-000000000002";
const idC = "aaaaaaaa-0000-1111-2222-000000000003";

const message = (applied: ReturnType<StateHarness["register"]>): string | null =>
  applied.outcome.ok ? null : applied.outcome.error.message;

const refusals: [body: object, text: string][] = [
  [{ Address: "1" }, "Must provide node"],
  [{ Node: "x" }, "Must provide address if SkipNodeUpdate is not set"],
  [{ Node: "x", Address: "1", ID: "zz" }, "Bad node ID: uuid string is wrong length"],
  [{ Node: "x", Address: "1", Service: { ID: "i" } }, "Must provide service name with ID"],
  [
    { Node: "x", Address: "1", Service: { Service: "s", Address: "::" } },
    "Invalid service address",
  ],
  [
    { Node: "x", Address: "1", Service: { Service: "s", Kind: "connect-proxy" } },
    "2 errors occurred:\n\t* Proxy.DestinationServiceName must be non-empty for Connect proxy services\n" +
      "\t* Port must be set for a Connect proxy\n\n",
  ],
  [
    { Node: "x", Address: "1", Service: { Service: "s", Kind: "mesh-gateway" } },
    "1 error occurred:\n\t* Port must be non-zero for a mesh-gateway\n\n",
  ],
];

const failures: [body: object, text: string][] = [
  [
    { Service: { Port: 1 } },
    "failed inserting service: failed inserting service: object missing primary index",
  ],
  [
    { Check: { Notes: "x" } },
    'failed inserting check: failed inserting check: object missing primary index on node "x"',
  ],
  [{ Check: { Node: "y", Name: "c" } }, 'check node "y" does not match node "x"'],
  [
    { Service: { Service: "s", Meta: { "a b": "c" } } },
    "failed inserting service: Invalid Service Meta for node x and serviceID s: " +
      "Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters",
  ],
  [
    { Service: { Service: "s", Meta: { "consul-x": "c" } } },
    "failed inserting service: Invalid Service Meta for node x and serviceID s: " +
      "Couldn't load metadata pair ('consul-x', 'c'): Key prefix 'consul-' is reserved for internal use",
  ],
];

describe("registering", () => {
  test.each(refusals)("%j is refused at once", (body, text) => {
    expect(() => new StateHarness().register(body)).toThrow(text);
  });

  test.each(failures)("%j fails when applied", (body, text) => {
    const harness = new StateHarness();
    expect(message(harness.register({ Node: "x", Address: "1", ...body }))).toBe(text);
    expect(harness.read("catalog.node", { node: "x" }).value).toBeNull();
  });

  test("leaving metadata out clears it, SkipNodeUpdate keeps the node as it is", () => {
    const harness = new StateHarness();
    harness.register({ Node: "n", Address: "1", NodeMeta: { a: "b" } });
    harness.register({ Node: "N", Address: "2", SkipNodeUpdate: true, Service: { Service: "s" } });
    expect(harness.read("catalog.node", { node: "n" }).value).toMatchObject({
      Node: { Node: "n", Address: "1", Meta: { a: "b" } },
      Services: { s: { Weights: { Passing: 1, Warning: 1 }, Tags: [] } },
    });
    harness.register({ Node: "n", Address: "1" });
    expect(harness.read("catalog.node", { node: "n" }).value).toMatchObject({
      Node: { Meta: null },
    });
  });

  test("a check without status is critical, and its type follows from its definition", () => {
    const harness = new StateHarness();
    const definition = { HTTP: "http://x", Interval: "5s" };
    harness.register({ Node: "n", Address: "1", Check: { Name: "c", Definition: definition } });
    expect(harness.read("health.node", { node: "n" }).value).toMatchObject([
      { CheckID: "c", Status: "critical", Type: "http", Definition: { Interval: "5s" } },
    ]);
  });

  test("an instance that changes its name leaves nothing under the old one", () => {
    const harness = new StateHarness();
    harness.register({ Node: "n", Address: "1", Service: { ID: "i", Service: "old" } });
    const woken = harness.wakers([["health.service", { service: "old" }]], () =>
      harness.register({ Node: "n", Address: "1", Service: { ID: "i", Service: "new" } }),
    );
    expect(woken).toEqual([true]);
    expect(harness.read("health.service", { service: "old" }).value).toEqual([]);
    expect(harness.read("health.service", { service: "new" }).value).toHaveLength(1);
    expect(harness.read("catalog.services", {}).value).toEqual({ new: [] });
  });
});

describe("node ids", () => {
  test("a known id under a new name renames the node, which loses what it had", () => {
    const harness = new StateHarness();
    const first = harness.register({ Node: "a", Address: "1", ID: idA, Service: { Service: "s" } });
    harness.register({ Node: "b", Address: "1", ID: idA.toUpperCase() });
    expect(harness.read("catalog.nodes", {}).value).toMatchObject([
      { Node: "b", CreateIndex: first.index },
    ]);
    expect(harness.read("catalog.services", {}).value).toEqual({});
  });

  test("a name belongs to the node that has it while the servers see it alive", () => {
    const harness = new StateHarness();
    const alive = (status: string): object => ({ CheckID: "serfHealth", Status: status });
    harness.register({ Node: "a", Address: "1", ID: idA });
    expect(message(harness.register({ Node: "A", Address: "1", ID: idB }))).toBeNull();
    harness.register({ Node: "a", Address: "9", ID: idB, Check: alive("passing") });
    expect(message(harness.register({ Node: "A", Address: "1", ID: idC }))).toBe(
      `failed inserting node: Error while renaming Node ID: "${idC}": ` +
        `Node name A is reserved by node ${idB} with name a (9)`,
    );
    harness.register({ Node: "a", Address: "9", ID: idB, Check: alive("critical") });
    expect(message(harness.register({ Node: "A", Address: "1", ID: idC }))).toBeNull();
  });

  test("a name without id may be taken by a new node, not by one that renames itself", () => {
    const harness = new StateHarness();
    const check = { CheckID: "serfHealth", Status: "passing" };
    harness.register({ Node: "a", Address: "1", Check: check });
    harness.register({ Node: "b", Address: "2", ID: idB });
    expect(message(harness.register({ Node: "a", Address: "3", ID: idB }))).toBe(
      `failed inserting node: Error while renaming Node ID: "${idB}" (3): ` +
        "Node name a is reserved by node  with name a (1)",
    );
    expect(message(harness.register({ Node: "a", Address: "3", ID: idC }))).toBeNull();
  });

  test("a node is found by the beginning of its id when that is unambiguous", () => {
    const harness = new StateHarness();
    harness.register({ Node: "a", Address: "1", ID: idA });
    const find = (node: string): unknown =>
      (harness.read("catalog.node", { node }).value as { Node: { Node: string } } | null)?.Node
        .Node;
    expect(find("AAAAAAAA-0000")).toBe("a");
    expect(find("aa")).toBe("a");
    expect(find("a")).toBe("a");
    harness.register({ Node: "b", Address: "1", ID: idB });
    expect(find("aaaaaaaa")).toBeUndefined();
    expect(find(idB)).toBe("b");
  });
});

describe("reading", () => {
  const fixture = (): StateHarness => {
    const harness = new StateHarness();
    const node = (name: string, status: string, extra: object = {}): void => {
      harness.register({
        Node: name,
        Address: `10.0.0.${name}`,
        NodeMeta: { zone: name === "2" ? "b" : "a" },
        Service: { Service: "Web", ID: "w", Tags: ["V1", `only-${name}`], Meta: { n: name } },
        Checks: [
          { CheckID: "own", ServiceID: "w", Status: status },
          { CheckID: "node", Status: "passing" },
        ],
        ...extra,
      });
    };
    for (const [name, status] of [
      ["1", "critical"],
      ["2", "passing"],
      ["3", "passing"],
      ["4", "passing"],
    ] as const) {
      node(name, status);
    }
    return harness;
  };
  const nodesOf = (value: unknown): string[] =>
    (value as { Node: { Node: string } | string }[]).map(({ Node: node }) =>
      typeof node === "string" ? node : node.Node,
    );
  const health = (harness: StateHarness, args: object): string[] =>
    nodesOf(harness.read("health.service", { service: "web", ...args }).value);

  test("names and tags match in any case, all of several tags, an empty tag nothing", () => {
    const harness = fixture();
    expect(health(harness, { tags: ["v1"] })).toEqual(["1", "2", "3", "4"]);
    expect(health(harness, { tags: ["v1", "ONLY-2"] })).toEqual(["2"]);
    expect(health(harness, { tags: [""] })).toEqual([]);
  });

  test("leaving out what fails puts the last one into the gap, as Consul does", () => {
    expect(health(fixture(), { passing: true })).toEqual(["4", "2", "3"]);
  });

  test("metadata and filters narrow lists down", () => {
    const harness = fixture();
    expect(health(harness, { meta: { zone: "b" } })).toEqual(["2"]);
    expect(
      health(harness, { filter: 'Service.Meta.n == "3" or Checks.Status == critical' }),
    ).toEqual(["1", "3"]);
    expect(nodesOf(harness.read("catalog.nodes", { filter: "Meta.zone == b" }).value)).toEqual([
      "2",
    ]);
    expect(nodesOf(harness.read("health.state", { state: "critical" }).value)).toEqual(["1"]);
    expect(() => health(harness, { filter: "Nope == 1" })).toThrow('Selector "Nope" is not valid');
  });

  test("an entry has the node's checks first, then the instance's", () => {
    const [entry] = fixture().read("health.service", { service: "web" }).value as [
      { Checks: { CheckID: string; ServiceName: string; ServiceTags: string[] }[] },
    ];
    expect(entry.Checks).toMatchObject([
      { CheckID: "node", ServiceTags: [] },
      { CheckID: "own", ServiceName: "Web", ServiceTags: ["V1", "only-1"] },
    ]);
  });

  test("Connect finds proxies by their destination, and native instances", () => {
    const harness = fixture();
    const proxy = { DestinationServiceName: "WEB" };
    harness.register({
      Node: "1",
      SkipNodeUpdate: true,
      Service: { Service: "web-proxy", Kind: "connect-proxy", Port: 1, Proxy: proxy },
    });
    harness.register({
      Node: "2",
      SkipNodeUpdate: true,
      Service: { Service: "native", Connect: { Native: true } },
    });
    const found = (service: string): unknown =>
      (harness.read("catalog.connect", { service }).value as { ServiceName: string }[]).map(
        ({ ServiceName: name }) => name,
      );
    expect(found("web")).toEqual(["web-proxy"]);
    expect(found("native")).toEqual(["native"]);
    expect(harness.read("health.connect", { service: "web", passing: true }).value).toHaveLength(1);
  });

  test("a service may be called like something of JavaScript's own", () => {
    const harness = new StateHarness();
    harness.register({ Node: "n", Address: "1", Service: { Service: "__proto__", Tags: ["t"] } });
    expect(JSON.stringify(harness.read("catalog.services", {}).value)).toBe('{"__proto__":["t"]}');
  });

  test("an answer that was kept is given up when what it shows changes", () => {
    const harness = fixture();
    const read = (): string[] => health(harness, { tags: ["v1"] });
    expect(read()).toHaveLength(4);
    harness.deregister({ Node: "4" });
    expect(read()).toHaveLength(3);
    harness.register({ Node: "1", Address: "9.9.9.9" });
    expect(harness.read("catalog.service", { service: "web" }).value).toMatchObject([
      { Address: "9.9.9.9", NodeMeta: null },
      {},
      {},
    ]);
  });
});

describe("whose an address is", () => {
  const harness = (): StateHarness => {
    const made = new StateHarness();
    made.register({
      Node: "b",
      Address: "10.0.0.1",
      Service: { Service: "Web", Address: "FE80:0:0::1" },
    });
    made.register({
      Node: "a",
      Address: "host.example.com",
      Service: { Service: "db", Address: "10.0.0.1" },
    });
    return made;
  };
  const owner = (made: StateHarness, address: string): unknown =>
    made.read("catalog.reverse", { address }).value;

  test("a node's before an instance's, in any spelling", () => {
    const made = harness();
    expect(owner(made, "10.0.0.1")).toEqual({ node: "b" });
    expect(owner(made, "fe80::1")).toEqual({ service: "Web" });
    expect(owner(made, "10.0.0.2")).toBeNull();
    expect(owner(made, "host.example.com")).toBeNull();
    made.register({ Node: "b", Address: "10.0.0.7" });
    expect(owner(made, "10.0.0.1")).toEqual({ service: "db" });
    made.deregister({ Node: "a" });
    expect(owner(made, "10.0.0.1")).toBeNull();
  });

  test("whoever asks is woken by a new owner, by one that goes, and by nothing else", () => {
    const made = harness();
    const wakes = (address: string, change: () => Applied): boolean =>
      made.wakes("catalog.reverse", { address }, change);
    const move = (address: string) => () => made.register({ Node: "b", Address: address });
    expect(wakes("10.0.0.7", move("10.0.0.7"))).toBe(true);
    expect(wakes("10.0.0.7", move("10.0.0.8"))).toBe(true);
    expect(wakes("10.0.0.1", move("10.0.0.9"))).toBe(false);
    const serve = (address: string) => () =>
      made.register({
        Node: "a",
        SkipNodeUpdate: true,
        Service: { Service: "x", Address: address },
      });
    expect(wakes("10.0.0.5", serve("10.0.0.5"))).toBe(true);
    expect(wakes("10.0.0.5", serve("10.0.0.6"))).toBe(true);
    expect(wakes("10.0.0.5", serve("10.0.0.7"))).toBe(false);
    expect(wakes("10.0.0.1", () => made.deregister({ Node: "a", ServiceID: "db" }))).toBe(true);
    expect(wakes("10.0.0.9", () => made.deregister({ Node: "b" }))).toBe(true);
  });

  test("it is found by index, however many there are", () => {
    const made = harness();
    for (const table of ["node", "service"]) {
      const plan = made.sql.exec<{ detail: string }>(
        `EXPLAIN QUERY PLAN SELECT * FROM ${table} WHERE address_key = ? ORDER BY 1`,
        "00",
      );
      expect(plan[0]?.detail).toContain(`USING INDEX ${table}_address`);
    }
  });
});

describe("weights that DNS cannot use become 1 and 1", () => {
  const cases: [passing: number, warning: number, kept: boolean][] = [
    [0, 0, false],
    [-1, 5, false],
    [5, -1, false],
    [70_000, 1, false],
    [3, 70_000, false],
    [3, 0, true],
    [65_535, 65_535, true],
  ];
  const wanted = (passing: number, warning: number, kept: boolean) =>
    kept ? { Passing: passing, Warning: warning } : { Passing: 1, Warning: 1 };

  test.each(cases)("%d and %d, by registration", (passing, warning, kept) => {
    const harness = new StateHarness();
    const weights = { Passing: passing, Warning: warning };
    harness.register({ Node: "n", Address: "a", Service: { Service: "s", Weights: weights } });
    expect(harness.read("catalog.service", { service: "s" }).value).toMatchObject([
      { ServiceWeights: wanted(passing, warning, kept) },
    ]);
  });

  test.each(cases)("%d and %d, by transaction", (passing, warning, kept) => {
    const harness = new StateHarness();
    harness.register({ Node: "n", Address: "a", Service: { Service: "s" } });
    const { Service: service } = (
      harness.read("health.service", { service: "s" }).value as { Service: object }[]
    )[0] as { Service: object };
    const weighted = { ...service, Weights: { Passing: passing, Warning: warning } };
    const set = { kind: "service", verb: "set", node: "n", index: "0", service: weighted };
    harness.run({ type: "txn", operations: [set as never] });
    expect(harness.read("catalog.service", { service: "s" }).value).toMatchObject([
      { ServiceWeights: wanted(passing, warning, kept) },
    ]);
  });
});
