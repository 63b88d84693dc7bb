// The acts of a certificate authority, over keys and certificates as texts, with what goes wrong in Consul's words. No
// error holds anything of a private key.

import type { CaSettings } from "../core/model/ca-configuration.ts";
import { ServiceError } from "../core/model/errors.ts";
import type { NewRoot } from "../core/state/tables/ca/authority.ts";
import type { IssuedCertificate } from "../ports/cluster.ts";
import {
  CertificateError,
  createRoot,
  crossSign,
  describeRoot,
  isCertificateOf,
  type Issuer,
  readRequest,
  serialText,
  type ServiceRequest,
  signLeaf,
} from "./certificates.ts";
import { exportKey, generateKey, importKey, KeyFormatError, type SigningKey } from "./keys.ts";

export type { Issuer } from "./certificates.ts";

/** The root that a configuration asks for: given, or made with the key that is given or made. */
export async function makeRoot(
  settings: CaSettings,
  parts: { clusterId: string; serial: number; nowMs: number },
): Promise<NewRoot> {
  const { clusterId, serial, nowMs } = parts;
  const given = settings.privateKey !== "";
  if (settings.rootCert !== "") {
    const root = await givenRoot(settings, clusterId);
    return { root, privateKey: settings.privateKey, given };
  }
  const key = await rootKey(settings);
  const certificate = await createRoot(key, { serial, clusterId, unique: uniqueName(), nowMs });
  const root = await describeRoot(certificate, { key, clusterId, intermediates: null });
  return { root, privateKey: given ? settings.privateKey : await exportKey(key), given };
}

async function rootKey(settings: CaSettings): Promise<SigningKey> {
  const { privateKey, keyType, keyBits } = settings;
  try {
    return privateKey === "" ? await generateKey(keyType, keyBits) : await importKey(privateKey);
  } catch (failure) {
    if (!(failure instanceof KeyFormatError)) throw failure;
    const what = privateKey === "" ? "error generating private key" : "error parsing private key";
    const reason = `error generating CA: ${what}: ${failure.message}`;
    throw refused(`error generating CA root certificate: ${reason}`);
  }
}

async function givenRoot({ privateKey, rootCert }: CaSettings, clusterId: string) {
  try {
    const key = await importKeyAfter(rootCert, privateKey);
    if (!(await isCertificateOf(rootCert, key))) {
      throw refused("error configuring provider: the root cert is not that of the private key");
    }
    return await describeRoot(rootCert, { key, clusterId, intermediates: null });
  } catch (failure) {
    if (failure instanceof CertificateError) {
      throw refused(`error parsing root fingerprint: ${failure.message}`);
    }
    throw failure;
  }
}

/** What is wrong with the certificate is said first. */
async function importKeyAfter(rootCert: string, privateKey: string): Promise<SigningKey> {
  const key = await importKey(privateKey).catch((failure: unknown) => failure);
  if (!(key instanceof Error)) return key as SigningKey;
  await isCertificateOf(rootCert, await generateKey("ec", 256));
  if (!(key instanceof KeyFormatError)) throw key;
  throw refused(`error configuring provider: error parsing private key: ${key.message}`);
}

/** Key and certificate, ready to sign. */
export async function openIssuer(privateKey: string, certificate: string): Promise<Issuer> {
  return { key: await importKey(privateKey), certificate };
}

export async function bridge(
  issuer: Issuer,
  next: string,
  parts: { serial: number; nowMs: number },
): Promise<string> {
  return await crossSign(issuer, next, parts);
}

/** Reads a request for a certificate. Rejects with ServiceError. */
export async function readServiceRequest(csr: string): Promise<ServiceRequest> {
  try {
    return await readRequest(csr);
  } catch (failure) {
    if (failure instanceof CertificateError) throw refused(failure.message);
    throw failure;
  }
}

export async function issue(
  issuer: Issuer,
  request: ServiceRequest & { service: string; trustDomain: string },
  parts: {
    serial: number;
    index: number;
    nowMs: number;
    ttlMs: number;
    intermediates: readonly string[];
  },
): Promise<IssuedCertificate> {
  const leaf = await signLeaf(issuer, request, parts);
  return {
    serialNumber: serialText(parts.serial),
    // Whoever knows only the root before this one needs the bridge.
    certPem: [leaf.certificate, ...parts.intermediates].join(""),
    service: request.service,
    serviceUri: request.uri,
    validAfter: leaf.validAfter,
    validBefore: leaf.validBefore,
    index: parts.index,
  };
}

/** Tells the roots of one trust domain apart. */
function uniqueName(): string {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return ((high % 2 ** 8) * 2 ** 32 + low).toString(36);
}

function refused(reason: string): ServiceError {
  return new ServiceError("invalid", reason);
}
