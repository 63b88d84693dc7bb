import { expect, test } from "vitest";

import { UnkeptWrites } from "../../../durable/platform/unkept-writes.ts";

const never = (): Promise<void> => new Promise(() => undefined);

test("one instance that ends in mid-write is chance, two in a row are storage that keeps nothing", () => {
  const writes = new UnkeptWrites();
  expect(writes.constructed("a")).toBe(false);
  writes.begin("a", never);
  expect(writes.constructed("a")).toBe(false);
  writes.begin("a", never);
  expect(writes.constructed("a")).toBe(true);
  // After its rest it has one try.
  expect(writes.constructed("a")).toBe(false);
  writes.begin("a", never);
  writes.begin("b", never);
  expect(writes.constructed("b")).toBe(false);
});

test("after a rest, the first write that is not kept brings the next", () => {
  const writes = new UnkeptWrites();
  for (const rests of [false, true, true, true]) {
    writes.begin("a", never);
    expect(writes.constructed("a")).toBe(rests);
  }
});

test("what was kept between counts: only losses in a row do", async () => {
  const writes = new UnkeptWrites();
  for (let round = 0; round < 3; round++) {
    writes.begin("a", never);
    expect(writes.constructed("a")).toBe(false);
    const kept = Promise.resolve();
    writes.begin("a", () => kept);
    await kept;
    await Promise.resolve();
  }
});

test("an instance that went to sleep, or ended by itself, lost nothing", async () => {
  const writes = new UnkeptWrites();
  for (let round = 0; round < 3; round++) {
    writes.begin("a", never);
    writes.forget("a");
    expect(writes.constructed("a")).toBe(false);
  }
  writes.begin("a", () => Promise.resolve());
  await Promise.resolve();
  await Promise.resolve();
  expect(writes.constructed("a")).toBe(false);
});
