// Alias checks of another node: follows that node's checks in the catalog by blocking reads. (An
// alias of this node is decided by the local state at once and runs nothing.)

import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../../ports/cluster.ts";
import { aliasResult } from "../../core/agent/health.ts";
import type { CheckDefinition } from "../../core/agent/definitions.ts";
import type { HealthCheck } from "../../core/model/types.ts";
import { critical, type ProbeResult } from "./probe.ts";

const waitMs = 60_000;
const retryMs = 5_000;
const retryMsMax = 60_000;

/** Reports every change until `signal` fires; resolves then. */
export async function followAlias(
  check: CheckDefinition,
  cluster: Cluster,
  report: (result: ProbeResult) => void,
  signal: AbortSignal,
): Promise<void> {
  let index = 0;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const read = await readTarget(check, cluster, index, signal);
      // An index that went back tells nothing about what changed: begin anew.
      index = read.index < index ? 0 : read.index;
      failures = 0;
      report(aliasResult(check, read));
    } catch (error) {
      if (signal.aborted) return;
      index = 0;
      failures++;
      report(critical(`Failure checking aliased node or service: ${(error as Error).message}`));
      const pauseMs = Math.min(retryMs * failures, retryMsMax);
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

interface TargetRead {
  index: number;
  checks: HealthCheck[];
  serviceExists: boolean;
}

async function readTarget(
  check: CheckDefinition,
  cluster: Cluster,
  minIndex: number,
  signal: AbortSignal,
): Promise<TargetRead> {
  const { aliasNode: node, aliasService: service, token } = check;
  const options = { token, consistency: "stale" as const, signal };
  const blocking = minIndex > 0 ? { ...options, minIndex, waitMs } : options;
  const checks = await cluster.read("health.node", { node }, blocking);
  const services = await cluster.read("catalog.node-services", { node }, options);
  const held = JSON.parse(services.body ?? "null") as { Services: { ID: string }[] | null } | null;
  return {
    index: checks.index,
    checks: JSON.parse(checks.body ?? "[]") as HealthCheck[],
    serviceExists: held?.Services?.some(({ ID }) => ID === service) ?? false,
  };
}
