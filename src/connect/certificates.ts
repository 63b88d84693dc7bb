// Certificates of Connect: what a root, the bridge from one root to the next, a service's certificate and the request
// for one consist of, extension by extension as Consul 1.8 makes them. The X.509 library and the polyfill that it
// needs are loaded with this file: import it only where certificates are made or read.

// oxlint-disable-next-line import/no-unassigned-import -- a polyfill: it must be there before the library is
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

import { limits } from "../core/model/limits.ts";
import { parseSpiffeId, rootCommonName, signingUri } from "../core/model/spiffe.ts";
import type { SpiffeId } from "../core/model/spiffe.ts";
import type { CaRoot } from "../core/state/tables/ca/authority.ts";
import type { CryptoKey, SigningKey } from "./keys.ts";
import { decodePem, encodePem } from "./pem.ts";

/** Text that is no certificate, or no request for one. */
export class CertificateError extends Error {
  override name = "CertificateError";
}

/** Whoever signs: a root and its key. */
export interface Issuer {
  key: SigningKey;
  /** PEM. */
  certificate: string;
}

const rootYears = 10;
/** Clocks are this far apart at most. */
export const skewMs = 60_000;
const bridgeMs = 7 * 24 * 3_600_000;
const subjectAlternativeName = "2.5.29.17";
const usage = x509.KeyUsageFlags;
const authorityUsage: x509.KeyUsageFlags =
  usage.digitalSignature | usage.keyCertSign | usage.cRLSign;
const leafUsage: x509.KeyUsageFlags =
  usage.digitalSignature | usage.keyEncipherment | usage.dataEncipherment | usage.keyAgreement;
/** Client first, then server. */
const leafPurposes = ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"];

/** A certificate that signs itself. PEM. */
export async function createRoot(
  key: SigningKey,
  parts: { serial: number; clusterId: string; unique: string; nowMs: number },
): Promise<string> {
  const { serial, clusterId, unique, nowMs } = parts;
  const keyId = await keyIdOf(key.publicKey);
  const name = commonName(rootCommonName(clusterId, unique));
  const notAfter = new Date(nowMs);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + rootYears);
  return await create({
    serial,
    subject: name,
    issuer: name,
    notBefore: wholeSecond(nowMs),
    notAfter: wholeSecond(notAfter.getTime()),
    publicKey: key.publicKey,
    signer: key,
    extensions: [
      ...authorityExtensions(),
      new x509.SubjectKeyIdentifierExtension(keyId),
      new x509.AuthorityKeyIdentifierExtension(keyId),
      uriName(signingUri(`${clusterId}.consul`)),
    ],
  });
}

/** The root `next` once more, signed by its predecessor, for those who trust only that one yet. PEM. */
export async function crossSign(
  issuer: Issuer,
  next: string,
  parts: { serial: number; nowMs: number },
): Promise<string> {
  const root = readCertificate(next);
  const parent = readCertificate(issuer.certificate);
  const names = root.getExtension(x509.SubjectAlternativeNameExtension);
  return await create({
    serial: parts.serial,
    subject: root.subjectName,
    issuer: parent.subjectName,
    notBefore: wholeSecond(parts.nowMs - skewMs),
    notAfter: wholeSecond(parts.nowMs - skewMs + bridgeMs),
    publicKey: await root.publicKey.export(),
    signer: issuer.key,
    extensions: [
      ...authorityExtensions(),
      new x509.SubjectKeyIdentifierExtension(await subjectKeyId(root)),
      new x509.AuthorityKeyIdentifierExtension(await subjectKeyId(parent)),
      ...(names ? [names] : []),
    ],
  });
}

