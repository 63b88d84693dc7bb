// How patient a pool is, as its settings say.

import {
  deployedLiveness,
  hostedLiveness,
  type LivenessTiming,
} from "../../src/core/gossip/liveness.ts";
import type { Settings } from "../platform/settings.ts";

export function livenessOf({ HOST, SWEEP_INTERVAL_MS: sweepIntervalMs }: Settings): LivenessTiming {
  const timing = HOST ? hostedLiveness : deployedLiveness;
  return sweepIntervalMs === undefined ? timing : { ...timing, sweepIntervalMs };
}
