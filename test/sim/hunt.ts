// Looks for the first seed that catches a planted bug.

import type { Bug } from "./bug.ts";
import type { Instance } from "./instance.ts";
import { failure, run } from "./run.ts";

export interface Catch {
  seed: number;
  reason: string;
}

export function hunt(bug: Bug<Instance>, seedsMax: number): Catch | null {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    try {
      run({ seed, bug });
    } catch (error) {
      const reason = failure(error);
      if (reason === null) throw error;
      return { seed, reason };
    }
  }
  return null;
}
