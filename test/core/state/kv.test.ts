import { describe, expect, test } from "vitest";
import { StateHarness } from "../../support/state-harness.ts";

const write = { value: "bmV3", flags: "0" };

describe("locks", () => {
  const locked = (): { harness: StateHarness; id: string; other: string } => {
    const harness = new StateHarness();
    harness.register({ Node: "n", Address: "1" });
    const id = harness.createSession("n", { NodeChecks: [] });
    const other = harness.createSession("n", { NodeChecks: [] });
    harness.run({ type: "kv.lock", key: "l", ...write, session: id });
    return { harness, id, other };
  };
  const entry = (harness: StateHarness): unknown =>
    (harness.read("kv.get", { key: "l" }).value as unknown[])[0];

  test("the same holder may lock again, another may not", () => {
    const { harness, id, other } = locked();
    const lock = { type: "kv.lock", key: "l", value: "Mg==", flags: "7" } as const;
    expect(harness.run({ ...lock, session: other })).toBe(false);
    expect(harness.run({ ...lock, session: id })).toBe(true);
    expect(entry(harness)).toMatchObject({ LockIndex: 1, Session: id, Value: "Mg==", Flags: 7 });
  });

  test("releasing writes the value, keeps LockIndex, and the next lock raises it", () => {
    const { harness, id, other } = locked();
    const unlock = { type: "kv.unlock", key: "l", value: "Mw==", flags: "0" } as const;
    expect(harness.run({ ...unlock, session: other })).toBe(false);
    expect(harness.run({ ...unlock, session: id })).toBe(true);
    expect(entry(harness)).toMatchObject({ LockIndex: 1, Value: "Mw==" });
    expect(entry(harness)).not.toHaveProperty("Session");
    harness.run({ type: "kv.lock", key: "l", ...write, session: other });
    expect(entry(harness)).toMatchObject({ LockIndex: 2, Session: other });
  });

  test("a plain write keeps the holder and resets LockIndex", () => {
    const { harness, id } = locked();
    harness.set("l", "eA==");
    expect(entry(harness)).toMatchObject({ LockIndex: 0, Session: id, Value: "eA==" });
  });

  test("an unknown session is an error for locking, a plain no for releasing", () => {
    const { harness } = locked();
    const session = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
    expect(() => harness.run({ type: "kv.lock", key: "l", ...write, session })).toThrow(
      `invalid session "${session}"`,
    );
    expect(harness.run({ type: "kv.unlock", key: "l", ...write, session })).toBe(false);
  });
});

describe("compare and set", () => {
  test.each([
    ["0", "absent", true],
    ["5", "absent", false],
    ["0", "present", false],
    ["1", "present", true],
    ["2", "present", false],
    ["18446744073709551615", "present", false],
  ])("index %s on a key that is %s: %s", (index, presence, won) => {
    const harness = new StateHarness();
    if (presence === "present") harness.set("k");
    expect(harness.run({ type: "kv.cas", key: "k", ...write, index })).toBe(won);
  });

  test("one that changes nothing wins and bumps nothing", () => {
    const harness = new StateHarness();
    harness.set("k", write.value);
    expect(harness.run({ type: "kv.cas", key: "k", ...write, index: "1" })).toBe(true);
    expect(harness.index("kv.get", { key: "k" })).toBe(1);
  });
});

test("keys are sorted by bytes, prefixes are plain text, any character may be in one", () => {
  const harness = new StateHarness();
  const keys = [
    "a",
    "a\u0000b",
    "a/",
    "a/b",
    "aé",
    "a\uffee",
    "a\u{1f600}",
    "a\u{10ffff}z",
    "b",
    "\ud7ffx",
  ];
  for (const key of keys.toReversed()) harness.set(key);
  expect(harness.read("kv.keys", { prefix: "" }).value).toEqual(keys);
  expect(harness.read("kv.keys", { prefix: "a" }).value).toEqual(keys.slice(0, 8));
  expect(harness.read("kv.keys", { prefix: "a\u{10ffff}" }).value).toEqual(["a\u{10ffff}z"]);
  expect(harness.read("kv.keys", { prefix: "\ud7ff" }).value).toEqual(["\ud7ffx"]);
  harness.run({ type: "kv.delete-tree", prefix: "a" });
  expect(harness.read("kv.keys", { prefix: "" }).value).toEqual(["b", "\ud7ffx"]);
});
