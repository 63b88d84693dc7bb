// Node's own timers; none of them keeps the process alive, which its listeners do.

import type { Timers } from "../ports/timers.ts";

export const nodeTimers: Timers = {
  set: (run, delayMs) => setTimeout(run, delayMs).unref(),
  clear: (handle) => clearTimeout((handle ?? undefined) as NodeJS.Timeout | undefined),
};
