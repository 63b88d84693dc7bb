// Certificates judged by another implementation of X.509: node:crypto, which is OpenSSL.

import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createRequest } from "../../../src/connect/certificates.ts";
import { encodePem } from "../../../src/connect/pem.ts";
import { exportKey, generateKey, importKey, type SigningKey } from "../../../src/connect/keys.ts";
import { agentUri, serviceUri } from "../../../src/core/model/spiffe.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";

const clusterId = "11111111-2222-3333-4444-555555555555";
const trustDomain = `${clusterId}.consul`;

interface Root {
  ID: string;
  RootCert: string;
  IntermediateCerts: string[] | null;
  Active: boolean;
}

let cluster: MemoryCluster;
beforeEach(async () => {
  cluster = new MemoryCluster({ connect: { clusterId } });
  await cluster.authority.initialize();
});
afterEach(() => vi.useRealTimers());

async function roots(): Promise<Root[]> {
  const { body } = await cluster.read("ca.roots", {}, {});
  return (JSON.parse(body ?? "") as { Roots: Root[] }).Roots;
}

async function active(): Promise<Root> {
  const found = (await roots()).find(({ Active }) => Active);
  if (!found) throw new Error("no root is active");
  return found;
}

async function request(key: SigningKey, uri = serviceUri(trustDomain, "dc1", "web")) {
  return await createRequest(key, { uri, commonName: "web" });
}

async function configure(Config: Record<string, string | number | boolean>, force = false) {
  const configuration = { Provider: "consul", Config, ForceWithoutCrossSigning: force };
  await cluster.configureCa(configuration, {});
}

function chainOf(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN[\s\S]*?END CERTIFICATE-----/g) ?? []).map(
    (each) => new X509Certificate(each),
  );
}

const keyKinds: [type: "ec" | "rsa", bits: number][] = [
  ["ec", 256],
  ["ec", 384],
  ["ec", 521],
  ["rsa", 2_048],
];

test.each(keyKinds)("a certificate for a key of %s %i is what Consul's is", async (type, bits) => {
  const key = await generateKey(type, bits);
  const issued = await cluster.signCertificate(await request(key), {});
  const [leaf] = chainOf(issued.certPem);
  const root = new X509Certificate((await active()).RootCert);
  expect(leaf?.verify(root.publicKey)).toBe(true);
  expect(leaf?.checkIssued(root)).toBe(true);
  expect(leaf?.checkPrivateKey(createPrivateKey(await exportKey(key)))).toBe(true);
  expect(leaf?.ca).toBe(false);
  expect(leaf?.subject).toBe("CN=web.svc.default.11111111.consul");
  expect(leaf?.subjectAltName).toBe(`URI:${serviceUri(trustDomain, "dc1", "web")}`);
  expect(leaf?.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"]);
  expect(issued).toMatchObject({ serialNumber: "02", service: "web", index: 2 });
  const lifeMs = Date.parse(issued.validBefore) - Date.parse(issued.validAfter);
  expect(lifeMs).toBe(72 * 3_600_000);
  const ageMs = Date.now() - Date.parse(issued.validAfter);
  expect(Math.abs(ageMs - 60_000)).toBeLessThan(5_000);
});

test("a root is what Consul's is", async () => {
  const root = new X509Certificate((await active()).RootCert);
  expect(root.verify(root.publicKey)).toBe(true);
  expect(root.ca).toBe(true);
  expect(root.subject).toMatch(/^CN=pri-[0-9a-z]{1,8}\.consul\.ca\.11111111\.consul$/);
  expect(root.issuer).toBe(root.subject);
  expect(root.subjectAltName).toBe(`URI:spiffe://${trustDomain}`);
  expect(Date.parse(root.validTo) - Date.parse(root.validFrom)).toBeGreaterThan(3.15e11);
  expect(root.fingerprint.toLowerCase()).toBe((await active()).ID);
});

test("after a rotation both those who know the old root and those who know the new one can verify", async () => {
  const old = new X509Certificate((await active()).RootCert);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await configure({ PrivateKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string });
  const next = new X509Certificate((await active()).RootCert);
  expect(next.checkPrivateKey(privateKey)).toBe(true);
  const issued = await cluster.signCertificate(await request(await generateKey("ec", 256)), {});
  const [leaf, bridge] = chainOf(issued.certPem);
  expect(leaf?.verify(next.publicKey)).toBe(true);
  expect(leaf?.checkIssued(next)).toBe(true);
  expect(bridge?.verify(old.publicKey)).toBe(true);
  expect(bridge?.checkIssued(old)).toBe(true);
  expect(bridge?.subject).toBe(next.subject);
  expect(bridge?.ca).toBe(true);
  expect(await roots()).toHaveLength(2);
});

test("the same key again, or the word for it, changes no root; leaving it out makes another one", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const PrivateKey = privateKey.export({ type: "pkcs1", format: "pem" }) as string;
  await configure({ PrivateKey });
  const { ID: id } = await active();
  await configure({ PrivateKey, LeafCertTTL: "24h" });
  await configure({ PrivateKey: "hidden", LeafCertTTL: "25h" });
  expect((await active()).ID).toBe(id);
  const issued = await cluster.signCertificate(await request(await generateKey("ec", 256)), {});
  expect(Date.parse(issued.validBefore) - Date.parse(issued.validAfter)).toBe(25 * 3_600_000);
  await configure({});
  expect((await active()).ID).not.toBe(id);
});

test("an authority that does not cross-sign is replaced only by force", async () => {
  await configure({ DisableCrossSigning: true });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const PrivateKey = privateKey.export({ type: "sec1", format: "pem" }) as string;
  await expect(configure({ PrivateKey })).rejects.toThrow("does not support cross-signing");
  await configure({ PrivateKey }, true);
  expect((await active()).IntermediateCerts).toBeNull();
});

