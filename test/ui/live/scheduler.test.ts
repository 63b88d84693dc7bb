// What is asked, when, and over how many connections, against an API and a clock that tests move.

import { beforeEach, describe, expect, test } from "vitest";

import type { Ask, Standing, ToPage } from "../../../src/ui/live/port.ts";
import { Scheduler } from "../../../src/ui/live/scheduler.ts";
import { Tab } from "../../../src/ui/live/tab.ts";
import { FakeApi, ok, refused } from "./fake-api.ts";

let api: FakeApi;
let scheduler: Scheduler;
const root = "http://agent/";

beforeEach(() => {
  api = new FakeApi();
  scheduler = new Scheduler(api);
});

interface Watched {
  standing: Standing;
  body: unknown;
  told: number;
  stop(): void;
}

function watch(path: string, more: Partial<Ask> = {}): Watched {
  const seen = { told: 0 } as Watched;
  const ask: Ask = { path, token: "", priority: 0, ...more };
  seen.stop = scheduler.watch(root, ask, ({ standing, body }) => {
    Object.assign(seen, { standing, body, told: seen.told + 1 });
  });
  return seen;
}

const asks = (path: string) => api.asked.filter((asked) => asked.path === path);

describe("one resource", () => {
  test("is read, waited for, and read again", async () => {
    api.set("a", 5, "one");
    const seen = watch("a");
    expect(seen.standing.phase).toBe("loading");
    await api.pass(1_000);
    expect([seen.body, seen.standing.phase]).toEqual(["one", "ready"]);
    api.set("a", 6, "two");
    await api.pass(1);
    expect(seen.body).toBe("two");
    await api.pass(60_000);
    expect(asks("a").map(({ index }) => index)).toEqual([null, "5", "6", "6"]);
    expect(asks("a")[1]?.waitMs).toBe(55_000);
  });

  test("whose index goes back, or is zero, is asked without one", async () => {
    api.set("a", 50, "one");
    const seen = watch("a");
    await api.pass(1_000);
    api.set("a", 7, "two");
    await api.pass(1_000);
    expect(seen.body).toBe("two");
    expect(asks("a").map(({ index }) => index)).toEqual([null, "50", null, "7"]);
    api.set("a", 0, "three");
    await api.pass(1_000);
    expect(seen.body).toBe("three");
    expect(asks("a").at(-1)?.index).toBe(null);
  });

  test("that changes all the time is read twice a second at most, and less if it goes on", async () => {
    let index = 1;
    api.instead = () => ok({ index }, ++index);
    watch("a");
    await api.pass(10_000);
    expect(api.asked.length).toBeLessThan(10);
    expect(api.asked.length).toBeGreaterThan(4);
  });

  test("whose index moves without a change tells nobody of another body", async () => {
    let index = 1;
    api.instead = () => ok("same", ++index);
    const seen = watch("a");
    await api.pass(1);
    const { body } = seen;
    await api.pass(5_000);
    expect(seen.body).toBe(body);
    expect(api.asked.length).toBeLessThan(13);
  });

  test("that cannot be waited for is polled", async () => {
    api.set("a", 0, "one");
    watch("a", { pollMs: 60_000 });
    await api.pass(130_000);
    expect(asks("a").map(({ index }) => index)).toEqual([null, null, null]);
  });
});

describe("a refusal", () => {
  test("by permission ends the asking, until somebody says so", async () => {
    api.instead = () => refused(403, "Permission denied\n");
    const seen = watch("a");
    await api.pass(600_000);
    expect(api.asked.length).toBe(1);
    expect(seen.standing).toMatchObject({
      phase: "denied",
      failure: { status: 403, text: "Permission denied" },
    });
    api.instead = null;
    api.set("a", 1, "one");
    scheduler.retry();
    await api.pass(1);
    expect([seen.standing.phase, seen.body]).toEqual(["ready", "one"]);
  });

  test("because there is none waits for one", async () => {
    const seen = watch("a");
    await api.pass(1);
    expect(seen.standing.phase).toBe("missing");
    api.set("a", 1, "one");
    await api.pass(6_000);
    expect(seen.body).toBe("one");
  });

  test("because there is too much is obeyed", async () => {
    api.instead = () => refused(429, "slow down", 20_000);
    watch("a");
    await api.pass(19_000);
    expect(api.asked.length).toBe(1);
    await api.pass(2_000);
    expect(api.asked.length).toBe(2);
  });
});

describe("no answer", () => {
  test("is tried again, ever more rarely, and what there was stays", async () => {
    api.set("a", 1, "one");
    const seen = watch("a");
    await api.pass(1_000);
    const { contactMs } = seen.standing;
    api.instead = () => new Error("connection refused");
    api.set("a", 2, "two");
    await api.pass(1_000);
    const before = api.asked.length;
    await api.pass(300_000);
    const rounds = api.asked.length - before;
    expect(rounds).toBeLessThan(30);
    expect(rounds).toBeGreaterThan(10);
    expect(seen.body).toBe("two");
    expect(seen.standing).toMatchObject({
      phase: "ready",
      failure: { status: 0, text: "connection refused" },
    });
    expect(seen.standing.failingMs).toBeGreaterThan(contactMs);
    api.instead = null;
    api.set("a", 3, "three");
    await api.pass(31_000);
    expect([seen.body, seen.standing.failure, seen.standing.failingMs]).toEqual(["three", null, 0]);
  });

  test("from the beginning is a failure, not a list that is empty", async () => {
    api.instead = () => refused(500, "No path to datacenter");
    const seen = watch("a");
    await api.pass(1);
    expect(seen.standing.phase).toBe("failed");
    expect(seen.body).toBeUndefined();
  });
});

