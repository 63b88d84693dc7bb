// What a primary vouches for, what a secondary believes, and what becomes of either when they change places.

import { beforeEach, describe, expect, test } from "vitest";

import type { SignedIntermediate } from "../../../durable/leader/authority/questions.ts";
import { createRequest, createRoot } from "../../../src/connect/certificates.ts";
import { createIntermediateRequest } from "../../../src/connect/intermediates.ts";
import { exportKey, generateKey } from "../../../src/connect/keys.ts";
import { encodePem } from "../../../src/connect/pem.ts";
import { AuthorityHarness, chainOf, isChain } from "../../support/authorities.ts";

const clusterId = "11111111-2222-3333-4444-555555555555";

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

describe("the primary refuses", () => {
  async function refusal(csr: string, from = "dc2"): Promise<string> {
    return await near.authority.answer({ ask: "sign", from, csr }).then(
      () => "signed",
      (failure: unknown) => (failure as Error).message,
    );
  }

  const request = async (id = clusterId) =>
    await createIntermediateRequest(await generateKey("ec", 256), { clusterId: id, unique: "x" });

  test("whoever is no secondary of it", async () => {
    expect(await refusal(await request(), "dc9")).toBe(
      '"dc9" is no datacenter that copies this one',
    );
    expect(await refusal(await request(), "dc1")).toContain("no datacenter that copies");
    expect(await refusal(await request())).toBe("signed");
  });

  test("a request of another trust domain, or for a service", async () => {
    const other = "99999999-2222-3333-4444-555555555555";
    expect(await refusal(await request(other))).toBe(
      `SPIFFE ID in CSR from a different trust domain: ${other}.consul, we are ${clusterId}.consul`,
    );
    const uri = `spiffe://${clusterId}.consul/ns/default/dc/dc2/svc/web`;
    const key = await generateKey("ec", 256);
    const csr = await createRequest(key, { uri, commonName: "web" });
    expect(await refusal(csr)).toBe("SPIFFE ID in CSR must be that of a trust domain");
  });

  test("what is no request, or one that its key did not sign", async () => {
    const csr = await request();
    for (const text of ["", "x", csr.slice(0, 90), near.active.RootCert, "A".repeat(200_000)]) {
      expect(await refusal(text)).not.toBe("signed");
    }
    const bytes = Buffer.from(csr.replaceAll(/-----.*-----|\s/g, ""), "base64");
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    expect(await refusal(encodePem("CERTIFICATE REQUEST", bytes))).toContain("not signed by its");
    expect(near.written).toEqual(["ca.initialize"]);
  });

  test("and so does a secondary that is asked in its stead", async () => {
    await far.authority.follow();
    await expect(far.authority.answer({ ask: "root" })).rejects.toThrow(
      "datacenter dc2 has the roots of dc1: ask there",
    );
  });
});

async function makeGivenRoot(): Promise<{ PrivateKey: string; RootCert: string }> {
  const key = await generateKey("ec", 256);
  const parts = { serial: 5, clusterId, unique: "given", nowMs: near.state.nowMs };
  return { PrivateKey: await exportKey(key), RootCert: await createRoot(key, parts) };
}

test("what the primary answers is believed only if its root has signed it for this key", async () => {
  const reached = near.reached();
  const other = new AuthorityHarness("dc1", { clusterId });
  await other.authority.initialize();
  const lying = new AuthorityHarness(
    "dc2",
    {},
    {
      ...reached,
      ask: async (question) => {
        const answer = (await reached.ask(question)) as SignedIntermediate;
        if (question.ask === "root") return answer;
        return { ...answer, roots: { ...answer.roots, active: other.active } };
      },
    },
  );
  await lying.authority.follow();
  expect(lying.logged[0]).toContain("the intermediate certificate is not signed by the root");
  expect(lying.roots.Roots).toEqual([]);
});

describe("another primary", () => {
  test("that was a secondary makes a root, and the old one is trusted for a while", async () => {
    await far.authority.follow();
    const old = far.active;
    expect(far.restarted({}).isMissing).toBe(true);
    await far.authority.initialize();
    expect(far.authority.isMissing).toBe(false);
    expect(far.active.ID).not.toBe(old.ID);
    expect(far.roots.TrustDomain).toBe(`${clusterId}.consul`);
    const { certPem } = await far.issue();
    expect(chainOf(certPem)).toHaveLength(1);
    expect(isChain(certPem, far.active.RootCert)).toBe(true);
    expect(far.roots.Roots.map(({ ID }) => ID)).toContain(old.ID);
    // The one that was the primary follows it.
    far.secondaries = ["dc1"];
    await near.restarted({}, far.reached()).follow();
    expect(near.active.ID).toBe(far.active.ID);
    expect(isChain((await near.issue()).certPem, far.active.RootCert)).toBe(true);
  });

  test("whose root was given follows without it", async () => {
    const given = await makeGivenRoot();
    await near.configure({ ...given, LeafCertTTL: "71h" }, true);
    expect(near.active.RootCert).toBe(given.RootCert);
    await far.restarted({}).initialize();
    far.secondaries = ["dc1"];
    await near.restarted({}, far.reached()).follow();
    near.authority.arm();
    const { certPem, validAfter, validBefore } = await near.issue();
    expect(isChain(certPem, far.active.RootCert)).toBe(true);
    expect(Date.parse(validBefore) - Date.parse(validAfter)).toBe(71 * 3_600_000);
    expect(near.roots.TrustDomain).toBe(far.roots.TrustDomain);
    // And makes one of its own when it is the primary again.
    await near.restarted({}).initialize();
    expect(chainOf((await near.issue()).certPem)).toHaveLength(1);
    expect(near.active.RootCert).not.toBe(given.RootCert);
  });

  test("that never had a root makes its first one", async () => {
    isCut = true;
    await far.authority.follow();
    await far.restarted({}).initialize();
    expect(isChain((await far.issue()).certPem, far.active.RootCert)).toBe(true);
  });
});
