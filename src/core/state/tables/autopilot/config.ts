// The configuration of autopilot: one row, which the first leader writes.

import type { SqlRow } from "../../../lib/sql.ts";
import {
  type AutopilotConfig,
  autopilotAnswerSchema,
  autopilotConfigSchema,
} from "../../../model/autopilot.ts";
import { encode } from "../../../model/schema.ts";
import type { TableIndex } from "../../meta.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";

export interface AutopilotRow extends SqlRow {
  id: number;
  create_index: number;
  modify_index: number;
  /** JSON of {@link AutopilotConfig}. */
  body: string;
}

export const autopilotTable: TableDefinition<AutopilotRow> = {
  name: "autopilot",
  columns: {
    id: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["id"],
};

export const autopilotIndex: TableIndex = { name: "autopilot-config" };

const only = 1;

/** Undefined until a leader has written it. */
export function findAutopilotRow(state: State): AutopilotRow | undefined {
  return state.table(autopilotTable).get(only);
}

/** Undefined until a leader has written it. */
export function findAutopilotConfig(state: State): AutopilotConfig | undefined {
  const row = findAutopilotRow(state);
  return row && autopilotConfigOf(row);
}

export function autopilotConfigOf({ body }: AutopilotRow): AutopilotConfig {
  return JSON.parse(body) as AutopilotConfig;
}

/** As it is answered, with its indexes. */
export function encodeAutopilotRow(row: AutopilotRow): string {
  return encode(autopilotAnswerSchema, {
    ...autopilotConfigOf(row),
    CreateIndex: row.create_index,
    ModifyIndex: row.modify_index,
  });
}

/** Every write counts as a change, as in Consul. */
export function putAutopilotConfig(change: Change, config: AutopilotConfig): void {
  const create_index = findAutopilotRow(change)?.create_index ?? change.index;
  const row = autopilotRow(config, { create_index, modify_index: change.index });
  change.table(autopilotTable).put(row);
  change.meta.bump(autopilotIndex, change.index);
}

export function autopilotRow(
  config: AutopilotConfig,
  indexes: Pick<AutopilotRow, "create_index" | "modify_index">,
): AutopilotRow {
  const names = Object.keys(autopilotConfigSchema.fields) as (keyof AutopilotConfig)[];
  const body = JSON.stringify(Object.fromEntries(names.map((name) => [name, config[name]])));
  return { id: only, ...indexes, body };
}
