// Every command by its path, with the line that lists it. The file of a command is loaded when it is run or asked for
// help, so that the list costs nothing at start.

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

const leaf = (synopsis: string, load: Leaf["load"]): Leaf => ({ synopsis, load });

const kv: Group = {
  synopsis: "Interact with the key-value store",
  about: `
Reads and writes the key-value store.

    $ consul kv put redis/config/connections 5

    $ consul kv get redis/config/connections

    $ consul kv get -detailed redis/config/connections

    $ consul kv delete redis/config/connections`,
  members: {
    delete: leaf("Removes data from the KV store", () => import("./commands/kv/delete.ts")),
    export: leaf(
      "Exports a tree from the KV store as JSON",
      () => import("./commands/kv/export.ts"),
    ),
    get: leaf("Retrieves or lists data from the KV store", () => import("./commands/kv/get.ts")),
    import: leaf(
      "Imports a tree stored as JSON to the KV store",
      () => import("./commands/kv/import.ts"),
    ),
    put: leaf("Sets or updates data in the KV store", () => import("./commands/kv/put.ts")),
  },
};

export const contents: Readonly<Record<string, Entry>> = {
  agent: leaf("Runs a Consul agent", () => import("./commands/agent.ts")),
  kv,
  leave: leaf(
    "Gracefully leaves the Consul cluster and shuts down",
    () => import("./commands/leave.ts"),
  ),
  validate: leaf("Validate config files/directories", () => import("./commands/validate.ts")),
  version: leaf("Prints the Consul version", () => import("./commands/version.ts")),
};
