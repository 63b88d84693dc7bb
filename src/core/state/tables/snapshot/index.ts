// Restoring whole states from archives. Rows of its own only say how far a restore is.

import { integer, text } from "../../../model/schema.ts";
import { admitAll, type Admission, command, defineArea } from "../../area.ts";
import { beginRestore, loadChunk, restoreTable, sweep, switchState } from "./restore.ts";

function admitRestore<Fields>(given: Fields, { permit }: Admission): Fields {
  permit("acl", "", "write");
  return given;
}

export const snapshot = defineArea({
  name: "snapshot",
  isLasting: true,
  tables: [restoreTable],
  commands: {
    /** `restore` names it, for all of its commands; a random id. */
    "snapshot.begin": command<{ restore: string }, boolean>({
      shape: { restore: text },
      admit: admitRestore,
      apply: (change, { restore }) => beginRestore(change, restore),
    }),
    "snapshot.load": command<{ restore: string; chunk: number; data: string }, true>({
      shape: { restore: text, chunk: integer, data: { type: { kind: "bytes" } } },
      admit: admitRestore,
      guarded: true,
      apply: (change, given) => loadChunk(change, given),
    }),
    "snapshot.switch": command<{ restore: string }, true>({
      shape: { restore: text },
      admit: admitRestore,
      apply: (change, { restore }) => switchState(change, restore),
    }),
    /** Proposed by the leader. A restore that went on last at or before `beforeMs` has been abandoned. */
    "snapshot.sweep": command<{ beforeMs: number }, boolean>({
      shape: { beforeMs: integer },
      admit: admitAll,
      apply: (change, { beforeMs }) => sweep(change, beforeMs),
    }),
  },
  reads: {},
});
