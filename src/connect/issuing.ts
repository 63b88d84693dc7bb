// The acts of a certificate authority, over keys and certificates as texts, with what goes wrong in Consul's words. No
// error holds anything of a private key.

import type { CaSettings } from "../core/model/ca-configuration.ts";
import { ServiceError } from "../core/model/errors.ts";
import type { CaRoot, NewRoot } from "../core/state/tables/ca/authority.ts";
import type { IssuedCertificate } from "../ports/cluster.ts";
import {
  CertificateError,
  createRoot,
  crossSign,
  describeRoot,
  isCertificateOf,
  type Issuer,
  readRequest,
  rootId,
  serialText,
  type IdentityRequest,
  type LeafRequest,
  signLeaf,
  withColons,
} from "./certificates.ts";
import {
  createIntermediateRequest,
  requireIntermediate,
  signIntermediate,
} from "./intermediates.ts";
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
export async function readIdentityRequest(csr: string): Promise<IdentityRequest> {
  return await refusing(readRequest(csr));
}

/** A key, made unless it is given, and the request for an intermediate certificate. Rejects with ServiceError. */
export async function requestIntermediate(
  settings: CaSettings,
  clusterId: string,
): Promise<{ key: SigningKey; privateKey: string; given: boolean; csr: string }> {
  const { privateKey } = settings;
  const key = await rootKey(settings);
  const csr = await createIntermediateRequest(key, { clusterId, unique: uniqueName() });
  const given = privateKey !== "";
  return { key, privateKey: given ? privateKey : await exportKey(key), given, csr };
}

/** Signs such a request. PEM. Rejects with ServiceError. */
export async function issueIntermediate(
  issuer: Issuer,
  request: IdentityRequest,
  parts: { clusterId: string; serial: number; nowMs: number; ttlMs: number },
): Promise<string> {
  return await refusing(signIntermediate(issuer, request, { ...parts, unique: uniqueName() }));
}

/** The root as a secondary datacenter shows it, and when its intermediate certificate is half through its life. */
export async function rootUnder(
  intermediate: string,
  parts: { key: SigningKey; root: CaRoot },
): Promise<{ root: CaRoot; middleMs: number }> {
  const { key, root } = parts;
  if ((await refusing(rootId(root.RootCert))) !== root.ID) {
    throw refused("the root certificate has another id");
  }
  const checking = requireIntermediate(intermediate, { key, root: root.RootCert });
  const { fromMs, toMs, keyId } = await refusing(checking);
  const certificates = [...(root.IntermediateCerts ?? []), intermediate];
  return {
    root: { ...root, SigningKeyID: withColons(keyId), IntermediateCerts: certificates },
    middleMs: Math.floor((fromMs + toMs) / 2),
  };
}

async function refusing<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (failure) {
    if (failure instanceof CertificateError) throw refused(failure.message);
    throw failure;
  }
}

export async function issue(
  issuer: Issuer,
  request: LeafRequest & { service: string },
  parts: {
    serial: number;
    index: number;
    nowMs: number;
    ttlMs: number;
    intermediates: readonly string[];
  },
): Promise<IssuedCertificate> {
  const leaf = await refusing(signLeaf(issuer, request, parts));
  return {
    serialNumber: serialText(parts.serial),
    // From the one that signed to the bridge, for whoever knows only the root before this one.
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
