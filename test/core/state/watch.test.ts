import { expect, test } from "vitest";
import { catalogTopics } from "../../../src/core/state/tables/catalog/topics.ts";
import { kvTopics } from "../../../src/core/state/tables/kv/topics.ts";
import { WatchRegistry } from "../../../src/core/state/watch.ts";

const topics = { ...catalogTopics, ...kvTopics };

function registry(waiters: Record<string, string[]>): WatchRegistry<string> {
  const made = new WatchRegistry<string>();
  for (const [name, on] of Object.entries(waiters)) made.register(on, name);
  return made;
}

test("a topic wakes exactly those who wait for it", () => {
  const made = registry({
    a: [topics.nodes],
    b: [topics.services, topics.nodes],
    c: [topics.checks],
  });
  expect([...made.fire([topics.nodes])]).toEqual(["a", "b"]);
  expect([...made.fire([topics.nodes, topics.services])]).toEqual(["a", "b"]);
  expect([...made.fire([topics.node("x")])]).toEqual([]);
});

test("a waiter stays until it is removed, and may be removed twice", () => {
  const made = registry({ a: [topics.nodes] });
  made.fire([topics.nodes]);
  expect(made.size).toBe(1);
  made.remove("a");
  made.remove("a");
  expect(made.size).toBe(0);
  expect(made.fire([topics.nodes]).size).toBe(0);
});

test("registering again replaces the topics", () => {
  const made = registry({ a: [topics.nodes] });
  made.register([topics.checks], "a");
  expect(made.fire([topics.nodes]).size).toBe(0);
  expect(made.fire([topics.checks]).size).toBe(1);
});

test("a key wakes the prefixes above it, a tree everything inside it and above it", () => {
  const made = registry({
    root: [topics.prefix("")],
    dir: [topics.prefix("dir/")],
    deeper: [topics.prefix("dir/sub/")],
    beside: [topics.prefix("dirt")],
    key: [topics.key("dir/a")],
    other: [topics.key("dir")],
  });
  expect([...made.fire([topics.key("dir/a")])].toSorted()).toEqual(["dir", "key", "root"]);
  expect([...made.fire([topics.tree("dir/")])].toSorted()).toEqual([
    "deeper",
    "dir",
    "key",
    "root",
  ]);
  expect([...made.fire([topics.tree("")])].toSorted()).toEqual([
    "beside",
    "deeper",
    "dir",
    "key",
    "other",
    "root",
  ]);
  made.remove("deeper");
  made.remove("dir");
  expect([...made.fire([topics.key("dir/sub/x")])]).toEqual(["root"]);
});

test("all() names everybody once", () => {
  const made = registry({ a: [topics.nodes, topics.checks], b: [topics.key("k")] });
  expect([...made.all()]).toEqual(["a", "b"]);
});
