// Certificates of agents, as `tls ca create` and `tls cert create` make them: an authority of one's own, and what it
// signs for servers, clients and the command line. Extension by extension those of Consul 1.8.

// oxlint-disable-next-line import/no-unassigned-import -- a polyfill: it must be there before the library is
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

import {
  CertificateError,
  keyIdOf,
  readCertificate,
  subjectKeyId,
  wholeSecond,
} from "./certificates.ts";
import { exportKey, generateKey, importKey, type SigningKey } from "./keys.ts";
import {
  isPermitted,
  nameConstraints,
  nameConstraintsId,
  permittedDomains,
} from "./name-constraints.ts";
import { encodePem } from "./pem.ts";

/** Both PEM. */
export interface CertificateAndKey {
  certificate: string;
  key: string;
}

/** Of extended key usage. */
export const serverPurpose = "1.3.6.1.5.5.7.3.1";
export const clientPurpose = "1.3.6.1.5.5.7.3.2";

const dayMs = 24 * 3_600_000;
const serialBytes = 16;
const curveBits = 256;
const usage = x509.KeyUsageFlags;
const authorityUsage: x509.KeyUsageFlags =
  usage.digitalSignature | usage.keyCertSign | usage.cRLSign;
const leafUsage: x509.KeyUsageFlags = usage.digitalSignature | usage.keyEncipherment;

/** An authority that signs itself. `domains`: the DNS names it limits itself to; none means no limit. */
export async function createAgentAuthority(parts: {
  days: number;
  domains: readonly string[];
  nowMs: number;
}): Promise<CertificateAndKey> {
  const key = await generateKey("ec", curveBits);
  const serialNumber = newSerial();
  const name = authorityName(serialNumber);
  const keyId = await keyIdOf(key.publicKey);
  const { domains } = parts;
  const extensions = [
    new x509.KeyUsagesExtension(authorityUsage, true),
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.SubjectKeyIdentifierExtension(keyId),
    new x509.AuthorityKeyIdentifierExtension(keyId),
    ...(domains.length === 0
      ? []
      : [new x509.Extension(nameConstraintsId, true, nameConstraints(domains))]),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber,
    subject: name,
    issuer: name,
    ...validity(parts),
    signingAlgorithm: key.algorithm,
    publicKey: key.publicKey,
    signingKey: key.privateKey,
    extensions,
  });
  return await asText(certificate, key);
}

export interface AgentCertificateParts {
  /** PEM. */
  authority: CertificateAndKey;
  commonName: string;
  dnsNames: readonly string[];
  /** IP addresses. */
  addresses: readonly string[];
  /** Object ids of extended key usage. */
  purposes: readonly string[];
  days: number;
  nowMs: number;
}

/**
 * A certificate that the authority signs, held against it as whoever checks it will. Rejects with CertificateError and
 * KeyFormatError, in Go's words.
 */
export async function createAgentCertificate(
  parts: AgentCertificateParts,
): Promise<CertificateAndKey> {
  const { authority, commonName, dnsNames, addresses, purposes } = parts;
  const signer = await importKey(authority.key);
  const parent = readCertificate(authority.certificate);
  const key = await generateKey("ec", curveBits);
  const names = [
    ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...addresses.map((value) => ({ type: "ip" as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: new x509.Name([{ CN: [commonName] }]),
    issuer: parent.subjectName,
    ...validity(parts),
    signingAlgorithm: signer.algorithm,
    publicKey: key.publicKey,
    signingKey: signer.privateKey,
    extensions: [
      new x509.KeyUsagesExtension(leafUsage, true),
      ...(purposes.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...purposes])]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectKeyIdentifierExtension(await keyIdOf(key.publicKey)),
      new x509.AuthorityKeyIdentifierExtension(await subjectKeyId(parent)),
      new x509.SubjectAlternativeNameExtension(names),
    ],
  });
  await check(certificate, parent, { signer, dnsNames, nowMs: parts.nowMs });
  return await asText(certificate, key);
}

