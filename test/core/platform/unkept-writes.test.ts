import { expect, test } from "vitest";

import { UnkeptWrites } from "../../../durable/platform/unkept-writes.ts";

const never = (): Promise<void> => new Promise(() => undefined);

test("one instance that ends in mid-write is chance, two in a row are storage that keeps nothing", () => {
  const writes = new UnkeptWrites();
  expect(writes.constructed("a", 0)).toBe(false);
  writes.begin("a", never);
  expect(writes.constructed("a", 0)).toBe(false);
  writes.begin("a", never);
  expect(writes.constructed("a", 0)).toBe(true);
  // After its rest it has one try.
  expect(writes.constructed("a", 0)).toBe(false);
  writes.begin("a", never);
  writes.begin("b", never);
  expect(writes.constructed("b", 0)).toBe(false);
});

test("after a rest, the first write that is not kept brings the next", () => {
  const writes = new UnkeptWrites();
  for (const rests of [false, true, true, true]) {
    writes.begin("a", never);
    expect(writes.constructed("a", 0)).toBe(rests);
  }
});

test("what was kept between counts: only losses in a row do", async () => {
  const writes = new UnkeptWrites();
  for (let round = 0; round < 3; round++) {
    writes.begin("a", never);
    expect(writes.constructed("a", 0)).toBe(false);
    const kept = Promise.resolve();
    writes.begin("a", () => kept);
    await kept;
    await Promise.resolve();
  }
});

/** An instance loses a write; a small one after it finds room. */
async function loses(writes: UnkeptWrites, nowMs: number): Promise<boolean> {
  writes.begin("a", never);
  const rests = writes.constructed("a", nowMs);
  writes.begin("a", () => Promise.resolve());
  await Promise.resolve();
  await Promise.resolve();
  return rests;
}

test("small writes that are kept between many losses do not hide that storage is full", async () => {
  const writes = new UnkeptWrites();
  for (const rests of [false, false, false, false, true, true]) {
    expect(await loses(writes, 1_000)).toBe(rests);
  }
  // What was kept last is no loss, and one long after the others is chance again.
  expect(writes.constructed("a", 1_001)).toBe(false);
  expect(await loses(writes, 60_000)).toBe(false);
});

test("losses that are far apart are chance, however many", async () => {
  const writes = new UnkeptWrites();
  for (let round = 0; round < 20; round++) {
    expect(await loses(writes, round * 3_000)).toBe(false);
  }
});

test("an instance that went to sleep, or ended by itself, lost nothing", async () => {
  const writes = new UnkeptWrites();
  for (let round = 0; round < 3; round++) {
    writes.begin("a", never);
    writes.forget("a");
    expect(writes.constructed("a", 0)).toBe(false);
  }
  writes.begin("a", () => Promise.resolve());
  await Promise.resolve();
  await Promise.resolve();
  expect(writes.constructed("a", 0)).toBe(false);
});
