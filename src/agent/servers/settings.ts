// What the servers of this process are told, whatever runs them.

import { randomUUID } from "node:crypto";

import { joinHostPort } from "../../core/lib/host-port.ts";
import type { GivenDnsSettings } from "../../core/dns/given-settings.ts";
import type { AutopilotConfig } from "../../core/model/autopilot.ts";
import type { ConfigEntry } from "../../core/model/config-entry/types.ts";
import type { JsonValue } from "../../core/model/json.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";

/** The same as `Settings` of the objects (durable/platform/settings.ts), which the agent must not import. */
export interface ServerSettings {
  DEFAULT_DC: string;
  DATACENTERS: Record<string, { servers: number }>;
  PRIMARY_DC: string;
  AGENT_KEY: string;
  SERVER_KEY?: string;
  ACL?: { defaultPolicy: "allow" | "deny"; keyListPolicy: boolean; masterToken: string };
  CONFIG_ENTRIES?: ConfigEntry[];
  /** Connect is enabled. */
  CONNECT?: { clusterId?: string; config: Record<string, JsonValue> };
  AUTOPILOT: AutopilotConfig;
  RECONNECT_TIMEOUT_MS: number;
  /** How the Worker's own DNS answers: as the agent does, but for recursors, which it cannot ask by UDP. */
  DNS: GivenDnsSettings;
  HOST: {
    servers: { id: string; name: string; address: string }[];
    bootstrapExpect: number;
    timing: "local" | "lan";
    startId: string;
    edge: boolean;
  };
}

export function serverSettings(config: ResolvedAgentConfig, agentKey: string): ServerSettings {
  const servers = Array.from({ length: config.servers }, (_, n) =>
    n === 0
      ? {
          id: config.nodeId,
          name: config.nodeName,
          address: joinHostPort(config.advertiseAddress, config.ports.server),
        }
      : {
          // A stable id, so that a kept data directory finds the same peers again.
          id: siblingId(config.nodeId, n),
          name: siblingName(n),
          address: `127.0.0.${n + 1}:${config.ports.server}`,
        },
  );
  return {
    DEFAULT_DC: config.datacenter,
    DATACENTERS: { [config.datacenter]: { servers: config.servers } },
    PRIMARY_DC: config.primaryDatacenter,
    AGENT_KEY: agentKey,
    ...(config.serverKey === "" ? {} : { SERVER_KEY: config.serverKey }),
    ...(config.acl.enabled && { ACL: aclSettings(config) }),
    ...(config.configEntries.length > 0 && { CONFIG_ENTRIES: [...config.configEntries] }),
    ...connectSettings(config),
    AUTOPILOT: config.autopilot,
    RECONNECT_TIMEOUT_MS: config.gossip.reconnectTimeoutMs,
    DNS: dnsSettings(config),
    HOST: {
      servers,
      bootstrapExpect: expectation(config),
      // Several servers in one process fail together; one alone may be joined by others at any time.
      timing: config.servers > 1 ? "local" : "lan",
      startId: randomUUID(),
      edge: config.ports.edge > 0,
    },
  };
}

function dnsSettings({ dns }: ResolvedAgentConfig): GivenDnsSettings {
  const { domain, altDomain, onlyPassing, aRecordLimit, nodeTtlMs, serviceTtlMs, soa } = dns;
  const serviceTtl = Object.entries(serviceTtlMs).map(([service, ms]) => [service, `${ms}ms`]);
  return {
    ...{ domain, altDomain, onlyPassing, aRecordLimit },
    nodeTtl: `${nodeTtlMs}ms`,
    serviceTtl: Object.fromEntries(serviceTtl) as Record<string, string>,
    negativeTtl: `${soa.minTtlSeconds}s`,
  };
}

function aclSettings({ acl }: ResolvedAgentConfig): NonNullable<ServerSettings["ACL"]> {
  const { defaultPolicy, keyListPolicy, masterToken } = acl;
  return { defaultPolicy, keyListPolicy, masterToken };
}

function connectSettings({ connect }: ResolvedAgentConfig): Pick<ServerSettings, "CONNECT"> {
  const { enabled, clusterId, caConfig } = connect;
  if (!enabled) return {};
  return { CONNECT: { ...(clusterId !== "" && { clusterId }), config: { ...caConfig } } };
}

/**
 * How many servers found the datacenter; 0: this one waits to be taken in. As Consul counts: who is told to bootstrap,
 * or runs for development and joins nobody, founds alone; who says nothing founds nothing.
 */
function expectation(config: ResolvedAgentConfig): number {
  if (config.servers > 1) return config.servers;
  const joins = config.startJoin.length + config.retryJoin.addresses.length > 0;
  if (config.bootstrap || (config.devMode && !joins)) return 1;
  return config.bootstrapExpect;
}

/** Nodes of this process: the agent's own, then those of its further servers. */
export function nodeNamesOf(config: Pick<ResolvedAgentConfig, "nodeName" | "servers">): string[] {
  const siblings = Array.from({ length: Math.max(0, config.servers - 1) }, (_, at) => at + 1);
  return [config.nodeName, ...siblings.map(siblingName)];
}

function siblingName(n: number): string {
  return `server-${n}`;
}

/** The id of the node with its last four hex digits replaced by the server's number. */
function siblingId(nodeId: string, n: number): string {
  return nodeId.slice(0, -4) + n.toString(16).padStart(4, "0");
}
