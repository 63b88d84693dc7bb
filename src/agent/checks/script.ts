// Script checks: exit code 0 passes, 1 warns, everything else is critical. Off unless the configuration allows them.

import type { CheckDefinition, CheckStatus } from "../../core/agent/definitions.ts";
import { formatDuration } from "../../core/model/duration.ts";
import { runProgram } from "../program.ts";
import { critical, deadline, type Probe } from "./probe.ts";

const timeoutMsDefault = 30_000;
const statuses: Record<number, CheckStatus> = { 0: "passing", 1: "warning" };

export function scriptProbe(check: CheckDefinition, outputBytesMax: number): Probe {
  return async (outer) => {
    const timeoutMs = check.timeoutMs || timeoutMsDefault;
    const limit = deadline(outer, timeoutMs);
    const { signal } = limit;
    try {
      const { code, output } = await runProgram(check.args, { outputBytesMax, signal });
      if (!limit.timedOut()) return { status: statuses[code ?? -1] ?? "critical", output };
      return critical(`Timed out (${formatDuration(timeoutMs * 1e6)}) running check`);
    } catch (error) {
      return critical((error as Error).message);
    } finally {
      limit.done();
    }
  };
}
