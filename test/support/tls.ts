// A certificate authority of a test's own, and a server at 127.0.0.1 (registry.example) that it vouches for.

// Before the library, which needs what this one loads.
import { readCertificate } from "../../src/connect/certificates.ts";
import { randomBytes } from "node:crypto";
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

import { encodePem } from "../../src/connect/pem.ts";

export interface Authority {
  /** Its certificate. */
  pem: string;
  server: { key: string; cert: string };
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 86_400_000;

export async function makeAuthority(): Promise<Authority> {
  const name = `CN=test ${randomBytes(4).toString("hex")}`;
  const [authority, server] = await Promise.all([keys(), keys()]);
  const lifetime = {
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
  };
  const common = { signingAlgorithm: algorithm, ...lifetime };
  const root = await X509CertificateGenerator.createSelfSigned({
    ...common,
    ...{ serialNumber: "01", name, keys: authority },
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  const leaf = await X509CertificateGenerator.create({
    ...common,
    ...{ serialNumber: "02", subject: "CN=server", issuer: name },
    ...{ publicKey: server.publicKey, signingKey: authority.privateKey },
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: "ip", value: "127.0.0.1" },
        { type: "dns", value: "registry.example" },
      ]),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", server.privateKey);
  return {
    pem: readCertificate(root.toString("pem")).toString("pem"),
    server: { key: encodePem("PRIVATE KEY", new Uint8Array(key)), cert: leaf.toString("pem") },
  };
}

async function keys() {
  return await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}
