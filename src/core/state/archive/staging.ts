// A state that is being restored. Its rows go into the twins of the tables, a chunk of an archive at a time, while the
// state there is goes on being used; then the twins change names with the tables, which takes no longer for many rows
// than for few, and what they hold afterwards, the rows of before, is removed in slices.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

import type { SqlRow, Sql } from "../../lib/sql.ts";
import { PackError } from "../../lib/msgpack.ts";
import { ServiceError } from "../../model/errors.ts";
import { Meta, metaTable } from "../meta.ts";
import type { AreaRegistry } from "../registry.ts";
import type { Change, NextState, StagedFacts } from "../state.ts";
import type { Table, TableDefinition } from "../table.ts";
import type { Tables } from "../tables.ts";
import { twinName } from "../twin.ts";
import type { ArchiveFormat } from "./format.ts";
import type { Loading } from "./kinds.ts";

/** What one removal may take; about the rows of a page. */
const sliceBytesMax = 1_000_000;
const slicePages = 4;

export class Staging implements NextState {
  readonly #sql: Sql;
  readonly #tables: Tables;
  readonly #registry: AreaRegistry;
  readonly #format: ArchiveFormat;
  #swapped = false;

  constructor(sql: Sql, tables: Tables, registry: AreaRegistry, format: ArchiveFormat) {
    this.#sql = sql;
    this.#tables = tables;
    this.#registry = registry;
    this.#format = format;
  }

  removeSlice(): boolean {
    let pages = 0;
    for (const twin of this.#twins()) {
      for (;;) {
        const page = twin.page(null, sliceBytesMax);
        if (page.length === 0) break;
        if (++pages > slicePages) return false;
        for (const row of page) twin.remove(...twin.keyOf(row));
      }
    }
    return true;
  }

  load(change: Change, facts: StagedFacts, bytes: Uint8Array, first: boolean): void {
    try {
      this.#format.load(this.#loading(change, facts), bytes, first);
    } catch (failure) {
      if (!(failure instanceof PackError)) throw failure;
      throw new ServiceError("invalid", `failed to restore snapshot: ${failure.message}`);
    }
  }

  swap(): void {
    for (const { name } of this.#tables.replaced) {
      const [next, aside] = [twinName(name), `swapped_${name}`];
      this.#sql.exec(`ALTER TABLE ${name} RENAME TO ${aside}`);
      this.#sql.exec(`ALTER TABLE ${next} RENAME TO ${name}`);
      this.#sql.exec(`ALTER TABLE ${aside} RENAME TO ${next}`);
    }
    this.#tables.forgetRows();
    this.#swapped = true;
  }

  /** Whether there was a swap since this was last asked. */
  takeSwapped(): boolean {
    const swapped = this.#swapped;
    this.#swapped = false;
    return swapped;
  }

  #twins(): Table<SqlRow>[] {
    return this.#tables.replaced.map(({ name }) => this.#tables.of({ name: twinName(name) }));
  }

  /** Events of the areas come to pass among the twins alone. */
  #loading(change: Change, facts: StagedFacts): Loading {
    const at = (index: number): Loading => {
      const loading: Loading = {
        ...change,
        index,
        // Nobody asks for it but code that is shared with ordinary changes.
        meta: new Meta(this.#tables.of(metaTable)),
        table: <Row extends SqlRow>({ name }: TableDefinition<Row>) =>
          this.#tables.of<Row>({ name: twinName(name) }),
        touch: () => undefined,
        emit: (event, detail) => {
          for (const { react } of this.#registry.reactionsTo(event)) react(loading, detail);
        },
        at,
        setIndex: ({ name }, value) => {
          facts.indexes[name] = Math.max(facts.indexes[name] ?? 0, value);
        },
        note: (noted) => {
          facts.newest = Math.max(facts.newest, noted);
        },
        draw: (secret) => uuidFrom(sha256(utf8ToBytes(`${facts.seed} ${secret}`))),
        identify: (clusterId) => {
          facts.clusterId = clusterId;
        },
      };
      return loading;
    };
    return at(change.index);
  }
}

function uuidFrom(hash: Uint8Array): string {
  const hex = bytesToHex(hash.subarray(0, 16));
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
