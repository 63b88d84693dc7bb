// The runtime's own timers.

import type { Timers } from "../../../src/ports/timers.ts";

export const platformTimers: Timers = {
  set: (run, delayMs) => setTimeout(run, delayMs),
  clear: (handle) => clearTimeout(handle as number | null),
};
