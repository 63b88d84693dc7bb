// Checks of what is left when the flags are read.

import { type Call, Failure } from "./command.ts";
import type { FlagTable } from "./flags.ts";

/** Throws Failure when there are more arguments. */
export function expectAtMost(count: number, args: readonly string[]): void {
  if (args.length <= count) return;
  throw new Failure(`Too many arguments (expected ${count}, got ${args.length})`);
}

/** What Consul says to somebody who does not know the command: what is missing, and the help. */
export function misused<Table extends FlagTable>(
  { help }: Call<Table>,
  problem: string,
  gap = "\n\n",
): Failure {
  return new Failure(problem + gap + help.trimEnd());
}
