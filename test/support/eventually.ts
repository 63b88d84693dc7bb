// Waiting for a condition of a system that runs beside the test. Never for a time.

export interface EventuallyOptions {
  /** Said when the limit is reached. */
  what: string;
  limitMs?: number;
  intervalMs?: number;
}

/**
 * Asks until the answer is neither undefined, null nor false, and gives it back. Whatever the question throws counts
 * as "not yet". Rejects, with what was seen last, after `limitMs` (10 s).
 */
export async function eventually<Value>(
  ask: () => Promise<Value | undefined | null | false> | Value | undefined | null | false,
  { what, limitMs = 10_000, intervalMs = 25 }: EventuallyOptions,
): Promise<Value> {
  const deadlineMs = Date.now() + limitMs;
  let last: unknown = "nothing";
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) return answer;
      last = answer;
    } catch (failure) {
      last = failure;
    }
    if (Date.now() >= deadlineMs) {
      throw new Error(`within ${limitMs} ms: ${what}; last: ${String(last)}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
