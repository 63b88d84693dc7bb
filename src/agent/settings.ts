// What the configuration means to the parts that share it with other agents: the API, and the local state.

import type { ApiSettings } from "../api/index.ts";
import { LocalAgentState } from "../core/agent/local-state.ts";
import { seededRandom } from "../core/lib/random.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";

export function apiSettings(config: ResolvedAgentConfig): ApiSettings {
  return {
    aclEnabled: config.acl.enabled,
    usesCache: config.http.usesCache,
    coordinates: config.coordinates,
    refusesUnprintable: config.http.refusesUnprintable,
    defaultQueryTimeMs: config.defaultQueryTimeMs,
    maxQueryTimeMs: config.maxQueryTimeMs,
    kvValueBytesMax: config.limits.kvValueBytesMax,
    txnBodyBytesMax: config.limits.txnBytesMax,
    ...(config.translateWanAddresses && { translatesFrom: config.datacenter }),
    ...(config.sessionTtlMinMs > 0 && { sessionTtlMsMin: config.sessionTtlMinMs }),
  };
}

export function makeState(config: ResolvedAgentConfig): LocalAgentState {
  return new LocalAgentState(
    {
      id: config.nodeId,
      name: config.nodeName,
      datacenter: config.datacenter,
      address: config.advertiseAddress,
      taggedAddresses: { ...config.taggedAddresses },
      meta: { ...config.nodeMeta, "consul-network-segment": "" },
    },
    {
      checkUpdateIntervalMs: config.checkUpdateIntervalMs,
      outputBytesMax: config.checkOutputBytesMax,
      discardCheckOutput: config.discardCheckOutput,
      scripts: { fromFile: config.enableLocalScriptChecks, fromApi: config.enableScriptChecks },
      sidecarPorts: { min: config.ports.sidecarMin, max: config.ports.sidecarMax },
      random: seededRandom(Date.now()),
    },
    Date.now(),
  );
}

export function forgetApiRows(state: LocalAgentState, nowMs: number): void {
  for (const [id, { origin, sidecarOf }] of [...state.rows.services]) {
    if (origin === "api" && sidecarOf === null) state.deregisterService(id, nowMs);
  }
  for (const [id, { origin, definition }] of [...state.rows.checks]) {
    if (origin === "api" && definition !== null) state.deregisterCheck(id, nowMs);
  }
}

/** Zones that the agent answers for, as names end with them. */
export function zonesOf({
  dns: { domain, altDomain },
}: Pick<ResolvedAgentConfig, "dns">): string[] {
  return [domain, altDomain].filter((zone) => zone !== "").map((zone) => `${zone}.`);
}
