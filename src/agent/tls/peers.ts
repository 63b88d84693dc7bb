// How this agent, and its servers, reach servers: what they show, and whom they believe.

import type { PeerTls } from "../../link/peer-tls.ts";
import { tlsVersions } from "../config/tls.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import { readTls, type TlsState } from "./material.ts";
import { ciphersOf } from "./options.ts";

/** Of the configuration, what matters when servers are reached. */
export type PeerConfig = Pick<ResolvedAgentConfig, "tls" | "caFile" | "caPath" | "datacenter"> & {
  readonly dns: Pick<ResolvedAgentConfig["dns"], "domain">;
};

/** Null where servers are reached in clear text. */
export function peerTls(
  { config, pair, authorities }: TlsState,
  { datacenter, dns }: Pick<PeerConfig, "datacenter" | "dns">,
): PeerTls | null {
  if (!config.verifyOutgoing) return null;
  return {
    ca: [...authorities],
    pair,
    minVersion: tlsVersions[config.minVersion as keyof typeof tlsVersions],
    ciphers: ciphersOf(config),
    serverName: config.serverName,
    naming: config.verifyServerHostname ? { datacenter, domain: dns.domain } : null,
  };
}

/** The same, of the files as they are now. Throws when they cannot be used. */
export function readPeerTls(config: PeerConfig): PeerTls | null {
  return config.tls.verifyOutgoing ? peerTls(readTls(config), config) : null;
}
