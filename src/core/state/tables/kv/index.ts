// The key-value store, with the tombstones that keep its indexes from going back. Values travel as base64 text
// and are stored as given. Locks are the area above (`lock/`): who may hold a key is not the store's business.

import { ServiceError } from "../../../model/errors.ts";
import { integer, text } from "../../../model/schema.ts";
import type { Uint64Text } from "../../../model/types.ts";
import { admitAll, command, defineArea } from "../../area.ts";
import { kvArchive } from "./archive.ts";
import { casDeleteKey, casKey, deleteKey, deleteTree, kvTable, setKey } from "./entries.ts";
import type { KvWrite } from "./entries.ts";
import { kvReads } from "./reads.ts";
import { admitKey, keyWrite, uint64 } from "./shapes.ts";
import { reapTombstones, tombstoneTable } from "./tombstone.ts";

export const kv = defineArea({
  name: "kv",
  archive: kvArchive,
  tables: [kvTable, tombstoneTable],
  commands: {
    "kv.set": command<KvWrite, true>({
      shape: keyWrite,
      admit: admitKey,
      apply: (change, write) => (setKey(change, write), true),
    }),
    /** `index` "0": only if the key is absent. */
    "kv.cas": command<KvWrite & { index: Uint64Text }, boolean>({
      shape: { ...keyWrite, index: uint64 },
      admit: admitKey,
      apply: (change, write) => casKey(change, write, write.index) !== undefined,
    }),
    "kv.delete": command<{ key: string }, true>({
      shape: { key: text },
      admit: admitKey,
      apply: (change, { key }) => (deleteKey(change, key), true),
    }),
    "kv.delete-cas": command<{ key: string; index: Uint64Text }, boolean>({
      shape: { key: text, index: uint64 },
      admit: admitKey,
      apply: (change, { key, index }) => casDeleteKey(change, key, index),
    }),
    "kv.delete-tree": command<{ prefix: string }, true>({
      shape: { prefix: text },
      admit: (given, { authorizer }) => {
        if (authorizer.allowsKeyTree(given.prefix)) return given;
        throw new ServiceError("permission-denied", "Permission denied");
      },
      apply: (change, { prefix }) => (deleteTree(change, prefix), true),
    }),
    /**
     * Forgets deletions made at or before `untilMs` in leader time; proposed by the leader. Answers how many
     * tombstones are forgotten.
     */
    "tombstone.reap": command<{ untilMs: number }, number>({
      shape: { untilMs: integer },
      admit: admitAll,
      apply: (change, { untilMs }) => reapTombstones(change, untilMs),
    }),
  },
  reads: kvReads,
});
