// Archives of a state (semantics §18): those that are being saved, and the one that is being restored.

import type { Sql } from "../../lib/sql.ts";
import type { AreaRegistry } from "../registry.ts";
import type { State } from "../state.ts";
import type { RowListener } from "../table.ts";
import { Tables } from "../tables.ts";
import { type Copy, StateCopies } from "./copies.ts";
import { ArchiveFormat } from "./format.ts";
import type { WriteRecord } from "./kinds.ts";
import { Staging } from "./staging.ts";

/** An archive that is being saved. */
export interface OpenArchive {
  readonly copy: Copy;
  /** From the first one, each time it is called. */
  records(): Iterable<WriteRecord>;
}

export class Archives {
  readonly tables: Tables;
  readonly staging: Staging;
  readonly #copies: StateCopies;
  readonly #format: ArchiveFormat;

  /** Opens the tables, too: whatever changes them is followed here. */
  constructor(sql: Sql, registry: AreaRegistry, listener: RowListener) {
    this.#copies = new StateCopies(sql);
    this.tables = new Tables(sql, registry, listener, this.#copies);
    this.#format = new ArchiveFormat(registry.areas.flatMap(({ archive }) => archive ?? []));
    this.staging = new Staging(sql, this.tables, registry, this.#format);
  }

  /** The state as it is now; `index` is that of its last change. Close it when it is no longer wanted. */
  open({ meta, datacenter }: State, index: number): OpenArchive {
    // As they are now: bumping one changes the object.
    const indexes = { ...meta.indexes };
    const indexOf = ({ name }: { name: string }): number => indexes[name] ?? 0;
    const copy = this.#copies.open(this.tables.bound, { datacenter, index, indexOf });
    const records = (): Iterable<WriteRecord> => {
      copy.rewind();
      return this.#format.records(copy);
    };
    return { copy, records };
  }

  close({ copy }: OpenArchive): void {
    this.#copies.close(copy);
  }

  /** The state is another one now. */
  abandon(): void {
    this.#copies.closeAll();
  }
}
