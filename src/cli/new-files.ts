// Files that a command leaves behind: never over one that is there.

import { existsSync, writeFileSync } from "node:fs";

import { Failure } from "./command.ts";
import { openError } from "../agent/go-reasons.ts";

/** Private keys are for their owner only. */
const modes = { certificate: 0o644, key: 0o600 } as const;

/** Ends the command when it cannot be written. */
export function writeNew(file: string, text: string, kind: keyof typeof modes): void {
  try {
    writeFileSync(file, text, { flag: "wx", mode: modes[kind] });
  } catch (failure) {
    throw new Failure(openError(file, failure));
  }
}

export function refuseExisting(file: string): void {
  if (existsSync(file)) throw new Failure(`${file} already exists.`);
}
