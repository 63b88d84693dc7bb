// Authorities and certificates of agents, as files of a test's own.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { TlsConfig } from "../../src/agent/config/tls.ts";
import {
  type CertificateAndKey,
  clientPurpose,
  createAgentAuthority,
  createAgentCertificate,
  serverPurpose,
} from "../../src/connect/agent-certificates.ts";

/** As when nothing is configured. */
export const noTls: TlsConfig = {
  ...{ certFile: "", keyFile: "", minVersion: "tls12", cipherSuites: [] },
  ...{ serverCiphersFirst: false, verifyIncomingHttps: false, httpsHandshakeMs: 5_000 },
  ...{ rpcHandshakeMs: 5_000, usedForChecks: false },
  ...{
    verifyIncomingRpc: false,
    verifyOutgoing: false,
    verifyServerHostname: false,
    serverName: "",
  },
  autoEncrypt: { tls: false, allowTls: false, dnsNames: [], addresses: [] },
};

const dayMs = 86_400_000;

export async function agentAuthority(): Promise<CertificateAndKey> {
  // Long enough ago for certificates that are over.
  return await createAgentAuthority({ days: 365, domains: [], nowMs: Date.now() - 10 * dayMs });
}

export async function agentCertificate(
  authority: CertificateAndKey,
  name: string,
  options: { expired?: boolean; purposes?: readonly string[] } = {},
): Promise<CertificateAndKey> {
  const { expired = false, purposes = [serverPurpose, clientPurpose] } = options;
  return await createAgentCertificate({
    authority,
    commonName: name,
    dnsNames: [name, "localhost"],
    addresses: ["127.0.0.1"],
    purposes,
    days: expired ? 1 : 30,
    nowMs: expired ? Date.now() - 2 * dayMs : Date.now(),
  });
}

/** Writes NAME.pem and NAME-key.pem and says where they are, as configuration. */
export function writeCertificate(folder: string, name: string, made: CertificateAndKey) {
  const cert_file = join(folder, `${name}.pem`);
  const key_file = join(folder, `${name}-key.pem`);
  writeFileSync(cert_file, made.certificate);
  writeFileSync(key_file, made.key);
  return { cert_file, key_file };
}
