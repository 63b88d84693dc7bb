// The tables of a state, bound to its database. Whatever a restore replaces has a twin, in which the next state is
// built while this one is used; names then change places (archive/staging.ts).

import { assert } from "../lib/assert.ts";
import type { Sql, SqlRow } from "../lib/sql.ts";
import { limits } from "../model/limits.ts";
import type { AreaRegistry } from "./registry.ts";
import { RowBudget } from "./row-cache.ts";
import { openSchema } from "./schema.ts";
import { type BeforeChange, type RowListener, Table, type TableDefinition } from "./table.ts";
import { twinOf } from "./twin.ts";

export class Tables {
  /** By name, in the order in which snapshots send them. */
  readonly bound = new Map<string, Table<SqlRow>>();
  /** What a restore replaces. */
  readonly replaced: readonly TableDefinition<SqlRow>[];

  /** Creates or migrates what is in the database. Throws an Error when newer code than this wrote it. */
  constructor(sql: Sql, registry: AreaRegistry, after: RowListener, before: BeforeChange) {
    const rows = new RowBudget(limits.rowCacheBytesMax);
    const bind = (definition: TableDefinition<SqlRow>): void => {
      const table = new Table(sql, definition, after, rows, before);
      this.bound.set(definition.name, table);
    };
    for (const definition of registry.tables) bind(definition);
    this.replaced = registry.areas
      .filter(({ isLasting = false }) => !isLasting)
      .flatMap(({ tables }) => [...tables]);
    const twins = this.replaced.map(twinOf);
    for (const twin of twins) bind(twin);
    sql.transaction(() => openSchema(sql, registry.areas, this.bound, twins));
  }

  get all(): Table<SqlRow>[] {
    return [...this.bound.values()];
  }

  of<Row extends SqlRow>({ name }: Pick<TableDefinition<Row>, "name">): Table<Row> {
    const found = this.bound.get(name);
    assert(found, `table ${name} belongs to a listed area`);
    return found as unknown as Table<Row>;
  }

  forgetRows(): void {
    for (const table of this.bound.values()) table.forgetRows();
  }
}
