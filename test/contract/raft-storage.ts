// What the storage of a Raft log must do, wherever its SQL runs: the LogReader port, and writes that
// survive the instance that made them. Each case is judged twice, by the storage that wrote and by
// another one that finds only what is on disk.

import { describe, expect, test } from "vitest";
import { RaftStorage } from "../../durable/raft/storage.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import { anyWrites } from "./raft-storage-model.ts";
import { configurationEntry, entry, everything, members, run } from "./raft-storage-model.ts";

type WithSql = (body: (sql: Sql) => void) => void | Promise<void>;
type Case = readonly [title: string, body: (sql: Sql) => void];

const mebibyte = 1024 * 1024;

/** All that a reader can ask. */
function describeLog(storage: RaftStorage): object {
  const entries = storage.entries(storage.firstIndex(), everything, everything);
  const indexes = [storage.baseIndex() - 1, storage.baseIndex(), storage.lastIndex() + 1];
  return {
    base: [storage.baseIndex(), storage.baseTerm()],
    first: storage.firstIndex(),
    last: storage.lastIndex(),
    entries: entries.map(({ index, term, kind, data }) => [index, term, kind, sum(data)]),
    terms: [...indexes, ...entries.map(({ index }) => index)].map((index) => storage.term(index)),
    baseConfiguration: storage.baseConfiguration(),
    configuration: storage.latestConfiguration(),
    hardState: storage.hardState,
    installing: storage.installing,
    empty: storage.empty,
  };
}

function sum(data: Uint8Array): number {
  return data.reduce((total, byte) => (total * 31 + byte) % 1_000_003, data.length);
}

/** The storage, after another one has agreed with it about what is on disk. */
function settled(sql: Sql, storage: RaftStorage): RaftStorage {
  expect(describeLog(new RaftStorage(sql))).toEqual(describeLog(storage));
  return storage;
}

function rows(sql: Sql): { first: number; last: number; bytes: number }[] {
  const found = sql.exec<{ first: number; last: number; bytes: number }>(
    `SELECT first_index AS first, last_index AS last, length(entries) AS bytes FROM raft_log
     ORDER BY first_index`,
  );
  return found.map((row) => ({ ...row }));
}

const reading: readonly Case[] = [
  [
    "a new one is empty",
    (sql) => {
      const storage = settled(sql, new RaftStorage(sql));
      expect(storage).toMatchObject({ empty: true, installing: null });
      expect(storage.hardState).toEqual({ term: 0, votedFor: null, leader: null });
      expect([storage.baseIndex(), storage.firstIndex(), storage.lastIndex()]).toEqual([0, 1, 0]);
      expect(storage.term(0)).toBe(0);
      expect(storage.term(1)).toBeUndefined();
      expect(storage.entries(1, 10, everything)).toEqual([]);
      expect(storage.baseConfiguration()).toBeNull();
    },
  ],
  [
    "hard state is kept, and a vote can be taken back by a newer term",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.saveHardState({ term: 3, votedFor: "a", leader: "b" });
      expect(settled(sql, storage).hardState).toEqual({ term: 3, votedFor: "a", leader: "b" });
      storage.saveHardState({ term: 4, votedFor: null, leader: null });
      storage.fence();
      expect(settled(sql, storage).hardState).toEqual({ term: 4, votedFor: null, leader: null });
      expect(storage.empty).toBe(false);
    },
  ],
  [
    "entries come back as they went in, over the borders of rows",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.append(run(1, 3, 1));
      storage.append(run(4, 4, 2));
      storage.append(run(5, 9, 3));
      settled(sql, storage);
      expect(rows(sql).map(({ first, last }) => [first, last])).toEqual([
        [1, 3],
        [4, 4],
        [5, 9],
      ]);
      expect(storage.entries(2, 7, everything).map(({ index }) => index)).toEqual([2, 3, 4, 5, 6]);
      expect([3, 4, 9, 10].map((index) => storage.term(index))).toEqual([1, 2, 3, undefined]);
    },
  ],
  [
    "a reader gets at least one entry, then as many as fit",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.append([entry(1, 1, 100), entry(2, 1, 100), entry(3, 1, 100)]);
      const count = (bytesMax: number): number => storage.entries(1, 4, bytesMax).length;
      expect([1, 100, 199, 200, 300].map(count)).toEqual([1, 1, 1, 2, 3]);
    },
  ],
];

