// What areas of state are given to work with: the tables by their definitions, the small state, and, while a
// command is applied, its index and time. An area reaches another one's rows only by importing it, and
// answers what happens to rows below it by listening for their events, so dependencies go one way.

import type { Authorizer } from "../acl/access.ts";
import type { AclSettings } from "../acl/settings.ts";
import type { Sql, SqlRow } from "../lib/sql.ts";
import type { Meta } from "./meta.ts";
import type { Table, TableDefinition } from "./table.ts";
import type { Topic } from "./watch.ts";

export interface State {
  readonly sql: Sql;
  readonly datacenter: string;
  /** This server's own: what commands do to the state must not depend on it. */
  readonly acl: AclSettings;
  readonly meta: Meta;
  /** Where an archive is restored to. */
  readonly staging: NextState;
  /** The table that an area defined. */
  table<Row extends SqlRow>(definition: TableDefinition<Row>): Table<Row>;
}

/** What a restore has read so far, beside rows. */
export interface StagedFacts {
  /** Random, and known to nobody. */
  seed: string;
  /** The newest index of a table, by name. */
  indexes: Record<string, number>;
  /** The newest index of any change. */
  newest: number;
  /** "" where there is none. */
  clusterId: string;
}

/** A state that is built of an archive while this one is used (archive/staging.ts). */
export interface NextState {
  /** Removes some of the rows in the twins. Answers whether none are left. */
  removeSlice(): boolean;
  /** Reads whole records into the twins. Throws ServiceError `invalid` for what are none. */
  load(change: Change, facts: StagedFacts, bytes: Uint8Array, first: boolean): void;
  /** Puts the twins in the place of the tables. */
  swap(): void;
}

/** What the handler of a command works on. */
export interface Change extends State {
  /** Log index of the command: becomes CreateIndex and ModifyIndex. */
  readonly index: number;
  /** Leader time at which the command happens, ms since 1970; never goes back. */
  readonly nowMs: number;
  /** Reports that something others may wait for has changed. */
  touch(...topics: Topic[]): void;
  /** Tells the areas that listen what happened; they act on it before this returns. */
  emit<Detail>(event: StateEvent<Detail>, detail: Detail): void;
}

/** What a read sees: the state, on whose behalf, and when. */
export interface View extends State {
  readonly authorizer: Authorizer;
  /** Accessor of the token that asks; "" without ACLs. */
  readonly bearer: string;
  /** Of another token than the asker's. Throws ServiceError `permission-denied` for one that does not exist. */
  authorizerOf(token: string): Authorizer;
  readonly nowMs: number;
  /** Longer bodies are refused, in UTF-16 units; a read that may get there says so before it builds one. */
  readonly answerLengthMax: number;
}

/** Something that happens to rows of one area and that areas above it act on. */
export interface StateEvent<Detail> {
  readonly name: string;
  /** Never there: it only carries the type. */
  readonly detail?: Detail;
}

/** An area's answer to an event of another one. Make them with {@link reaction}. */
export interface Reaction {
  readonly event: StateEvent<unknown>;
  react(change: Change, detail: unknown): void;
}

export function reaction<Detail>(
  event: StateEvent<Detail>,
  react: (change: Change, detail: Detail) => void,
): Reaction {
  return { event, react: (change, detail) => react(change, detail as Detail) };
}
