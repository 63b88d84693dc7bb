// What a configuration says of TLS: files, versions, cipher suites, and whose certificates are asked for.

import { isIP } from "node:net";

import type { JsonValue } from "../../core/model/json.ts";
import { formatDuration } from "../../core/model/duration.ts";
import { ConfigError } from "./errors.ts";
import type { ConfigValues } from "./keys.ts";
import { listProblems } from "./parse.ts";

/** Files in PEM; "" for none. */
export interface TlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
  /** As Consul names it: `tls12`. */
  readonly minVersion: string;
  /** As Go names them, in the order of preference; none means OpenSSL's. */
  readonly cipherSuites: readonly string[];
  readonly serverCiphersFirst: boolean;
  /** Clients of the HTTPS API must show a certificate. */
  readonly verifyIncomingHttps: boolean;
  readonly httpsHandshakeMs: number;
  readonly rpcHandshakeMs: number;
  /** Agents and servers that come to the ports of a server must show a certificate. */
  readonly verifyIncomingRpc: boolean;
  /** Servers are reached by TLS, and must be known to the authority. */
  readonly verifyOutgoing: boolean;
  /** They must be `server.DATACENTER.DOMAIN`, too. */
  readonly verifyServerHostname: boolean;
  readonly serverName: string;
  /** HTTPS checks show the agent's certificate, and believe whom it believes. */
  readonly usedForChecks: boolean;
  readonly autoEncrypt: AutoEncryptConfig;
}

export interface AutoEncryptConfig {
  /** This agent asks servers for its certificate. */
  readonly tls: boolean;
  /** These servers give them. */
  readonly allowTls: boolean;
  /** What the certificate is for, beside this host's loopback addresses. */
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
}

/** By Go's name: OpenSSL's, and the number. */
export const cipherSuites: Readonly<Record<string, readonly [string, number]>> = {
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: ["ECDHE-RSA-AES128-GCM-SHA256", 0xc02f],
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: ["ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b],
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: ["ECDHE-RSA-AES256-GCM-SHA384", 0xc030],
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: ["ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c],
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: ["ECDHE-RSA-AES128-SHA256", 0xc027],
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: ["ECDHE-ECDSA-AES128-SHA256", 0xc023],
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: ["ECDHE-RSA-AES128-SHA", 0xc013],
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: ["ECDHE-ECDSA-AES128-SHA", 0xc009],
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: ["ECDHE-RSA-AES256-SHA", 0xc014],
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: ["ECDHE-ECDSA-AES256-SHA", 0xc00a],
};

/** By Consul's name: Node's. */
export const tlsVersions = {
  tls10: "TLSv1",
  tls11: "TLSv1.1",
  tls12: "TLSv1.2",
  tls13: "TLSv1.3",
} as const;

/** Throws ConfigError for a suite or a version that Consul does not know. */
export function resolveTls(values: ConfigValues): TlsConfig {
  return {
    certFile: values.cert_file,
    keyFile: values.key_file,
    minVersion: versionOf(values.tls_min_version),
    cipherSuites: suitesOf(values.tls_cipher_suites),
    serverCiphersFirst: values.tls_prefer_server_cipher_suites,
    verifyIncomingHttps: values.verify_incoming || values.verify_incoming_https,
    verifyIncomingRpc: values.verify_incoming || values.verify_incoming_rpc,
    // Consul's documentation says that the second implies the first.
    verifyOutgoing:
      values.verify_outgoing || values.verify_server_hostname || values["auto_encrypt.tls"],
    verifyServerHostname: values.verify_server_hostname,
    serverName: values.server_name,
    usedForChecks: values.enable_agent_tls_for_checks,
    httpsHandshakeMs: Math.max(1, values["limits.https_handshake_timeout"]),
    rpcHandshakeMs: Math.max(1, values["limits.rpc_handshake_timeout"]),
    autoEncrypt: {
      tls: values["auto_encrypt.tls"],
      allowTls: values["auto_encrypt.allow_tls"],
      dnsNames: values["auto_encrypt.dns_san"],
      addresses: values["auto_encrypt.ip_san"].filter((address) => isIP(address) !== 0),
    },
  };
}

function versionOf(version: string): string {
  if (Object.hasOwn(tlsVersions, version)) return version;
  throw new ConfigError(
    `TLSMinVersion: value ${version} not supported, please specify one of ` +
      `[${Object.keys(tlsVersions).join(", ")}]`,
  );
}

function suitesOf(list: string): string[] {
  const names = list.split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !Object.hasOwn(cipherSuites, name));
  if (unknown === undefined) return names;
  const problem = `invalid tls cipher suites: unsupported cipher ${JSON.stringify(unknown)}`;
  throw new ConfigError(listProblems([`tls_cipher_suites: ${problem}`]));
}

/** Under the names of `DebugConfig`. */
export function tlsDebug(values: ConfigValues, tls: TlsConfig): Record<string, JsonValue> {
  return {
    AutoEncryptAllowTLS: tls.autoEncrypt.allowTls,
    AutoEncryptDNSSAN: [...tls.autoEncrypt.dnsNames],
    AutoEncryptIPSAN: [...tls.autoEncrypt.addresses],
    AutoEncryptTLS: tls.autoEncrypt.tls,
    CAFile: values.ca_file,
    CAPath: values.ca_path,
    CertFile: tls.certFile,
    EnableAgentTLSForChecks: tls.usedForChecks,
    HTTPSHandshakeTimeout: formatDuration(tls.httpsHandshakeMs * 1e6),
    KeyFile: "hidden",
    RPCHandshakeTimeout: formatDuration(tls.rpcHandshakeMs * 1e6),
    TLSCipherSuites: tls.cipherSuites.flatMap((name) => cipherSuites[name]?.[1] ?? []),
    TLSMinVersion: tls.minVersion,
    TLSPreferServerCipherSuites: tls.serverCiphersFirst,
    ServerName: tls.serverName,
    VerifyIncoming: values.verify_incoming,
    VerifyIncomingHTTPS: values.verify_incoming_https,
    VerifyIncomingRPC: values.verify_incoming_rpc,
    VerifyOutgoing: values.verify_outgoing || values.verify_server_hostname,
    VerifyServerHostname: tls.verifyServerHostname,
  };
}
