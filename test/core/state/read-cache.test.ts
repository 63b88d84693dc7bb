import { expect, test } from "vitest";
import { ReadCache } from "../../../src/core/state/read-cache.ts";
import { catalogTopics } from "../../../src/core/state/tables/catalog/topics.ts";
import { kvTopics } from "../../../src/core/state/tables/kv/topics.ts";

const topics = { ...catalogTopics, ...kvTopics };

test("an answer is dropped when any of its topics is touched", () => {
  const cache = new ReadCache(100);
  cache.put("a", [topics.nodes, topics.checks], "body a");
  cache.put("b", [topics.prefix("dir/")], "body b");
  cache.invalidate([topics.services, topics.key("dir")]);
  expect([cache.get("a"), cache.get("b")]).toEqual(["body a", "body b"]);
  cache.invalidate([topics.checks]);
  cache.invalidate([topics.key("dir/x")]);
  expect([cache.get("a"), cache.get("b")]).toEqual([undefined, undefined]);
});

test("the oldest make room, and what is too large for all of it is not kept", () => {
  const cache = new ReadCache(10);
  cache.put("a", [topics.nodes], "12345");
  cache.put("b", [topics.nodes], "12345");
  cache.put("c", [topics.nodes], "123");
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([undefined, "12345", "123"]);
  cache.put("d", [topics.nodes], "12345678901");
  expect(cache.get("d")).toBeUndefined();
  expect(cache.get("b")).toBe("12345");
  cache.put("b", [topics.nodes], "1234567");
  expect([cache.get("b"), cache.get("c")]).toEqual(["1234567", "123"]);
  cache.clear();
  expect(cache.get("b")).toBeUndefined();
});