/** What Go's verifier would say, so that nobody is handed a certificate that is refused everywhere. */
async function check(
  certificate: x509.X509Certificate,
  parent: x509.X509Certificate,
  parts: { signer: SigningKey; dnsNames: readonly string[]; nowMs: number },
): Promise<void> {
  const { signer, dnsNames, nowMs } = parts;
  checkTime(certificate, nowMs);
  const constraints = parent.getExtension(x509.BasicConstraintsExtension);
  if (constraints?.ca !== true) {
    throw unknownAuthority(
      parent,
      "x509: invalid signature: parent certificate cannot sign this kind of certificate",
    );
  }
  const isGenuine = await certificate
    .verify({ publicKey: parent.publicKey, signatureOnly: true })
    .catch(() => false);
  if (!isGenuine) {
    throw unknownAuthority(
      parent,
      signer.type === "ec" ? "x509: ECDSA verification failure" : "crypto/rsa: verification error",
    );
  }
  checkTime(parent, nowMs);
  const limits = parent.getExtension(nameConstraintsId);
  const domains = limits ? permittedDomains(new Uint8Array(limits.value)) : [];
  const foreign = dnsNames.find((name) => !isPermitted(name, domains));
  if (foreign === undefined) return;
  throw new CertificateError(
    "x509: a root or intermediate certificate is not authorized to sign for this name: " +
      `DNS name ${JSON.stringify(foreign)} is not permitted by any constraint`,
  );
}

function checkTime({ notBefore, notAfter }: x509.X509Certificate, nowMs: number): void {
  const before = nowMs < notBefore.getTime();
  if (!before && nowMs <= notAfter.getTime()) return;
  const [relation, limit] = before ? ["before", notBefore] : ["after", notAfter];
  throw new CertificateError(
    "x509: certificate has expired or is not yet valid: " +
      `current time ${secondsOf(new Date(nowMs))} is ${relation} ${secondsOf(limit)}`,
  );
}

function unknownAuthority(parent: x509.X509Certificate, hint: string): CertificateError {
  const [name = ""] = parent.subjectName.getField("CN");
  return new CertificateError(
    `x509: certificate signed by unknown authority (possibly because of ${JSON.stringify(hint)} ` +
      `while trying to verify candidate authority certificate ${JSON.stringify(name)})`,
  );
}

/** Throws CertificateError, in Go's words, for a time that no certificate can name: its years have four digits. */
function validity({ days, nowMs }: { days: number; nowMs: number }) {
  const untilMs = nowMs + days * dayMs;
  if (untilMs >= beyondMs || untilMs < beginningMs) {
    throw new CertificateError("asn1: structure error: cannot represent time as GeneralizedTime");
  }
  return { notBefore: wholeSecond(nowMs), notAfter: wholeSecond(untilMs) };
}

/** The years 0 and 10000. */
const beginningMs = -62_167_219_200_000;
const beyondMs = Date.UTC(10_000, 0);

/** The serial number, in decimal, tells authorities of one name apart. */
function authorityName(serial: string): x509.Name {
  return new x509.Name([
    { C: ["US"] },
    { ST: ["CA"] },
    { L: ["San Francisco"] },
    { "2.5.4.9": ["101 Second Street"] },
    { "2.5.4.17": ["94105"] },
    { O: ["HashiCorp Inc."] },
    { CN: [`Consul Agent CA ${BigInt(`0x${serial}`)}`] },
  ]);
}

/** In hex. The first byte is neither zero nor negative, so that it stands in the certificate as in a name. */
function newSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(serialBytes));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function asText(
  certificate: x509.X509Certificate,
  key: SigningKey,
): Promise<CertificateAndKey> {
  return {
    certificate: encodePem("CERTIFICATE", new Uint8Array(certificate.rawData)),
    key: await exportKey(key),
  };
}

function secondsOf(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
