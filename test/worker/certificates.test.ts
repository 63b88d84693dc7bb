// Connect's certificates with the WebCrypto of workerd, and judged by it.

import { expect, test } from "vitest";

import { createRequest, readCertificate } from "../../src/connect/certificates.ts";
import { issue, makeRoot, openIssuer, readIdentityRequest } from "../../src/connect/issuing.ts";
import { exportKey, generateKey, importKey } from "../../src/connect/keys.ts";
import { caSettings } from "../../src/core/model/ca-configuration.ts";
import { serviceUri } from "../../src/core/model/spiffe.ts";

const clusterId = "11111111-2222-3333-4444-555555555555";
const trustDomain = `${clusterId}.consul`;
const nowMs = Date.UTC(2026, 10, 26);
const date = new Date(nowMs + 1_000);

const keyKinds: [type: "ec" | "rsa", bits: number][] = [
  ["ec", 256],
  ["ec", 384],
  ["ec", 521],
  ["rsa", 2_048],
];

test.each(keyKinds)("a root of %s %i signs what verifies", async (type, bits) => {
  const settings = caSettings({ PrivateKeyType: type, PrivateKeyBits: bits });
  const made = await makeRoot(settings, { clusterId, serial: 1, nowMs });
  const issuer = await openIssuer(made.privateKey, made.root.RootCert);
  const key = await generateKey("ec", 256);
  const uri = serviceUri(trustDomain, "dc1", "web");
  const csr = await createRequest(key, { uri, commonName: "web" });
  const request = { ...(await readIdentityRequest(csr)), service: "web", commonName: "web" };
  const parts = { serial: 255, index: 9, nowMs, ttlMs: 3_600_000, intermediates: [] };
  const issued = await issue(issuer, request, parts);
  expect(issued).toMatchObject({ serialNumber: "ff", serviceUri: uri });
  const [root, leaf] = [readCertificate(made.root.RootCert), readCertificate(issued.certPem)];
  expect(await root.verify({ publicKey: root.publicKey, date })).toBe(true);
  expect(await leaf.verify({ publicKey: root.publicKey, date })).toBe(true);
  const other = await makeRoot(settings, { clusterId, serial: 1, nowMs });
  const stranger = readCertificate(other.root.RootCert);
  expect(await leaf.verify({ publicKey: stranger.publicKey, date })).toBe(false);
});

test("a key is written and read back", async () => {
  for (const [type, bits] of keyKinds) {
    const pem = await exportKey(await generateKey(type, bits));
    const read = await importKey(pem);
    expect([read.type, read.bits, await exportKey(read)]).toEqual([type, bits, pem]);
  }
});
