// The certificate authority of a secondary datacenter, beside that of its primary. Certificates are judged by another
// implementation of X.509: node:crypto, which is OpenSSL.

import { createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";

import { findSigner } from "../../../src/core/state/tables/ca/authority.ts";
import { clusterId as identity } from "../../../src/core/state/tables/cluster/identity.ts";
import { AuthorityHarness, chainOf, isChain } from "../../support/authorities.ts";

const clusterId = "11111111-2222-3333-4444-555555555555";
const hourMs = 3_600_000;
const renewal = "ca-intermediate";

let near: AuthorityHarness;
let far: AuthorityHarness;
let isCut: boolean;

beforeEach(async () => {
  isCut = false;
  near = new AuthorityHarness("dc1", { clusterId });
  near.secondaries = ["dc2"];
  far = new AuthorityHarness(
    "dc2",
    {},
    near.reached(() => isCut),
  );
  await near.authority.initialize();
});

function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "sec1", format: "pem" }) as string;
}

function intermediateOf({ active }: AuthorityHarness): X509Certificate {
  return new X509Certificate(active.IntermediateCerts?.at(-1) ?? "");
}

test("it has the primary's root, and signs with an intermediate certificate of its own key", async () => {
  await far.authority.follow();
  expect(far.written).toEqual(["ca.prepare", "ca.follow"]);
  expect(near.written).toEqual(["ca.initialize", "ca.serial"]);
  const [mine, theirs] = [far.active, near.active];
  const { IntermediateCerts: _own, SigningKeyID: keyId, ...same } = mine;
  expect(theirs).toMatchObject({ ...same, CreateIndex: 1, ModifyIndex: 1 });
  expect(keyId).not.toBe(theirs.SigningKeyID);
  expect(far.roots.TrustDomain).toBe(`${clusterId}.consul`);
  expect(far.state.machine.ask(identity)).toBe(clusterId);
  const intermediate = intermediateOf(far);
  const root = new X509Certificate(theirs.RootCert);
  expect(intermediate.checkIssued(root) && intermediate.verify(root.publicKey)).toBe(true);
  expect(intermediate.ca).toBe(true);
  expect(intermediate.subject).toMatch(/^CN=sec-[0-9a-z]{1,8}\.consul\.ca\.11111111\.consul$/);
  expect(intermediate.subjectAltName).toBe(`URI:spiffe://${clusterId}.consul`);
  const lifeMs = Date.parse(intermediate.validTo) - Date.parse(intermediate.validFrom);
  expect(lifeMs).toBe(8_760 * hourMs);
  const issued = await far.issue();
  expect(issued.serviceUri).toBe(`spiffe://${clusterId}.consul/ns/default/dc/dc2/svc/web`);
  expect(chainOf(issued.certPem)).toHaveLength(2);
  expect(isChain(issued.certPem, theirs.RootCert)).toBe(true);
});

test("what is the same already is not asked for again", async () => {
  await far.authority.follow();
  await far.authority.follow();
  await far.restarted({}, near.reached()).follow();
  expect(far.written).toEqual(["ca.prepare", "ca.follow"]);
  expect(far.logged).toEqual(["info got an intermediate certificate from datacenter dc1"]);
});

describe("before the primary was reached", () => {
  beforeEach(async () => {
    isCut = true;
    await far.authority.follow();
  });

  test("there is no root, and everything says so in Consul's words", async () => {
    expect(far.state.machine.ask(findSigner)).toBeNull();
    expect(far.roots).toMatchObject({ ActiveRootID: "", Roots: [] });
    expect(far.roots.TrustDomain).toMatch(/^[0-9a-f-]{36}\.consul$/);
    expect(far.state.read("ca.configuration", {}).value).toMatchObject({
      Provider: "consul",
      Config: { LeafCertTTL: "72h" },
    });
    await expect(far.issue()).rejects.toThrow("internal error: CA root is nil");
    await expect(far.configure({ LeafCertTTL: "71h" })).rejects.toThrow(
      "Error updating secondary datacenter CA config: " +
        "primary datacenter does not have an active root CA for Connect",
    );
  });

  test("it is tried again, ever more rarely, and said each time", async () => {
    await far.pass(hourMs);
    expect(far.logged[0]).toBe(
      "warn cannot get an intermediate certificate from datacenter dc1: " +
        "No path to datacenter; again in 1 s",
    );
    expect(far.logged.length).toBeGreaterThan(12);
    expect(far.logged.length).toBeLessThan(25);
    isCut = false;
    await far.pass(300_000);
    expect(isChain((await far.issue()).certPem, near.active.RootCert)).toBe(true);
  });
});