const elsewhere = `spiffe://${trustDomain}/ns/default/dc`;
const wrongIds: [uri: string, problem: string][] = [
  [
    "spiffe://other.consul/ns/default/dc/dc1/svc/web",
    `SPIFFE ID in CSR from a different trust domain: other.consul, we are ${trustDomain}`,
  ],
  [`${elsewhere}/dc2/svc/web`, "SPIFFE ID in CSR from a different datacenter: dc2, we are dc1"],
  [`spiffe://${trustDomain}`, "SPIFFE ID in CSR must be a service or agent ID"],
  [
    `spiffe://${trustDomain}/agent/client/dc/dc2/id/a`,
    "SPIFFE ID in CSR from a different datacenter: dc2, we are dc1",
  ],
  [`${elsewhere}/dc1/svc/a/b`, `SPIFFE ID is not in the expected format: ${elsewhere}/dc1/svc/a/b`],
];

test.each(wrongIds)("a request for %s is refused", async (uri, problem) => {
  const csr = await request(await generateKey("ec", 256), uri);
  await expect(cluster.signCertificate(csr, {})).rejects.toThrow(problem);
});

test("an agent's certificate has the names that it asked for, and shows what it is for", async () => {
  const uri = agentUri(trustDomain, "dc1", "a.node");
  const names = { dns: ["localhost", "my.host"], ip: ["127.0.0.1", "::1"] };
  const csr = await createRequest(await generateKey("ec", 256), { uri, commonName: "x", names });
  const issued = await cluster.signCertificate(csr, {});
  expect(issued).toMatchObject({ service: "", serviceUri: uri });
  const certificate = new X509Certificate(issued.certPem);
  expect(certificate.subject).toBe(`CN=anode.agnt.${trustDomain.slice(0, 8)}.consul`);
  expect(certificate.subjectAltName).toBe(
    `DNS:localhost, DNS:my.host, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:${uri}`,
  );
});

test("an agent that would be called as servers are gets no certificate", async () => {
  const uri = agentUri(trustDomain, "dc1", "a");
  const names = { dns: ["localhost", "Server.dc1.consul"], ip: [] };
  const csr = await createRequest(await generateKey("ec", 256), { uri, commonName: "x", names });
  await expect(cluster.signCertificate(csr, {})).rejects.toThrow(
    "an agent cannot be called Server.dc1.consul, as servers are",
  );
});

test("a request that its key did not sign, or that is none, is refused", async () => {
  const csr = await request(await generateKey("ec", 256));
  const bytes = Buffer.from(csr.replaceAll(/-----.*-----|\s/g, ""), "base64");
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const forged = encodePem("CERTIFICATE REQUEST", bytes);
  await expect(cluster.signCertificate(forged, {})).rejects.toThrow("certificate request");
  for (const text of ["", "x", csr.slice(0, 100), csr.replaceAll("CERTIFICATE REQUEST", "X")]) {
    await expect(cluster.signCertificate(text, {})).rejects.toThrow();
  }
  const { value } = { value: await cluster.signCertificate(csr, {}) };
  expect(value.serialNumber).toBe("02");
});

test("more requests than the configuration allows are refused, not delayed for long", async () => {
  await configure({ CSRMaxPerSecond: 4 });
  const csr = await request(await generateKey("ec", 256));
  const answers = await Promise.allSettled(
    Array.from({ length: 12 }, async () => await cluster.signCertificate(csr, {})),
  );
  const refused = answers.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(9);
  expect(refused[0]).toMatchObject({
    reason: { code: "too-many-requests", message: "Rate limit reached, try again later" },
  });
});

const forms = [
  ["ec", { type: "sec1", format: "pem" }],
  ["ec", { type: "pkcs8", format: "pem" }],
  ["rsa", { type: "pkcs1", format: "pem" }],
  ["rsa", { type: "pkcs8", format: "pem" }],
] as const;

test.each(forms)("a key of %s is read as %j", async (type, form) => {
  const { privateKey } =
    type === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-521" })
      : generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const key = await importKey(privateKey.export(form as never) as unknown as string);
  expect(createPrivateKey(await exportKey(key)).equals(privateKey)).toBe(true);
  expect([key.type, key.bits]).toEqual(type === "ec" ? ["ec", 521] : ["rsa", 2_048]);
});

test("texts of any length are refused quickly", async () => {
  const frames = ["EC PRIVATE KEY", "CERTIFICATE REQUEST", "CERTIFICATE"];
  for (const type of frames) {
    for (const filler of [" ", "A", "-", "=", "\n-----BEGIN X-----"]) {
      const text = `-----BEGIN ${type}-----${filler.repeat(500_000 / filler.length)}`;
      await expect(importKey(text)).rejects.toThrow("the text is too long");
      await expect(cluster.signCertificate(text, {})).rejects.toThrow("the text is too long");
      await expect(importKey(text.slice(0, 65_536))).rejects.toThrow();
      await expect(cluster.signCertificate(text.slice(0, 65_536), {})).rejects.toThrow();
    }
  }
});

test("what is no key is refused without a word of it", async () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const other = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const garbage = (type: string): string =>
    `-----BEGIN ${type}-----\nMAMCAQA=\n-----END ${type}-----`;
  const kinds = ["EC PRIVATE KEY", "RSA PRIVATE KEY", "PRIVATE KEY", "CERTIFICATE"];
  for (const text of ["zzz", other, ...kinds.map(garbage)]) {
    const failure = await importKey(text).catch((error: unknown) => String(error));
    expect(failure).toMatch(/^KeyFormatError: /);
    for (const line of text.split("\n").filter((part) => !part.startsWith("-"))) {
      expect(failure).not.toContain(line || "zzz");
    }
  }
});
