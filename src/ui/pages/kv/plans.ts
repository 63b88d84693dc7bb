// Deleting keys, as plans.

import { keyPath } from "../../model/kv.ts";
import type { KeyRow } from "../../model/kv.ts";
import { confirmFor, restoring, within } from "../../model/plan.ts";
import type { Kept, Plan } from "../../model/plan.ts";
import { readOnce } from "../../state/writes.ts";
import { words } from "../../text/index.ts";
import { folderPath } from "./data.ts";

export function deleteKey(dc: string, row: KeyRow): Plan {
  const { kv } = words();
  const path = keyPath(row.Key) ?? "v1/kv/";
  const session = row.Session ?? "";
  return {
    title: kv.deleteTitle(row.Key),
    items: [row.Key],
    follows: [kv.deleteFollows, ...(session === "" ? [] : [kv.lockFollows(session)])],
    writes: [{ method: "DELETE", path: within(path, { dc, cas: String(row.ModifyIndex) }) }],
    action: kv.delete.replace("…", ""),
    confirm: null,
    done: kv.deleted1(1),
    undo: () => Promise.resolve(restoring([row], dc)),
  };
}

/** Null where the folder cannot be read. */
export async function deleteFolder(dc: string, prefix: string): Promise<Plan | null> {
  const { kv } = words();
  const path = folderPath(prefix);
  const keys = await readOnce<string[]>(within(path, { dc, keys: "" }));
  if (!keys) return null;
  return {
    title: kv.deleteFolderTitle(keys.length, prefix),
    items: keys,
    follows: [kv.deleteFolderFollows],
    writes: [{ method: "DELETE", path: within(path, { dc, recurse: "" }) }],
    action: kv.delete.replace("…", ""),
    confirm: confirmFor(keys, prefix),
    done: kv.deleted1(keys.length),
    undo: async () => {
      const rows = await readOnce<Kept[]>(within(path, { dc, recurse: "" }));
      return rows ? restoring(rows, dc) : null;
    },
  };
}
