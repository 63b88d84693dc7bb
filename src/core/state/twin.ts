// The table beside a table in which a restore builds the next state. It has the same columns and indexes; when both
// change names, their indexes go with them, so the names of those say nothing of where they are.

import type { SqlRow } from "../lib/sql.ts";
import type { TableDefinition } from "./table.ts";

const prefix = "next_";

export function twinName(name: string): string {
  return prefix + name;
}

export function twinOf(definition: TableDefinition<SqlRow>): TableDefinition<SqlRow> {
  const { name, indexes = {} } = definition;
  const own = Object.entries(indexes).map(([index, described]) => {
    const on = described.on.replace(`ON ${name} `, `ON ${twinName(name)} `);
    return [twinName(index), { ...described, on }] as const;
  });
  return { ...definition, name: twinName(name), indexes: Object.fromEntries(own) };
}
