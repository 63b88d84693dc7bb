// What the pages of keys read.

import type { Live } from "../../live/client.ts";
import { keyPath } from "../../model/kv.ts";
import type { KeyRow } from "../../model/kv.ts";
import { within } from "../../model/plan.ts";
import { useLive } from "../../state/live.ts";

/** Names of what is in a folder; folders in it end with a slash. */
export function useFolder(dc: string, prefix: string): { path: string; live: Live<string[]> } {
  const path = within(folderPath(prefix), { dc, keys: "", separator: "/" });
  return { path, live: useLive<string[]>(path) };
}

/** Below the API's root. */
export function folderPath(prefix: string): string {
  return `v1/kv/${prefix.split("/").map(encodeURIComponent).join("/")}`;
}

export function useKey(dc: string, key: string): { path: string; live: Live<KeyRow[]> } {
  const path = within(keyPath(key) ?? "v1/kv/", { dc });
  return { path, live: useLive<KeyRow[]>(path) };
}