describe("connections", () => {
  test("six tabs that look at the same need one", async () => {
    api.set("a", 1, "one");
    const tabs = Array.from({ length: 6 }, () => watch("a"));
    await api.pass(1_000);
    expect(tabs.map(({ body }) => body)).toEqual(Array.from({ length: 6 }, () => "one"));
    expect(api.openMax).toBe(1);
  });

  test("six tabs with three things each use five at most, and all of them see everything", async () => {
    const paths = Array.from({ length: 18 }, (_, at) => `p${at}`);
    for (const path of paths) api.set(path, 1, "one");
    const seen = paths.map((path) => watch(path));
    await api.pass(100);
    expect(seen.every(({ body }) => body === "one")).toBe(true);
    for (const path of paths) api.set(path, 2, "two");
    await api.pass(30_000);
    expect(seen.every(({ body }) => body === "two")).toBe(true);
    expect(api.openMax).toBeLessThanOrEqual(5);
  });

  test("what is new is answered while all others wait", async () => {
    for (const path of ["a", "b", "c", "d", "e"]) api.set(path, 1, path);
    for (const path of ["a", "b", "c", "d"]) watch(path);
    await api.pass(1_000);
    expect(api.open).toBe(4);
    const late = watch("e", { priority: 2 });
    await api.pass(1);
    expect(late.body).toBe("e");
  });

  test("whoever lets go ends the waiting", async () => {
    api.set("a", 1, "one");
    const seen = watch("a");
    await api.pass(1_000);
    expect(api.open).toBe(1);
    seen.stop();
    expect(api.open).toBe(0);
    await api.pass(600_000);
    expect(api.asked.length).toBe(2);
  });
});

describe("a tab", () => {
  let told: ToPage[];
  let tab: Tab;
  const rows = (...names: string[]) => names.map((Name) => ({ Name, Count: 1 }));
  const want = (path: string) => ({
    ...({ kind: "want", root } as const),
    asks: { x: { path, token: "", priority: 0, rowKey: "Name" } as const },
  });

  beforeEach(() => {
    told = [];
    tab = new Tab(scheduler, (message) => told.push(message));
  });

  test("is sent the rows that changed, and the order only where it did", async () => {
    api.set("a", 1, rows("a", "b"));
    tab.hear(want("a"), 0);
    await api.pass(1_000);
    expect(told.at(-1)?.patch).toEqual({
      kind: "rows",
      order: ["a", "b"],
      changed: rows("a", "b"),
    });
    api.set("a", 2, [{ Name: "a", Count: 2 }, ...rows("b")]);
    await api.pass(1);
    expect(told.at(-1)?.patch).toEqual({
      ...{ kind: "rows", order: null },
      changed: [{ Name: "a", Count: 2 }],
    });
    await api.pass(10_000);
    api.set("a", 3, rows("b"));
    await api.pass(1);
    expect(told.at(-1)?.patch).toEqual({ kind: "rows", order: ["b"], changed: [] });
  });

  test("is asked nothing for while nobody looks at it, and is told how it is on return", async () => {
    api.set("a", 1, rows("a"));
    tab.hear(want("a"), 0);
    await api.pass(1_000);
    tab.hear({ kind: "rest" }, 0);
    const { length } = api.asked;
    api.set("a", 2, rows("b"));
    await api.pass(600_000);
    expect([api.asked.length, api.open]).toEqual([length, 0]);
    tab.hear(want("a"), 0);
    await api.pass(1);
    expect(told.at(-1)?.patch).toMatchObject({ changed: rows("b") });
  });

  test("that goes to another datacenter is asked nothing of the one before", async () => {
    api.set("a?dc=1", 1, rows("a"));
    api.set("a?dc=2", 1, rows("z"));
    tab.hear(want("a?dc=1"), 0);
    await api.pass(1_000);
    tab.hear(want("a?dc=2"), 0);
    await api.pass(1_000);
    expect(told.at(-1)?.patch).toMatchObject({ changed: rows("z") });
    api.set("a?dc=1", 2, rows("b"));
    const { length } = told;
    await api.pass(10_000);
    expect(told.slice(length).every(({ patch }) => patch.kind === "same")).toBe(true);
    expect(asks("a?dc=1").length).toBe(2);
  });

  test("hears all rows again after they were refused in between", async () => {
    api.set("a", 1, rows("a"));
    tab.hear(want("a"), 0);
    await api.pass(1_000);
    api.instead = () => refused(403, "no");
    api.set("a", 2, rows("a"));
    await api.pass(60_000);
    expect(told.at(-1)?.standing.phase).toBe("denied");
    api.instead = null;
    tab.hear({ kind: "retry" }, 0);
    await api.pass(1_000);
    expect(told.at(-1)?.patch).toMatchObject({ order: ["a"], changed: rows("a") });
  });
});
