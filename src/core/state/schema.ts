// All tables of the replicated state in one place. Each table's row type and definition sit in the file that
// owns it; this file binds them to a database and lists them in the order in which snapshots send them.
//
// Names of nodes, services and checks are looked up in any case, so keys hold the lower-case form
// (`node_key`, `name_key`...); the spelling that clients see is inside `body`.

import type { Sql } from "../lib/sql.ts";
import { checkTable } from "./check.ts";
import { serviceIndexTable } from "./service-index.ts";
import { kvTable } from "./kv.ts";
import { lockDelayTable } from "./lock-delay.ts";
import { Meta, metaTable } from "./meta.ts";
import { nodeTable } from "./node.ts";
import { serviceTable } from "./service.ts";
import { sessionTable } from "./session.ts";
import { Table } from "./table.ts";
import type { RowListener } from "./table.ts";
import { tombstoneTable } from "./tombstone.ts";
import type { Topic } from "./watch.ts";

/** What reads see. */
export interface State {
  readonly sql: Sql;
  readonly datacenter: string;
  readonly meta: Meta;
  readonly tables: Tables;
}

/** What the handler of a command works on. */
export interface Change extends State {
  /** Log index of the command: becomes CreateIndex and ModifyIndex. */
  readonly index: number;
  /** Leader time at which the command happens, ms since 1970; never goes back. */
  readonly nowMs: number;
  /** Reports that something others may wait for has changed. */
  touch(...topics: Topic[]): void;
}

export type Tables = ReturnType<typeof openTables>;

/** Binds every table to `sql`; `listener` hears of each row that changes. */
export function openTables(sql: Sql, listener: RowListener) {
  return {
    meta: new Table(sql, metaTable, listener),
    kv: new Table(sql, kvTable, listener),
    tombstone: new Table(sql, tombstoneTable, listener),
    lockDelay: new Table(sql, lockDelayTable, listener),
    session: new Table(sql, sessionTable, listener),
    node: new Table(sql, nodeTable, listener),
    service: new Table(sql, serviceTable, listener),
    serviceIndex: new Table(sql, serviceIndexTable, listener),
    check: new Table(sql, checkTable, listener),
  };
}

/** Lower-case form under which a name is looked up. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/** JSON text of an object with its two indexes appended; `body` is the object without them. */
export function withIndexes(
  body: string,
  row: { create_index: number; modify_index: number },
): string {
  const indexes = `"CreateIndex":${row.create_index},"ModifyIndex":${row.modify_index}}`;
  return `${body.slice(0, -1)},${indexes}`;
}