/** What `/v1/connect/ca/roots` says of a root. */
export async function describeRoot(
  certificate: string,
  parts: { key: SigningKey; clusterId: string; intermediates: string[] | null },
): Promise<CaRoot> {
  const root = readCertificate(certificate);
  return {
    ID: await rootId(certificate),
    Name: "Consul CA Root Cert",
    // Consul keeps what fits 64 bits.
    SerialNumber: BigInt.asUintN(64, BigInt(`0x${root.serialNumber}`)).toString(),
    SigningKeyID: withColons(await subjectKeyId(root)),
    ExternalTrustDomain: parts.clusterId,
    NotBefore: secondsText(root.notBefore),
    NotAfter: secondsText(root.notAfter),
    RootCert: certificate,
    IntermediateCerts: parts.intermediates,
    PrivateKeyType: parts.key.type,
    PrivateKeyBits: parts.key.bits,
  };
}

/** SHA-1 of a certificate. */
export async function rootId(certificate: string): Promise<string> {
  const { rawData } = readCertificate(certificate);
  return withColons(hex(await crypto.subtle.digest("SHA-1", rawData)));
}

/** Names of a host, beside the id, and its addresses. */
export interface HostNames {
  dns: readonly string[];
  ip: readonly string[];
}

const noNames: HostNames = { dns: [], ip: [] };

/** A request for a certificate with this SPIFFE id, signed by its own key. PEM. */
export async function createRequest(
  key: SigningKey,
  parts: { uri: string; commonName: string; names?: HostNames },
): Promise<string> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: commonName(parts.commonName),
    keys: { privateKey: key.privateKey, publicKey: key.publicKey },
    signingAlgorithm: key.algorithm,
    extensions: [uriName(parts.uri, parts.names)],
  });
  return encodePem("CERTIFICATE REQUEST", new Uint8Array(request.rawData));
}

/** A request whose signature is that of the key in it. */
export interface IdentityRequest {
  id: SpiffeId;
  uri: string;
  names: HostNames;
  publicKey: CryptoKey;
}

/** Rejects with CertificateError. */
export async function readRequest(pem: string): Promise<IdentityRequest> {
  const bytes = blockOf(pem, "CERTIFICATE REQUEST");
  let request: x509.Pkcs10CertificateRequest;
  let alternatives: { type: string; value: string }[];
  let isGenuine: boolean;
  try {
    request = new x509.Pkcs10CertificateRequest(bytes);
    alternatives = alternativesOf(request.getExtension(subjectAlternativeName));
    isGenuine = await request.verify();
  } catch {
    throw new CertificateError("the certificate request is malformed");
  }
  if (!isGenuine) throw new CertificateError("the certificate request is not signed by its key");
  const valuesOf = (wanted: string): string[] =>
    alternatives.flatMap(({ type, value }) => (type === wanted ? [value] : []));
  const [uri, ...more] = valuesOf("url");
  if (uri === undefined || more.length > 0) {
    throw new CertificateError("the certificate request must have one URI");
  }
  const id = parseSpiffeId(uri);
  if (!id) throw new CertificateError(`SPIFFE ID is not in the expected format: ${uri}`);
  const names = { dns: valuesOf("dns"), ip: valuesOf("ip") };
  return { id, uri, names, publicKey: await request.publicKey.export() };
}

/** A certificate of a service, or of an agent, which has names of its host. */
export interface LeafRequest {
  uri: string;
  publicKey: CryptoKey;
  commonName: string;
  names?: HostNames;
}

/** PEM, and until when it holds. */
export async function signLeaf(
  issuer: Issuer,
  request: LeafRequest,
  parts: { serial: number; nowMs: number; ttlMs: number },
): Promise<{ certificate: string; validAfter: string; validBefore: string }> {
  const parent = readCertificate(issuer.certificate);
  const notBefore = wholeSecond(parts.nowMs - skewMs);
  // What outlives whoever signed it is good for nothing.
  const endMs = Math.min(parts.nowMs - skewMs + parts.ttlMs, parent.notAfter.getTime());
  if (endMs <= parts.nowMs) throw new CertificateError("the certificate that signs has ended");
  const notAfter = wholeSecond(endMs);
  const certificate = await create({
    serial: parts.serial,
    subject: commonName(request.commonName),
    issuer: parent.subjectName,
    notBefore,
    notAfter,
    publicKey: request.publicKey,
    signer: issuer.key,
    extensions: [
      new x509.KeyUsagesExtension(leafUsage, true),
      new x509.ExtendedKeyUsageExtension(leafPurposes),
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectKeyIdentifierExtension(await keyIdOf(request.publicKey)),
      new x509.AuthorityKeyIdentifierExtension(await subjectKeyId(parent)),
      uriName(request.uri, request.names),
    ],
  });
  return {
    certificate,
    validAfter: secondsText(notBefore),
    validBefore: secondsText(notAfter),
  };
}

