// What the pages of keys read.

import type { Live } from "../../live/client.ts";
import type { KeyRow } from "../../model/kv.ts";
import { within } from "../../model/plan.ts";
import { useLive } from "../../state/live.ts";

/** Names of what is in the folder at `at` (`keyPath`); folders in it end with a slash. */
export function useFolder(dc: string, at: string): { path: string; live: Live<string[]> } {
  const path = within(at, { dc, keys: "", separator: "/" });
  return { path, live: useLive<string[]>(path) };
}

export function useKey(dc: string, at: string): { path: string; live: Live<KeyRow[]> } {
  const path = within(at, { dc });
  return { path, live: useLive<KeyRow[]>(path) };
}
