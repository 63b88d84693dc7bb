// Blocking queries as an iteration: each request waits for something newer than the answer before it.

import type { Parts } from "./request.ts";
import type { Refusal, Success } from "./types.ts";

type Answered = Success<unknown> | Refusal<unknown>;

export async function* watched(
  ask: (parts: Parts) => Promise<Answered>,
  given: Parts = {},
): AsyncGenerator<Answered, void, void> {
  const { signal } = given;
  let held = "0";
  for (;;) {
    if (signal?.aborted === true) return;
    const answer = await ask({ ...given, query: { ...given.query, index: held } }).catch(
      (failure: unknown) => {
        if (signal?.aborted === true) return null;
        throw failure;
      },
    );
    if (answer === null) return;
    const isSame = answer.ok && held !== "0" && answer.meta.index === held;
    if (!isSame) yield answer;
    if (!answer.ok) return;
    held = nextIndex(held, answer.meta.index);
  }
}

/** One that went back means that the servers begin anew, and 0 would not wait at all. */
function nextIndex(held: string, given: string | null): string {
  const next = BigInt(given ?? "0");
  if (next < BigInt(held)) return "0";
  return String(next === 0n ? 1n : next);
}
