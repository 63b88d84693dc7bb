import { expect, test } from "vitest";
import { type KeptAnswer, ReadCache } from "../../../src/core/state/read-cache.ts";
import { catalogTopics } from "../../../src/core/state/tables/catalog/topics.ts";
import { kvTopics } from "../../../src/core/state/tables/kv/topics.ts";

const answer = (body: string): KeptAnswer => ({ body });

const topics = { ...catalogTopics, ...kvTopics };

test("an answer is dropped when any of its topics is touched", () => {
  const cache = new ReadCache(10_000);
  cache.put("a", [topics.nodes, topics.checks], answer("body a"));
  cache.put("b", [topics.prefix("dir/")], answer("body b"));
  cache.invalidate([topics.services, topics.key("dir")]);
  expect([cache.get("a"), cache.get("b")]).toEqual([answer("body a"), answer("body b")]);
  cache.invalidate([topics.checks]);
  cache.invalidate([topics.key("dir/x")]);
  expect([cache.get("a"), cache.get("b")]).toEqual([undefined, undefined]);
});

test("the oldest make room, and what is too large for all of it is not kept", () => {
  const cache = new ReadCache(10_000);
  const body = (letter: string, length: number): KeptAnswer => answer(letter.repeat(length));
  cache.put("a", [topics.nodes], body("a", 4_000));
  cache.put("b", [topics.nodes], body("b", 4_000));
  cache.put("c", [topics.nodes], body("c", 3_000));
  expect([cache.get("a"), cache.get("b")]).toEqual([undefined, body("b", 4_000)]);
  expect(cache.get("c")).toEqual(body("c", 3_000));
  cache.put("d", [topics.nodes], body("d", 10_001));
  expect(cache.get("d")).toBeUndefined();
  expect(cache.get("b")).toEqual(body("b", 4_000));
  // Beyond Latin-1 a character takes two bytes.
  cache.put("d", [topics.nodes], body("ŧ", 5_001));
  expect(cache.get("d")).toBeUndefined();
  cache.put("b", [topics.nodes], body("b", 6_000));
  expect([cache.get("b"), cache.get("c")]).toEqual([body("b", 6_000), body("c", 3_000)]);
  cache.clear();
  expect(cache.get("b")).toBeUndefined();
});

test("many small answers with long questions are bounded too", () => {
  const cache = new ReadCache(100_000);
  const question = (at: number): string => `${"q".repeat(5_000)} ${at}`;
  for (let at = 0; at < 1_000; at += 1) cache.put(question(at), [topics.nodes], answer("[]"));
  const kept = Array.from({ length: 1_000 }, (_, at) => cache.get(question(at)) !== undefined);
  expect(kept.filter(Boolean).length).toBeLessThan(20);
  expect(kept.at(-1)).toBe(true);
});
