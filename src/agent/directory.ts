// Makes directories one after the other: asked for all of them at once, Node does not come back from places such as
// /proc, where nothing can be made.

import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { goReason } from "./go-reasons.ts";

/** With those above it. Throws with one line. */
export function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !isDirectory(at) && dirname(at) !== at; at = dirname(at)) {
    missing.unshift(at);
  }
  for (const each of missing) {
    try {
      mkdirSync(each, { mode: 0o755 });
    } catch (failure) {
      // Another process made it meanwhile.
      if (isDirectory(each)) continue;
      const isThere = (failure as NodeJS.ErrnoException).code === "EEXIST";
      const reason = isThere ? "not a directory" : goReason(failure);
      throw new Error(`mkdir ${each}: ${reason}`, { cause: failure });
    }
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
