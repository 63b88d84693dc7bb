// What the configuration means to the parts that share it with other agents: the API, and the local state.

import type { ApiSettings } from "../api/index.ts";
import { LocalAgentState } from "../core/agent/local-state.ts";
import { joinHostPort } from "../core/lib/host-port.ts";
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

/** Every node's, as the catalog has it: there are no segments. */
const segmentMeta = { "consul-network-segment": "" };

export function makeState(config: ResolvedAgentConfig): LocalAgentState {
  return new LocalAgentState(
    {
      id: config.nodeId,
      name: config.nodeName,
      datacenter: config.datacenter,
      address: config.advertiseAddress,
      taggedAddresses: { ...config.taggedAddresses },
      meta: { ...config.nodeMeta, ...segmentMeta },
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

/** Takes over what a running agent may be told anew about itself. */
export function reconfigure(state: LocalAgentState, config: ResolvedAgentConfig): void {
  const meta = { ...config.nodeMeta, ...segmentMeta };
  const { discardCheckOutput } = config;
  state.configure({ ...state.node, meta }, { ...state.settings, discardCheckOutput });
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

/** Where this host finds the agent's own API: `http://host:port` or `unix:///path`; null when it has none. */
export function apiAddress({
  addresses,
  ports,
}: Pick<ResolvedAgentConfig, "addresses" | "ports">): string | null {
  const [host] = addresses.http;
  if (host === undefined || ports.http <= 0) return null;
  if (host.startsWith("unix://")) return host;
  // Who listens everywhere is found at home.
  const near = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${joinHostPort(near, ports.http)}`;
}
