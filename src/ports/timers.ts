// Timers as the parts that may also run in simulated time see them. `clear` accepts null, and what was already run or
// cleared.

export type TimerHandle = object | number | null;

export interface Timers {
  /** Runs `run` once, `delayMs` or more from now. */
  set(run: () => void, delayMs: number): TimerHandle;
  clear(handle: TimerHandle): void;
}

/** Resolves after `delayMs`. */
export function sleep(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.set(resolve, delayMs);
  });
}

/** Rejects with `late()` when `work` takes longer than `timeoutMs`; what it does afterwards is ignored. */
export async function withTimeout<Value>(
  timers: Timers,
  work: Promise<Value>,
  timeoutMs: number,
  late: () => Error,
): Promise<Value> {
  let timer: TimerHandle = null;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = timers.set(() => reject(late()), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timers.clear(timer);
    // The rejection of work that came too late must not become an unhandled one.
    work.catch(() => undefined);
  }
}
