// Any order of writes to the storage of a Raft log, followed on a list.

import * as fc from "fast-check";
import { expect } from "vitest";
import { RaftStorage } from "../../durable/raft/storage.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import { encodeConfiguration } from "../../src/core/raft/membership.ts";
import type { Configuration, Entry, EntryKind } from "../../src/core/raft/types.ts";

/** More than any log holds, and more bytes. */
export const everything = Number.MAX_SAFE_INTEGER;

export function entry(index: number, term: number, data: string | number = ""): Entry {
  const bytes =
    typeof data === "number" ? new Uint8Array(data).fill(index) : new TextEncoder().encode(data);
  return { index, term, kind: "command", data: bytes };
}

export function run(first: number, last: number, term: number): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, at) => entry(first + at, term, `${term}`));
}

export function members(...ids: string[]): Configuration {
  return { members: ids.map((id) => ({ id, name: id, address: `${id}:8300`, voter: true })) };
}

export function configurationEntry(index: number, term: number, ...ids: string[]): Entry {
  return { index, term, kind: "configuration", data: encodeConfiguration(members(...ids)) };
}

type Step =
  | { do: "append"; count: number; bytes: number; kind: EntryKind; termUp: boolean }
  | { do: "truncate"; share: number }
  | { do: "compact"; share: number }
  | { do: "install"; index: number }
  | { do: "reopen" };

const share = fc.double({ min: 0, max: 1, noNaN: true });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      count: fc.integer({ min: 1, max: 6 }),
      bytes: fc.constantFrom(0, 5, 5, 400_000),
      kind: fc.constantFrom("command" as const, "noop" as const, "configuration" as const),
      termUp: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constant("truncate" as const), share }),
      fc.record({ do: fc.constant("compact" as const), share }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("install" as const),
      index: fc.integer({ min: 1, max: 500 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
);

/** The same log as a list. */
class Model {
  base = { index: 0, term: 0 };
  log: Entry[] = [];
  term = 1;

  get last(): number {
    return this.base.index + this.log.length;
  }

  at(share: number): number {
    return this.base.index + 1 + Math.floor(share * this.log.length);
  }
}

function perform(step: Step, model: Model, sql: Sql, storage: RaftStorage): RaftStorage {
  if (step.do === "reopen") return new RaftStorage(sql);
  if (step.do === "append") append(step, model, storage);
  else if (step.do === "truncate") truncate(step, model, storage);
  else if (step.do === "compact") compact(step, model, storage);
  else install(step, model, storage);
  return storage;
}

function append(step: Extract<Step, { do: "append" }>, model: Model, storage: RaftStorage): void {
  if (step.termUp) model.term += 1;
  const entries = Array.from({ length: step.count }, (_, at): Entry => {
    const index = model.last + 1 + at;
    if (step.kind === "configuration") return configurationEntry(index, model.term, `${index}`);
    return { ...entry(index, model.term, step.bytes), kind: step.kind };
  });
  storage.append(entries);
  model.log.push(...entries);
}

function truncate({ share }: { share: number }, model: Model, storage: RaftStorage): void {
  const index = model.at(share);
  storage.truncate(index);
  model.log = model.log.filter((each) => each.index < index);
}

/** How far it goes is the storage's choice: rows are packed as it likes. */
function compact({ share }: { share: number }, model: Model, storage: RaftStorage): void {
  storage.compact(model.at(share));
  const index = storage.baseIndex();
  expect(index).toBeLessThanOrEqual(Math.max(model.base.index, model.at(share)));
  const term = model.log.find((each) => each.index === index)?.term ?? model.base.term;
  model.base = { index, term };
  model.log = model.log.filter((each) => each.index > index);
}

function install({ index }: { index: number }, model: Model, storage: RaftStorage): void {
  storage.beginInstalling({ index: model.last, term: model.term });
  storage.finishInstalling(index, model.term, { index, configuration: members("installed") });
  model.base = { index, term: model.term };
  model.log = [];
}

function checkAgainst(model: Model, storage: RaftStorage): void {
  expect([storage.baseIndex(), storage.baseTerm()]).toEqual([model.base.index, model.base.term]);
  expect(storage.lastIndex()).toBe(model.last);
  const found = storage.entries(model.base.index + 1, everything, everything);
  const brief = ({ index, term, kind, data }: Entry): unknown[] => [index, term, kind, data.length];
  expect(found.map(brief)).toEqual(model.log.map(brief));
  for (const { index, term } of model.log) expect(storage.term(index)).toBe(term);
  const configuration = model.log.findLast(({ kind }) => kind === "configuration");
  if (configuration) expect(storage.latestConfiguration().index).toBe(configuration.index);
  else
    expect(storage.latestConfiguration()).toEqual(
      storage.baseConfiguration() ?? { index: 0, configuration: members() },
    );
}

/** Writes in any order, followed on a list. */
export function anyWrites(sql: Sql): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      for (const table of ["raft_log", "raft_state", "raft_configurations"]) {
        sql.exec(`DROP TABLE IF EXISTS ${table}`);
      }
      const model = new Model();
      let storage = new RaftStorage(sql);
      for (const each of steps) {
        storage = sql.transaction(() => perform(each, model, sql, storage));
        checkAgainst(model, storage);
        checkAgainst(model, new RaftStorage(sql));
      }
    }),
    { numRuns: 100, seed: 1 },
  );
}
