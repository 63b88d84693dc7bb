// The log's tail in memory: what it keeps, what it gives back to storage, and what it hands out.

import { expect, test } from "vitest";
import { RaftLog } from "../../../src/core/raft/log.ts";
import { DiskImage } from "../../sim/disk.ts";
import { ToyMachine } from "../../sim/toy-machine.ts";

const bytes = 64 * 1024;

function entry(index: number, term = 1) {
  return { index, term, kind: "noop" as const, data: new Uint8Array(bytes) };
}

function persist(log: RaftLog, disk: DiskImage): void {
  const { truncateFrom, entries } = log.takeUnhanded();
  if (truncateFrom !== null) disk.log.length = truncateFrom - 1;
  disk.log.push(...entries);
  log.acknowledge();
}

function filled(count: number): { log: RaftLog; disk: DiskImage } {
  const disk = new DiskImage(new ToyMachine());
  const log = new RaftLog(disk, 0, 0);
  for (let index = 1; index <= count; index += 1) log.append(entry(index));
  return { log, disk };
}

test("recent entries are served from memory, older ones from storage, seamlessly", () => {
  const { log, disk } = filled(200);
  log.commitIndex = 200;
  log.appliedIndex = 200;
  persist(log, disk);
  let asked = 0;
  const read = disk.entries.bind(disk);
  disk.entries = (...range) => {
    asked += 1;
    return read(...range);
  };
  expect(log.slice(190, 201, 1 << 30)).toHaveLength(11);
  expect(asked).toBe(0);
  const found: number[] = [];
  while (found.length < 200) {
    found.push(...log.slice(found.length + 1, 201, 1 << 20).map(({ index }) => index));
  }
  expect(asked).toBeGreaterThan(0);
  expect(found).toEqual(Array.from({ length: 200 }, (_, position) => position + 1));
});

test("entries that are not applied stay in memory whatever their size", () => {
  const { log, disk } = filled(100);
  persist(log, disk);
  disk.entries = () => expect.fail("storage is not read");
  expect(log.slice(1, 101, 1 << 30)).toHaveLength(100);
});

test("a slice holds what fits, and at least one entry", () => {
  const { log } = filled(5);
  expect(log.slice(1, 6, 1)).toHaveLength(1);
  expect(log.slice(1, 6, 3 * bytes)).toHaveLength(2);
  expect(log.slice(6, 9, 1)).toEqual([]);
});

test("a conflict is handed out once, with what replaces it", () => {
  const { log, disk } = filled(5);
  persist(log, disk);
  expect(log.merge([entry(3), entry(4, 2), entry(5, 2)])).toBe(4);
  const { truncateFrom, entries } = log.takeUnhanded();
  expect([truncateFrom, entries.map(({ index }) => index)]).toEqual([4, [4, 5]]);
  disk.log.length = 3;
  disk.log.push(...entries);
  log.acknowledge();
  expect(log.takeUnhanded()).toEqual({ truncateFrom: null, entries: [] });
  expect([log.lastIndex, log.lastTerm, log.term(3), log.term(6)]).toEqual([5, 2, 1, undefined]);
});

test("what was never handed out is replaced without a trace", () => {
  const { log } = filled(5);
  log.merge([entry(2, 2)]);
  expect(log.takeUnhanded()).toMatchObject({ truncateFrom: null, entries: { length: 2 } });
});

test("a committed entry is never removed", () => {
  const { log } = filled(5);
  log.commitIndex = 3;
  expect(() => log.truncate(3)).toThrow("never removed");
});
