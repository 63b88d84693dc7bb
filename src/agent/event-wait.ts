// Waits for the next user event.

import type { UserEvents } from "../core/gossip/user-events.ts";
import type { EventWait } from "../ports/local-agent.ts";

/** Resolves to what is left of the time when there is another newest event than `newest`, or the asker went away. */
export function eventMoved(
  events: Pick<UserEvents, "list" | "subscribe">,
  { newest, waitMs, signal }: EventWait,
): Promise<number> {
  const endMs = performance.now() + waitMs;
  const isMoved = (): boolean => (events.list.at(-1)?.ID ?? "") !== newest;
  return new Promise((resolve) => {
    const done = (leftMs: number): void => {
      clearTimeout(timer);
      unsubscribe();
      signal.removeEventListener("abort", aborted);
      resolve(leftMs);
    };
    const moved = (): void => {
      if (isMoved()) done(Math.max(1, endMs - performance.now()));
    };
    const aborted = (): void => done(0);
    const timer = setTimeout(done, waitMs, 0);
    const unsubscribe = events.subscribe(moved);
    signal.addEventListener("abort", aborted, { once: true });
    moved();
  });
}
