// What a service's page reads.

import { useEffect, useMemo } from "preact/hooks";

import type { Standing } from "../../live/port.ts";
import { instancesOf } from "../../model/instance.ts";
import type { HealthRow, Instance } from "../../model/instance.ts";
import { apiPath, useLive } from "../../state/live.ts";
import { watchChecks } from "../../state/seen.ts";

export interface ServiceData {
  path: string;
  standing: Standing;
  /** Worst first, then by node and id. */
  instances: readonly Instance[];
}

const badness = { critical: 0, maintenance: 1, warning: 2, passing: 3 } as const;

export function useService(dc: string, service: string): ServiceData {
  const name = encodeURIComponent(service);
  const path = apiPath(`health/service/${name}`, { dc });
  const rows = useLive<HealthRow[]>(path);
  const sidecars = useLive<HealthRow[]>(apiPath(`health/connect/${name}`, { dc }), { priority: 1 });
  const instances = useMemo(
    () => instancesOf(rows.body ?? [], (sidecars.body ?? []).filter(isProxy)).toSorted(byBadness),
    [rows.body, sidecars.body],
  );
  useEffect(() => {
    const checks = instances.flatMap((instance) => instance.checks.map(({ check }) => check));
    watchChecks(checks, Date.now());
  }, [instances]);
  return { path, standing: rows.standing, instances };
}

function isProxy({ Service }: HealthRow): boolean {
  return Service.Kind === "connect-proxy";
}

function byBadness(a: Instance, b: Instance): number {
  const texts = (a.node + "\n" + a.id).localeCompare(b.node + "\n" + b.id, "en", { numeric: true });
  return badness[a.state] - badness[b.state] || texts;
}
