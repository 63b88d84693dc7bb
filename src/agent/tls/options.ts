// The options of Node's TLS, of what the configuration says in the words of Go.

import type { SecureContextOptions, SecureVersion } from "node:tls";

import { cipherSuites, type TlsConfig, tlsVersions } from "../config/tls.ts";
import type { TlsState } from "./material.ts";

/** Go does not let them be chosen, either. */
const suitesOfTls13 = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
];

export function secureOptions(state: TlsState): SecureContextOptions {
  const { config, pair } = state;
  const authorities = [...state.authorities, ...state.vouched];
  const minVersion: SecureVersion =
    tlsVersions[config.minVersion as keyof typeof tlsVersions] ?? "TLSv1.2";
  const ciphers = ciphersOf(config);
  return {
    ...pair,
    minVersion,
    ...(authorities.length > 0 && { ca: authorities }),
    ...(ciphers !== "" && { ciphers }),
    honorCipherOrder: config.serverCiphersFirst,
  };
}

/**
 * For HTTPS checks: whom they ask must have the name of `server_name`, or this node's, as with Consul. Null: they show
 * nothing, and believe whom the system believes.
 */
export function checkOptions(state: TlsState, nodeName: string): CheckTls | null {
  const { usedForChecks, serverName } = state.config;
  if (!usedForChecks) return null;
  const own = secureOptions({ ...state, vouched: [] });
  return { ...own, servername: serverName === "" ? nodeName : serverName };
}

export type CheckTls = SecureContextOptions & { servername: string };

export function ciphersOf({ minVersion, cipherSuites: chosen }: TlsConfig): string {
  const names = chosen.flatMap((name) => cipherSuites[name]?.[0] ?? []);
  const list = names.length === 0 ? [] : [...suitesOfTls13, ...names];
  // What the older versions sign with is below OpenSSL's default level.
  if (minVersion !== "tls10" && minVersion !== "tls11") return list.join(":");
  return [...(list.length === 0 ? ["DEFAULT"] : list), "@SECLEVEL=0"].join(":");
}
