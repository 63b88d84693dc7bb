// What a table of contents is made of: commands that are loaded when they are needed, and groups of them.

import type { Command } from "./command.ts";

export interface Leaf {
  synopsis: string;
  load(): Promise<{ default: Command }>;
}

export interface Group {
  synopsis: string;
  /** What its help says before it lists its members. */
  about: string;
  /** After the group's name; `<subcommand> [options] [args]` when absent. */
  usage?: string;
  members: Readonly<Record<string, Entry>>;
}

export type Entry = Leaf | Group;

export function leaf(synopsis: string, load: Leaf["load"]): Leaf {
  return { synopsis, load };
}
