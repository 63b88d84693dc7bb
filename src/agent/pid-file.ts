// The file that tells the process id to whoever started the agent.

import { rmSync, writeFileSync } from "node:fs";

import { goReason } from "./go-reasons.ts";

export interface PidFile {
  remove(): void;
}

/** "" for none. Throws in Consul's words. */
export function storePid(path: string, pid: number): PidFile {
  if (path === "") return { remove: () => undefined };
  try {
    writeFileSync(path, String(pid));
  } catch (failure) {
    throw new Error(`Could not open pid file: open ${path}: ${goReason(failure)}`, {
      cause: failure,
    });
  }
  return { remove: () => rmSync(path, { force: true }) };
}
