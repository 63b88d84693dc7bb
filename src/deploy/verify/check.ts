// What is verified: each check is by itself, leaves nothing behind, and says in a line what it saw.

import type { Registry } from "./registry.ts";

export interface Verification {
  registry: Registry;
  /** Begins every name that is made here. */
  prefix: string;
  /** For agents of hosts; null: nobody gave one, and a token is minted for it where that is allowed. */
  joinToken: string | null;
}

export interface Check {
  name: string;
  /** What was seen. Throws Failed. */
  run(verification: Verification): Promise<string>;
}

export interface Outcome {
  name: string;
  ok: boolean;
  detail: string;
}

/** One after the other: they share a registry, and are to be read in order. */
export async function runChecks(
  checks: readonly Check[],
  verification: Verification,
  report: (outcome: Outcome) => void,
): Promise<boolean> {
  let allOk = true;
  for (const { name, run } of checks) {
    const outcome = await run(verification).then(
      (detail) => ({ name, ok: true, detail }),
      (failure: unknown) => ({
        name,
        ok: false,
        detail: failure instanceof Error ? failure.message : String(failure),
      }),
    );
    report(outcome);
    allOk &&= outcome.ok;
  }
  return allOk;
}
