// Locks on keys, held by sessions. They have no table: the holder stands in the key's row.

import { text } from "../../../model/schema.ts";
import { command, defineArea } from "../../area.ts";
import type { KvWrite } from "../kv/entries.ts";
import { admitKey, keyWrite } from "../kv/shapes.ts";
import { isLockDelayed } from "../session/lock-delay.ts";
import { lockKey, unlockKey } from "./lock.ts";

type Locking = KvWrite & { session: string };

export const lock = defineArea({
  name: "lock",
  tables: [],
  commands: {
    "kv.lock": command<Locking, boolean>({
      shape: { ...keyWrite, session: text },
      admit: admitKey,
      apply: (change, given) =>
        !isLockDelayed(change, given.key) && lockKey(change, given, given.session) !== undefined,
    }),
    "kv.unlock": command<Locking, boolean>({
      shape: { ...keyWrite, session: text },
      admit: admitKey,
      apply: (change, given) => unlockKey(change, given, given.session) !== undefined,
    }),
  },
  reads: {},
});