/** Whether a certificate is that of a key. */
export async function isCertificateOf(certificate: string, key: SigningKey): Promise<boolean> {
  const { publicKey } = readCertificate(certificate);
  const ours = (await crypto.subtle.exportKey("spki", key.publicKey)) as ArrayBuffer;
  return hex(publicKey.rawData) === hex(ours);
}

/** Throws CertificateError. */
export function readCertificate(pem: string): x509.X509Certificate {
  const bytes = blockOf(pem, "CERTIFICATE");
  try {
    return new x509.X509Certificate(bytes);
  } catch {
    throw new CertificateError("the certificate is malformed");
  }
}

/** Throws CertificateError unless the text begins with a block of this type. */
export function blockOf(pem: string, type: string): Uint8Array<ArrayBuffer> {
  if (pem.length > limits.pemLengthMax) throw new CertificateError("the text is too long");
  const block = decodePem(pem);
  if (!block) throw new CertificateError("no PEM-encoded data found");
  if (block.type !== type) throw new CertificateError(`first PEM-block should be ${type} type`);
  return block.bytes;
}

/** A serial number as leaf certificates show it: whole bytes in hex. */
export function serialText(serial: number): string {
  const digits = serial.toString(16);
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

export async function create(parts: {
  serial: number;
  subject: x509.Name;
  issuer: x509.Name;
  notBefore: Date;
  notAfter: Date;
  publicKey: CryptoKey;
  signer: SigningKey;
  extensions: x509.Extension[];
}): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialText(parts.serial),
    subject: parts.subject,
    issuer: parts.issuer,
    notBefore: parts.notBefore,
    notAfter: parts.notAfter,
    signingAlgorithm: parts.signer.algorithm,
    publicKey: parts.publicKey,
    signingKey: parts.signer.privateKey,
    extensions: parts.extensions,
  });
  return encodePem("CERTIFICATE", new Uint8Array(certificate.rawData));
}

export function commonName(name: string): x509.Name {
  return new x509.Name([{ CN: [name] }]);
}

/** `depthMax`: how many authorities there may be below this one; absent: any. */
export function authorityExtensions(depthMax?: number): x509.Extension[] {
  return [
    new x509.KeyUsagesExtension(authorityUsage, true),
    new x509.BasicConstraintsExtension(true, depthMax, true),
  ];
}

export function uriName(uri: string, { dns, ip }: HostNames = noNames): x509.Extension {
  return new x509.SubjectAlternativeNameExtension([
    ...dns.map((value) => ({ type: "dns" as const, value })),
    ...ip.map((value) => ({ type: "ip" as const, value })),
    { type: "url", value: uri },
  ]);
}

function alternativesOf(extension: x509.Extension | null): { type: string; value: string }[] {
  if (!extension) return [];
  return new x509.SubjectAlternativeNameExtension(extension.rawData).names.items.map((item) => ({
    type: item.type,
    value: item.value,
  }));
}

/** Of a certificate: what it says, else what its key is. */
export async function subjectKeyId(certificate: x509.X509Certificate): Promise<string> {
  const extension = certificate.getExtension(x509.SubjectKeyIdentifierExtension);
  return extension?.keyId ?? (await keyIdOf(await certificate.publicKey.export()));
}

/** SHA-256 of the whole public key, in hex. */
export async function keyIdOf(publicKey: CryptoKey): Promise<string> {
  const spki = (await crypto.subtle.exportKey("spki", publicKey)) as ArrayBuffer;
  return hex(await crypto.subtle.digest("SHA-256", spki));
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function withColons(digits: string): string {
  return digits.match(/../g)?.join(":") ?? "";
}

export function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1_000) * 1_000);
}

function secondsText(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