test("cut off before the answer comes, it has what it had, and gets another one later", async () => {
  await far.authority.follow();
  await near.configure({ PrivateKey: newKey() });
  const before = far.roots;
  const reached = near.reached(() => isCut);
  const cutting = far.restarted(
    {},
    {
      ...reached,
      ask: async (question) => {
        const asking = reached.ask(question);
        isCut = question.ask === "sign" && !far.logged.some((line) => line.startsWith("warn"));
        return await asking;
      },
    },
  );
  near.written.length = 0;
  await cutting.follow();
  expect(near.written).toEqual(["ca.serial"]);
  expect(far.roots).toEqual(before);
  expect(far.logged.at(-1)).toContain("again in 1 s, and signs with the one it has until then");
  isCut = false;
  await far.pass(1_000);
  expect(far.active.ID).toBe(near.active.ID);
});

test("a key in the settings is used, but for one that comes with a root", async () => {
  const PrivateKey = newKey();
  const publicKey = createPublicKey(PrivateKey);
  await far.restarted({ config: { PrivateKey } }, near.reached()).follow();
  expect(intermediateOf(far).publicKey.equals(publicKey)).toBe(true);
  const other = new AuthorityHarness(
    "dc2",
    { config: { PrivateKey, RootCert: near.active.RootCert, LeafCertTTL: "71h" } },
    near.reached(),
  );
  await other.authority.follow();
  expect(intermediateOf(other).publicKey.equals(publicKey)).toBe(false);
  const { value } = other.state.read("ca.configuration", {});
  expect((value as { Config: object }).Config).toEqual({
    ...{ IntermediateCertTTL: "8760h", LeafCertTTL: "71h", RotationPeriod: "2160h" },
  });
});

test("a primary without Connect is asked again, in case that changes", async () => {
  near.restarted(null);
  const other = new AuthorityHarness("dc3", null);
  const alone = new AuthorityHarness("dc2", {}, other.reached());
  await alone.authority.follow();
  expect(alone.logged[0]).toContain("Connect must be enabled in order to use this endpoint");
  expect(alone.alarms.get(renewal)?.atMs).toBeGreaterThan(alone.state.nowMs);
});

test("a datacenter in which Connect is off asks nobody", async () => {
  const off = new AuthorityHarness("dc2", null, near.reached());
  await off.authority.initialize();
  off.authority.arm();
  await off.authority.follow();
  expect([off.written, off.logged, off.alarms.get(renewal)?.atMs]).toEqual([[], [], undefined]);
});

describe("another root in the primary", () => {
  test("is followed, and who knows only the old one can verify", async () => {
    await far.authority.follow();
    const old = { root: near.active, leaf: await far.issue(), key: far.active.SigningKeyID };
    await near.configure({ PrivateKey: newKey() });
    await far.authority.follow();
    expect(far.active.ID).toBe(near.active.ID);
    expect(far.active.ID).not.toBe(old.root.ID);
    expect(far.active.SigningKeyID).not.toBe(old.key);
    expect(far.roots.Roots).toHaveLength(2);
    const { certPem } = await far.issue();
    expect(chainOf(certPem)).toHaveLength(3);
    expect(isChain(certPem, old.root.RootCert)).toBe(true);
    const [leaf, intermediate] = chainOf(certPem);
    const root = new X509Certificate(near.active.RootCert);
    expect(intermediate && leaf?.checkIssued(intermediate)).toBe(true);
    expect(intermediate?.verify(root.publicKey)).toBe(true);
    // What the old one signed is good until it ends.
    expect(isChain(old.leaf.certPem, old.root.RootCert)).toBe(true);
    expect(far.roots.Roots.map(({ RootCert }) => RootCert)).toContain(old.root.RootCert);
  });

  test("and another one at once come to the last one", async () => {
    await far.authority.follow();
    const told = [newKey(), newKey()].map(async (PrivateKey) => {
      await near.configure({ PrivateKey }).catch(() => undefined);
      await far.authority.follow();
    });
    await Promise.all(told);
    await far.authority.follow();
    expect(far.active.ID).toBe(near.active.ID);
    expect(isChain(intermediateOf(far).toString(), near.active.RootCert)).toBe(true);
  });

  test("while it signs gives certificate and root of one moment", async () => {
    const asking = far.authority.follow();
    await near.configure({ PrivateKey: newKey() });
    await asking;
    await far.authority.follow();
    expect(far.active.ID).toBe(near.active.ID);
    expect(isChain(intermediateOf(far).toString(), near.active.RootCert)).toBe(true);
  });

  test("is known with those before it to a datacenter that comes later", async () => {
    const first = near.active;
    await near.configure({ PrivateKey: newKey() });
    await far.authority.follow();
    expect(far.roots.Roots.map(({ ID }) => ID)).toEqual(near.roots.Roots.map(({ ID }) => ID));
    expect(far.roots.Roots.map(({ ID }) => ID)).toContain(first.ID);
    await far.pass(2 * 72 * hourMs);
    expect(far.roots.Roots.map(({ ID }) => ID)).toEqual([near.active.ID]);
  });
});

