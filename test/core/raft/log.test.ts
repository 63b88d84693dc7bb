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

test("entries that nobody applies leave memory once they are durable, and are read again", () => {
  const { log, disk } = filled(100);
  persist(log, disk);
  let fromStorage = 0;
  const read = disk.entries.bind(disk);
  disk.entries = (...range) => {
    const entries = read(...range);
    fromStorage += entries.length;
    return entries;
  };
  expect(log.slice(1, 101, 1 << 30).length).toBeLessThan(100);
  // 100 entries of 64 kB are more than the 4 MB that stay; about half of those do.
  expect(fromStorage).toBeGreaterThan(50);
  expect(fromStorage).toBeLessThan(80);
  for (let index = 101; index <= 1_000; index += 1) {
    log.append(entry(index));
    persist(log, disk);
  }
  fromStorage = 0;
  log.slice(1, 1_001, 1 << 30);
  expect(fromStorage).toBeGreaterThan(930);
});

test("entries that are not durable stay in memory whatever their size", () => {
  const { log, disk } = filled(100);
  disk.entries = () => expect.fail("storage is not read");
  expect(log.slice(1, 101, 1 << 30)).toHaveLength(100);
});

test("a conflicting term is skipped with few looks at the log", () => {
  const disk = new DiskImage(new ToyMachine());
  const log = new RaftLog(disk, 0, 0);
  for (let index = 1; index <= 9_000; index += 1) {
    log.append({ ...entry(index, index <= 1_000 ? 1 : 3), data: new Uint8Array(1_000) });
  }
  persist(log, disk);
  let looks = 0;
  const term = disk.term.bind(disk);
  disk.term = (index) => {
    looks += 1;
    return term(index);
  };
  expect(log.findAtMost(8_500, 2)).toEqual({ index: 1_000, term: 1 });
  expect(looks).toBeLessThan(20);
  expect(log.findAtMost(8_500, 3)).toEqual({ index: 8_500, term: 3 });
  expect(log.findAtMost(20_000, 9)).toEqual({ index: 9_000, term: 3 });
  expect(log.findAtMost(1_000, 2)).toEqual({ index: 1_000, term: 1 });
  expect(log.findAtMost(500, 0)).toEqual({ index: 0, term: 0 });
});

test("what is compacted away has no term to agree on", () => {
  const { log } = filled(0);
  log.reset({ index: 10, term: 4, configuration: { index: 1, configuration: { members: [] } } });
  for (let index = 11; index <= 20; index += 1) log.append(entry(index, index < 15 ? 4 : 6));
  expect(log.findAtMost(20, 5)).toEqual({ index: 14, term: 4 });
  expect(log.findAtMost(20, 3)).toEqual({ index: 9, term: 0 });
  expect(log.findAtMost(7, 5)).toEqual({ index: 7, term: 0 });
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
