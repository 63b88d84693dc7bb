// What the machine itself keeps, as an area.

import type { Area } from "./area.ts";
import { metaTable } from "./meta.ts";
import { addColumns } from "./migration.ts";

export const engine: Area = {
  name: "meta",
  isLasting: true,
  tables: [metaTable],
  commands: {},
  reads: {},
  migrations: [(sql) => addColumns(sql, metaTable, ["commands"])],
};
