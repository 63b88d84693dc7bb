// The certificate by which a primary datacenter vouches for the key that signs in a secondary one: the request for it,
// and what it consists of, as Consul 1.8 makes them. To be imported as certificates.ts is.

// oxlint-disable-next-line import/no-unassigned-import -- a polyfill: it must be there before the library is
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

import { intermediateCommonName, signingUri } from "../core/model/spiffe.ts";
import {
  authorityExtensions,
  CertificateError,
  commonName,
  create,
  type IdentityRequest,
  isCertificateOf,
  type Issuer,
  keyIdOf,
  readCertificate,
  skewMs,
  subjectKeyId,
  uriName,
  wholeSecond,
} from "./certificates.ts";
import type { SigningKey } from "./keys.ts";
import { encodePem } from "./pem.ts";

/** Below it there are certificates of services only. */
const depthMax = 0;

/** A request with the trust domain's own id, signed by the key that is to sign. PEM. */
export async function createIntermediateRequest(
  key: SigningKey,
  parts: { clusterId: string; unique: string },
): Promise<string> {
  const { clusterId, unique } = parts;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: commonName(intermediateCommonName(clusterId, unique)),
    keys: { privateKey: key.privateKey, publicKey: key.publicKey },
    signingAlgorithm: key.algorithm,
    extensions: [uriName(signingUri(`${clusterId}.consul`))],
  });
  return encodePem("CERTIFICATE REQUEST", new Uint8Array(request.rawData));
}

/** PEM. Rejects with CertificateError when the issuer has ended. */
export async function signIntermediate(
  issuer: Issuer,
  request: IdentityRequest,
  parts: { clusterId: string; unique: string; serial: number; nowMs: number; ttlMs: number },
): Promise<string> {
  const { clusterId, unique, serial, nowMs, ttlMs } = parts;
  const root = readCertificate(issuer.certificate);
  const endMs = Math.min(nowMs - skewMs + ttlMs, root.notAfter.getTime());
  if (endMs <= nowMs) throw new CertificateError("the root certificate has ended");
  return await create({
    serial,
    subject: commonName(intermediateCommonName(clusterId, unique)),
    issuer: root.subjectName,
    notBefore: wholeSecond(nowMs - skewMs),
    notAfter: wholeSecond(endMs),
    publicKey: request.publicKey,
    signer: issuer.key,
    extensions: [
      ...authorityExtensions(depthMax),
      new x509.SubjectKeyIdentifierExtension(await keyIdOf(request.publicKey)),
      new x509.AuthorityKeyIdentifierExtension(await subjectKeyId(root)),
      uriName(signingUri(`${clusterId}.consul`)),
    ],
  });
}

/** Rejects with CertificateError unless the certificate is that of the key, may sign, and the root vouches for it. */
export async function requireIntermediate(
  certificate: string,
  parts: { key: SigningKey; root: string },
): Promise<{ fromMs: number; toMs: number; keyId: string }> {
  const intermediate = readCertificate(certificate);
  if (!(await isCertificateOf(certificate, parts.key))) {
    throw new CertificateError("the intermediate certificate is that of another key");
  }
  const constraints = intermediate.getExtension(x509.BasicConstraintsExtension);
  if (constraints?.ca !== true) {
    throw new CertificateError("the intermediate certificate must not sign");
  }
  const { publicKey } = readCertificate(parts.root);
  if (!(await intermediate.verify({ publicKey, signatureOnly: true }))) {
    throw new CertificateError("the intermediate certificate is not signed by the root");
  }
  return {
    fromMs: intermediate.notBefore.getTime(),
    toMs: intermediate.notAfter.getTime(),
    keyId: await subjectKeyId(intermediate),
  };
}