describe("half the life of an intermediate certificate", () => {
  beforeEach(async () => {
    await near.configure({ IntermediateCertTTL: "9h", LeafCertTTL: "3h" });
    await far.authority.follow();
    await far.configure({ IntermediateCertTTL: "9h", LeafCertTTL: "3h" });
    far.authority.arm();
  });

  test("over, there is another one, with another key", async () => {
    const { validFrom, validTo } = intermediateOf(far);
    const middleMs = (Date.parse(validFrom) + Date.parse(validTo)) / 2;
    expect(far.alarms.get(renewal)?.atMs).toBe(middleMs);
    const before = far.active;
    await far.pass(middleMs - far.state.nowMs - 1);
    expect(far.active).toEqual(before);
    near.state.nowMs = middleMs;
    await far.pass(1);
    expect(far.active.ID).toBe(before.ID);
    expect(far.active.SigningKeyID).not.toBe(before.SigningKeyID);
    expect(far.active.IntermediateCerts).toHaveLength(1);
    expect(far.alarms.get(renewal)?.atMs).toBeGreaterThan(middleMs + 4 * hourMs);
  });

  test("without the primary, it signs with what it has, and for no longer than that lives", async () => {
    isCut = true;
    await far.pass(8 * hourMs);
    expect(far.logged.at(-1)).toMatch(/No path to datacenter; again in 300 s, and signs with the/);
    expect(far.logged.length).toBeLessThan(60);
    const issued = await far.issue();
    const end = Date.parse(intermediateOf(far).validTo);
    expect(Date.parse(issued.validBefore)).toBe(end);
    await far.pass(hourMs);
    await expect(far.issue()).rejects.toThrow("the certificate that signs has ended");
    isCut = false;
    near.state.nowMs = far.state.nowMs;
    await far.pass(300_000);
    expect(isChain((await far.issue()).certPem, near.active.RootCert)).toBe(true);
  });

  test("over while nobody led is noticed by the next leader", async () => {
    far.leads = false;
    await far.pass(5 * hourMs);
    far.leads = true;
    near.state.nowMs = far.state.nowMs;
    const before = far.active.SigningKeyID;
    far.restarted({}, near.reached());
    far.authority.arm();
    await far.pass(60_000);
    expect(far.active.SigningKeyID).not.toBe(before);
  });

  test("by a clock that is hours ahead of the primary's is not renewed again and again", async () => {
    far.written.length = 0;
    await far.pass(7 * hourMs);
    expect(far.written.filter((type) => type === "ca.follow").length).toBeLessThan(20);
  });
});

describe("a configuration of the secondary", () => {
  beforeEach(async () => await far.authority.follow());

  test("changes how long its certificates live, and nothing else", async () => {
    const before = far.active;
    await far.configure({ LeafCertTTL: "24h" });
    expect(far.active).toEqual(before);
    const { validAfter, validBefore } = await far.issue();
    expect(Date.parse(validBefore) - Date.parse(validAfter)).toBe(24 * hourMs);
    expect(near.written).toEqual(["ca.initialize", "ca.serial"]);
  });

  test("may bring a key, which stays here and is kept when the certificate is renewed", async () => {
    const PrivateKey = newKey();
    await far.configure({ PrivateKey, LeafCertTTL: "72h" });
    const publicKey = createPublicKey(PrivateKey);
    expect(intermediateOf(far).publicKey.equals(publicKey)).toBe(true);
    expect(far.state.read("ca.configuration", {}).value).toMatchObject({
      Config: { PrivateKey: "hidden" },
    });
    const first = intermediateOf(far).serialNumber;
    await far.configure({ PrivateKey: "hidden", LeafCertTTL: "70h" });
    expect(intermediateOf(far).serialNumber).toBe(first);
    await near.configure({ PrivateKey: newKey() });
    await far.authority.follow();
    expect(intermediateOf(far).publicKey.equals(publicKey)).toBe(true);
    await far.configure({});
    expect(intermediateOf(far).publicKey.equals(publicKey)).toBe(false);
    const secret = PrivateKey.split("\n")[1] ?? "";
    const seen = JSON.stringify([far.roots, far.logged, near.roots, near.logged]);
    expect(seen).not.toContain(secret);
    const rows = near.state.sql.exec("SELECT * FROM ca_key");
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  test("that needs the primary changes nothing while that cannot be reached", async () => {
    isCut = true;
    const before = [far.roots, far.state.read("ca.configuration", {}).value];
    const refused = far.configure({ PrivateKey: newKey() });
    await expect(refused).rejects.toThrow(
      "Error updating secondary datacenter CA config: No path to datacenter",
    );
    expect([far.roots, far.state.read("ca.configuration", {}).value]).toEqual(before);
  });

  test("cannot bring a root, or another provider", async () => {
    const RootCert = near.active.RootCert;
    await expect(far.configure({ PrivateKey: newKey(), RootCert })).rejects.toThrow(
      "Error updating secondary datacenter CA config: the root is that of dc1",
    );
    const body = { Provider: "zap", Config: {}, ForceWithoutCrossSigning: false };
    await expect(far.authority.configure({ body })).rejects.toThrow(
      'could not initialize provider: unknown CA provider "zap"',
    );
    await expect(far.configure({ LeafCertTTL: "1m" })).rejects.toThrow("leaf cert TTL must be");
  });
});
