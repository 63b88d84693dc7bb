// Deleting keys, as plans.

import type { KeyRow } from "../../model/kv.ts";
import { confirmFor, restoring, within } from "../../model/plan.ts";
import type { Kept, Plan } from "../../model/plan.ts";
import { readOnce } from "../../state/writes.ts";
import { words } from "../../text/index.ts";

/** `path`: of the key. */
export function deleteKey(dc: string, path: string, row: KeyRow): Plan {
  const { kv } = words();
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

/** `path`: of the folder. Null where it cannot be read. */
export async function deleteFolder(dc: string, path: string, prefix: string): Promise<Plan | null> {
  const { kv } = words();
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
