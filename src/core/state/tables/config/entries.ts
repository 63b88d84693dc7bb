// Configuration entries as rows. An entry is known by its kind and its name, in any case; which services it speaks
// about is kept beside it, because a change of one entry has to be judged with all those that lead to it. Index rule:
// every answer carries the index of the whole table.

import type { SqlRow } from "../../../lib/sql.ts";
import { configSchemas } from "../../../model/config-entry/schemas.ts";
import { relatedServices } from "../../../model/config-entry/rules.ts";
import type {
  ConfigEntry,
  ConfigEntryTypes,
  ConfigKind,
} from "../../../model/config-entry/types.ts";
import { decodeBody } from "../../../model/decode.ts";
import { encode } from "../../../model/schema.ts";
import type { TableIndex } from "../../meta.ts";
import { nameKey, withIndexes } from "../../rows.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { pathTopics } from "../../watch.ts";
import { configChanged } from "./events.ts";

export const configIndex: TableIndex = { name: "config-entries" };

const entries = pathTopics("config");

export const configTopics = {
  entry: (kind: string, name: string) => entries.one(`${kind}/${nameKey(name)}`),
  ofKind: (kind: string) => entries.below(`${kind}/`),
  all: entries.below(""),
};

export interface ConfigRow extends SqlRow {
  kind: string;
  name_key: string;
  create_index: number;
  modify_index: number;
  /** JSON of the entry, without its indexes. */
  body: string;
}

export const configTable: TableDefinition<ConfigRow> = {
  name: "config_entry",
  columns: {
    kind: "TEXT NOT NULL",
    name_key: "TEXT NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["kind", "name_key"],
};

export interface LinkRow extends SqlRow {
  service_key: string;
  kind: string;
  name_key: string;
}

/** Service → the entries that speak about it. */
export const linkTable: TableDefinition<LinkRow> = {
  name: "config_link",
  columns: { service_key: "TEXT NOT NULL", kind: "TEXT NOT NULL", name_key: "TEXT NOT NULL" },
  key: ["service_key", "kind", "name_key"],
  indexes: { config_link_entry: { on: "ON config_link (kind, name_key)" } },
};

// Queries

export function findEntry<Kind extends ConfigKind>(
  state: State,
  kind: Kind,
  name: string,
): ConfigEntryTypes[Kind] | null {
  const row = findRow(state, kind, name);
  return row ? (entryOf(row) as ConfigEntryTypes[Kind]) : null;
}

export function findRow(state: State, kind: string, name: string): ConfigRow | undefined {
  return state.table(configTable).get(kind, nameKey(name));
}

/** All of a kind, or with "" of every kind, in order. */
export function listRows(state: State, kind: string): ConfigRow[] {
  const table = state.table(configTable);
  return kind === ""
    ? table.select("ORDER BY kind, name_key")
    : table.select("WHERE kind = ? ORDER BY name_key", kind);
}

/** Entries that speak about a service. */
export function linkedTo(state: State, service: string): { kind: ConfigKind; row: ConfigRow }[] {
  const links = state
    .table(linkTable)
    .select("WHERE service_key = ? ORDER BY kind, name_key", nameKey(service));
  return links.flatMap(({ kind, name_key: name }) => {
    const row = findRow(state, kind, name);
    return row ? [{ kind: kind as ConfigKind, row }] : [];
  });
}

export function entryOf({ kind, body }: ConfigRow): ConfigEntryTypes[ConfigKind] {
  const schema = configSchemas[kind as ConfigKind];
  return decodeBody(schema, body, "ignore") as ConfigEntryTypes[ConfigKind];
}

export function encodeConfigRow(row: ConfigRow): string {
  return withIndexes(row.body, row);
}

// Changes

/** Inserts or replaces an entry that was found to fit the others; moves its ModifyIndex even when it says the same. */
export function putEntry(change: Change, given: ConfigEntry): void {
  const { kind, entry } = given;
  const existing = findRow(change, kind, entry.Name);
  const row: ConfigRow = {
    kind,
    name_key: nameKey(entry.Name),
    create_index: existing?.create_index ?? change.index,
    modify_index: change.index,
    body: encode(configSchemas[kind], entry),
  };
  change.table(configTable).put(row);
  link(change, row, relatedServices(given));
  changed(change, row);
  change.emit(configChanged, {
    kind,
    name: entry.Name,
    before: existing ? entryOf(existing) : null,
    after: entry,
  });
}

/** Removes an entry; what is not there is no error. */
export function removeEntry(change: Change, kind: ConfigKind, name: string): void {
  const row = findRow(change, kind, name);
  if (!row) return;
  change.table(configTable).remove(row.kind, row.name_key);
  link(change, row, []);
  changed(change, row);
  change.emit(configChanged, { kind, name, before: entryOf(row), after: null });
}

function link(change: Change, { kind, name_key }: ConfigRow, services: readonly string[]): void {
  const wanted = new Set(services.map(nameKey));
  const table = change.table(linkTable);
  const known = table.select(
    "WHERE kind = ? AND name_key = ? ORDER BY service_key",
    kind,
    name_key,
  );
  for (const { service_key } of known) {
    if (!wanted.delete(service_key)) table.remove(service_key, kind, name_key);
  }
  for (const service_key of wanted) table.put({ service_key, kind, name_key });
}

function changed(change: Change, { kind, name_key: name }: ConfigRow): void {
  change.meta.bump(configIndex, change.index);
  change.touch(configTopics.entry(kind, name));
}
