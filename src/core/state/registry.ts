// A list of areas as what the engine looks things up in.

import { assert } from "../lib/assert.ts";
import type { SqlRow } from "../lib/sql.ts";
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

function mapOf<Value>(parts: readonly Readonly<Record<string, Value>>[]): Map<string, Value> {
  const entries = parts.flatMap((part) => Object.entries(part));
  const map = new Map(entries);
  assert(map.size === entries.length, "no two areas have a command or a read of one name");
  return map;
}
