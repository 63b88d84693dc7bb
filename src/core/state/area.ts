// An area of state is one value: its tables, its commands, its reads and what it does about events of the areas
// below it. `tables/index.ts` lists them; commands, reads, results, snapshots and the schema are types and maps
// over that list, and nothing else in this folder knows an area by name.

import type { SqlRow } from "../lib/sql.ts";
import type { Field } from "../model/schema.ts";
import type { Access, Authorizer, Resource } from "./authorizer.ts";
import type { AreaArchive } from "./archive/kinds.ts";
import type { AnyRead } from "./read.ts";
import type { Migration } from "./migration.ts";
import type { Change, Reaction, State } from "./state.ts";
import type { TableDefinition } from "./table.ts";

/** What is decided about a command before it enters the log. */
export interface Admission {
  readonly state: State;
  readonly authorizer: Authorizer;
  /** Accessor of the token that asks. */
  readonly bearer: string;
  /** Throws `Permission denied` unless the access is allowed. */
  permit(resource: Resource, segment: string, access: Access): void;
}

/**
 * One type of command. It holds all that its handler needs (ids and times are chosen before it is proposed), so
 * that every server computes the same result.
 */
export interface CommandDefinition<Fields extends object, Result> {
  /**
   * Newest version; 1 when absent. Raise it whenever other fields, or another effect, would make servers of
   * the version before compute something else.
   */
  readonly version?: number;
  /** What arrives is cut to this shape before it enters the log. */
  readonly shape: { readonly [Name in keyof Fields]-?: Field };
  /** Judges and completes a command of the right shape, whatever the state allows. Throws ServiceError. */
  admit(command: Fields, admission: Admission): Fields;
  /** `apply` may refuse after its first write: what it did is undone then. */
  readonly guarded?: true;
  /**
   * Changes tables and answers the result, as `version` did for ever: logs hold old ones. Refuses by throwing
   * ServiceError.
   */
  apply(change: Change, command: Fields, version: number): Result;
  /** The fields that say the same to servers which know only an older version; null when none do. */
  express?(command: Fields, version: number): object | null;
  /** What of a result the bearer may see; all of it when absent. */
  reveal?(result: Result, authorizer: Authorizer): Result;
}

/** Any command's definition, whatever its fields. */
export interface AnyCommand {
  readonly version?: number;
  readonly shape: Readonly<Record<string, Field>>;
  readonly guarded?: true;
  admit(command: never, admission: Admission): object;
  apply(change: Change, command: never, version: number): unknown;
  express?(command: never, version: number): object | null;
  reveal?(result: never, authorizer: Authorizer): unknown;
}

/** Gives a definition its types. */
export function command<Fields extends object, Result>(
  definition: CommandDefinition<Fields, Result>,
): CommandDefinition<Fields, Result> {
  return definition;
}

/** For commands that nothing is decided about in advance. */
export function admitAll<Fields>(given: Fields): Fields {
  return given;
}

export interface Area {
  readonly name: string;
  /** How Consul's archives hold it. */
  readonly archive?: AreaArchive;
  /** A restored archive leaves it as it is. */
  readonly isLasting?: true;
  /** In the order in which snapshots send them. */
  readonly tables: readonly TableDefinition<SqlRow>[];
  readonly commands: Readonly<Record<string, AnyCommand>>;
  readonly reads: Readonly<Record<string, AnyRead>>;
  readonly reactions?: readonly Reaction[];
  /** The first leads from version 1 of the schema to 2. Released ones never change. */
  readonly migrations?: readonly Migration[];
}

/** Checks an area without widening its type. */
export function defineArea<const Defined extends Area>(area: Defined): Defined {
  return area;
}
