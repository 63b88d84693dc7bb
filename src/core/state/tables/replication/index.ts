// What a secondary datacenter copies from the primary, as commands that its leader makes of what differs.

import { ServiceError } from "../../../model/errors.ts";
import { integer, stringList, text } from "../../../model/schema.ts";
import { admitAll, command, defineArea } from "../../area.ts";
import { replicationReads } from "./reads.ts";
import { putCopied, putFailure, replicationTable } from "./rows.ts";
import { type ReplicatedKind, type ReplicatedRow, sources } from "./sources.ts";

export interface CopyRequest {
  kind: ReplicatedKind;
  /** Keys of rows to write, each with the JSON text of its row at the same place of `bodies`. */
  keys: string[] | null;
  bodies: string[] | null;
  removed: string[] | null;
  /** Index of the primary's table, once all of it was copied; else 0. */
  index: number;
}

const list = { type: stringList } as const;

export const replication = defineArea({
  name: "replication",
  tables: [replicationTable],
  commands: {
    "replication.copy": command<CopyRequest, true>({
      shape: { kind: text, keys: list, bodies: list, removed: list, index: integer },
      admit: (given) => {
        if (!Object.hasOwn(sources, given.kind)) throw new ServiceError("invalid", "unknown kind");
        return given;
      },
      apply: (change, { kind, keys, bodies, removed, index }) => {
        const source = sources[kind];
        for (const key of removed ?? []) source.remove(change, key);
        for (const row of rowsIn(keys, bodies)) source.put(change, row);
        if (index > 0) putCopied(change, kind, index);
        return true;
      },
    }),
    "replication.failed": command<{ atMs: number }, true>({
      shape: { atMs: integer },
      admit: admitAll,
      apply: (change, { atMs }) => (putFailure(change, atMs), true),
    }),
  },
  reads: replicationReads,
});

function rowsIn(keys: string[] | null, bodies: string[] | null): ReplicatedRow[] {
  return (keys ?? []).map((key, at) => ({ key, body: bodies?.[at] ?? "{}" }));
}
