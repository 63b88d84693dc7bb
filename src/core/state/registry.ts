// A list of areas as what the engine looks things up in.

import { assert } from "../lib/assert.ts";
import type { SqlRow } from "../lib/sql.ts";
import { ServiceError } from "../model/errors.ts";
import type { AnyCommand, Area } from "./area.ts";
import type { AnyRead } from "./read.ts";
import type { Reaction, StateEvent } from "./state.ts";
import type { TableDefinition } from "./table.ts";
import type { CommandVersions } from "./versions.ts";

export class AreaRegistry {
  readonly areas: readonly Area[];
  readonly tables: readonly TableDefinition<SqlRow>[];
  readonly commands: ReadonlyMap<string, AnyCommand>;
  /** Newest version of each type of command. */
  readonly versions: CommandVersions;
  readonly reads: ReadonlyMap<string, AnyRead>;
  readonly #reactions = new Map<StateEvent<unknown>, Reaction[]>();

  constructor(areas: readonly Area[]) {
    this.areas = areas;
    this.tables = areas.flatMap(({ tables }) => [...tables]);
    const names = new Set(this.tables.map(({ name }) => name));
    assert(names.size === this.tables.length, "no two areas have a table of one name");
    this.commands = mapOf(areas.map(({ commands }) => commands));
    this.versions = Object.fromEntries(
      [...this.commands].map(([type, { version = 1 }]) => [type, version]),
    );
    this.reads = mapOf(areas.map(({ reads }) => reads));
    for (const each of areas.flatMap(({ reactions }) => [...(reactions ?? [])])) {
      this.#reactions.set(each.event, [...this.reactionsTo(each.event), each]);
    }
  }

  /** What areas do about an event, in the order of the areas. */
  reactionsTo(event: StateEvent<unknown>): readonly Reaction[] {
    return this.#reactions.get(event) ?? [];
  }
}

/**
 * A command in the newest version that `known` allows. Throws ServiceError `invalid` when it cannot be said in
 * any of them.
 */
export function expressCommand(
  definition: AnyCommand,
  given: { type: string },
  known: number,
): { version: number; command: { type: string } } {
  const newest = definition.version ?? 1;
  if (known >= newest) return { version: newest, command: given };
  const older = known > 0 ? definition.express?.(given as never, known) : null;
  if (older) return { version: known, command: { type: given.type, ...older } };
  throw new ServiceError(
    "invalid",
    `${given.type} cannot be used yet: an upgrade is in progress, and not every server knows it`,
  );
}

function mapOf<Value>(parts: readonly Readonly<Record<string, Value>>[]): Map<string, Value> {
  const entries = parts.flatMap((part) => Object.entries(part));
  const map = new Map(entries);
  assert(map.size === entries.length, "no two areas have a command or a read of one name");
  return map;
}