const writing: readonly Case[] = [
  [
    "appends that do not continue the log are refused",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.append([]);
      storage.append(run(1, 2, 1));
      expect(() => storage.append(run(2, 3, 1))).toThrow(/continue/);
      expect(() => storage.append(run(4, 5, 1))).toThrow(/continue/);
      settled(sql, storage);
    },
  ],
  [
    "a row holds at most a megabyte, unless one entry is larger",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.append(Array.from({ length: 100 }, (_, at) => entry(1 + at, 1, 30_000)));
      storage.append([entry(101, 1, 600_000), entry(102, 1, 600_000), entry(103, 1, 10)]);
      storage.append(Array.from({ length: 60_000 }, (_, at) => entry(104 + at, 1)));
      storage.append([entry(60_104, 1, 1_500_000)]);
      const sizes = rows(sql).map(({ bytes }) => bytes);
      expect(Math.max(...sizes.slice(0, -1))).toBeLessThanOrEqual(mebibyte);
      expect(sizes).toHaveLength(4 + 2 + 2 + 1);
      expect(storage.entries(1, everything, 5 * mebibyte).length).toBeGreaterThan(100);
      expect(new RaftStorage(sql).entries(101, 103, 1)[0]?.data.length).toBe(600_000);
    },
  ],
  [
    "a conflict inside a packed row rewrites that row",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.append(run(1, 4, 1));
      storage.append(run(5, 9, 1));
      storage.truncate(7);
      expect(settled(sql, storage).lastIndex()).toBe(6);
      storage.append(run(7, 8, 2));
      storage.truncate(3);
      storage.append(run(3, 3, 3));
      settled(sql, storage);
      const terms = storage.entries(1, everything, everything).map(({ term }) => term);
      expect(terms).toEqual([1, 1, 3]);
      storage.truncate(1);
      expect(settled(sql, storage).lastIndex()).toBe(0);
    },
  ],
  [
    "what is rolled back was never written",
    (sql) => {
      const storage = new RaftStorage(sql);
      sql.transaction(() => storage.append(run(1, 2, 1)));
      const before = describeLog(storage);
      const failing = (): void =>
        sql.transaction(() => {
          storage.saveHardState({ term: 7, votedFor: "x", leader: null });
          storage.append([configurationEntry(3, 7, "x")]);
          storage.truncate(2);
          throw new Error("undo");
        });
      expect(failing).toThrow("undo");
      storage.reload();
      expect(describeLog(settled(sql, storage))).toEqual(before);
    },
  ],
  [
    "a row that is not what was written stops whoever reads it",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.append(run(1, 3, 1));
      sql.exec("UPDATE raft_log SET entries = substr(entries, 1, length(entries) - 1)");
      expect(() => storage.entries(1, 4, everything)).toThrow(/packed entries end/);
    },
  ],
];

const compacting: readonly Case[] = [
  [
    "compaction removes only rows that lie wholly below",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.append(run(1, 4, 1));
      storage.append(run(5, 9, 2));
      storage.compact(3);
      expect(settled(sql, storage).baseIndex()).toBe(0);
      storage.compact(8);
      settled(sql, storage);
      expect([storage.baseIndex(), storage.baseTerm(), storage.lastIndex()]).toEqual([4, 1, 9]);
      expect(storage.term(3)).toBeUndefined();
      expect(() => storage.truncate(4)).toThrow(/below the base/);
      storage.compact(9);
      expect([storage.baseIndex(), storage.baseTerm(), storage.lastIndex()]).toEqual([9, 2, 9]);
      storage.append(run(10, 10, 2));
      expect(settled(sql, storage).firstIndex()).toBe(10);
    },
  ],
  [
    "the newest configuration in the log is in force, until it is truncated",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.append([configurationEntry(1, 1, "a"), entry(2, 1), configurationEntry(3, 1, "b")]);
      expect(storage.latestConfiguration()).toEqual({ index: 3, configuration: members("b") });
      expect(storage.configurationUpTo(2)).toEqual({ index: 1, configuration: members("a") });
      storage.truncate(3);
      expect(storage.latestConfiguration().index).toBe(1);
      storage.append([configurationEntry(3, 2, "c")]);
      expect(settled(sql, storage).latestConfiguration().configuration).toEqual(members("c"));
    },
  ],
  [
    "compaction keeps the configuration that is in force at the base",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.append([configurationEntry(1, 1, "a"), entry(2, 1)]);
      storage.append([configurationEntry(3, 1, "b"), entry(4, 1)]);
      storage.append([configurationEntry(5, 1, "c")]);
      storage.compact(4);
      settled(sql, storage);
      expect(storage.baseConfiguration()).toEqual({ index: 3, configuration: members("b") });
      expect(storage.configurationUpTo(2)).toBeNull();
      storage.truncate(5);
      expect(settled(sql, storage).latestConfiguration().index).toBe(3);
    },
  ],
  [
    "a snapshot replaces the log, and until its end there is none",
    (sql) => {
      const storage = new RaftStorage(sql);
      storage.saveHardState({ term: 2, votedFor: "a", leader: "a" });
      storage.append([configurationEntry(1, 1, "a"), ...run(2, 6, 2)]);
      storage.beginInstalling({ index: 6, term: 2 });
      settled(sql, storage);
      expect(storage.installing).toEqual({ index: 6, term: 2 });
      expect([storage.baseIndex(), storage.lastIndex()]).toEqual([0, 0]);
      expect(storage.latestConfiguration().configuration.members).toEqual([]);
      expect(storage.hardState.term).toBe(2);
      const restarted = new RaftStorage(sql);
      restarted.beginInstalling({ index: 6, term: 2 });
      restarted.finishInstalling(40, 3, { index: 33, configuration: members("b") });
      settled(sql, restarted);
      expect(restarted.installing).toBeNull();
      expect([restarted.baseIndex(), restarted.baseTerm(), restarted.lastIndex()]).toEqual([
        40, 3, 40,
      ]);
      expect(restarted.baseConfiguration()?.index).toBe(33);
      restarted.append(run(41, 42, 3));
      expect(settled(sql, restarted).term(42)).toBe(3);
    },
  ],
];

const random: Case = ["any order of writes leaves what a list would hold", anyWrites];

export function raftStorageContract(name: string, withSql: WithSql): void {
  const cases = [...reading, ...writing, ...compacting, random];
  describe(`raft storage on ${name}`, () => {
    test.each(cases)("%s", async (_title, body) => {
      expect.hasAssertions();
      await withSql(body);
    });
  });
}
