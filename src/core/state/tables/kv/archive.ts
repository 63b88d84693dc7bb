// Keys and tombstones in archives.

import { pack, unpack } from "../../archive/wire.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive, RecordKind } from "../../archive/kinds.ts";
import { kvEntrySchema } from "../../../model/schemas.ts";
import type { KvEntry } from "../../../model/types.ts";
import { kvTable } from "./entries.ts";
import { kvs, tombstones } from "./indexes.ts";
import { tombstoneTable } from "./tombstone.ts";

const keys: RecordKind = {
  type: recordTypes.kv,
  *save(copy) {
    for (const row of copy.rows(kvTable)) {
      const entry: KvEntry = {
        LockIndex: row.lock_index,
        Key: row.key,
        Flags: row.flags,
        Value: row.value,
        Session: row.session ?? "",
        CreateIndex: row.create_index,
        ModifyIndex: row.modify_index,
      };
      yield (packer) => pack(packer, kvEntrySchema, entry);
    }
  },
  load(loading, body) {
    const entry = unpack(kvEntrySchema, body) as KvEntry;
    loading.table(kvTable).put({
      key: entry.Key,
      flags: entry.Flags,
      session: entry.Session === "" ? null : entry.Session,
      lock_index: entry.LockIndex,
      ...raftIndexes(loading, body),
      value: entry.Value,
    });
  },
};

/** They are forgotten as if they were new: nobody knows how old they are. */
const buried: RecordKind = {
  type: recordTypes.tombstone,
  *save(copy) {
    for (const { key, modify_index } of copy.rows(tombstoneTable)) {
      const entry = { Flags: "0", Key: key, ModifyIndex: modify_index };
      yield (packer) => pack(packer, kvEntrySchema, entry);
    }
  },
  load(loading, body) {
    const { Key: key } = unpack(kvEntrySchema, body) as KvEntry;
    const { modify_index } = raftIndexes(loading, body);
    loading.table(tombstoneTable).put({ key, modify_index, deleted_ms: loading.nowMs });
  },
};

export const kvArchive: AreaArchive = { kinds: [keys, buried], indexes: [kvs, tombstones] };
