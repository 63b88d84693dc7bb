// Connect in processes as people start them: where it is enabled, what a restart keeps, who signs, what leaks nowhere.

import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { afterAll, expect, test } from "vitest";

import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterAll(stopAll);

interface Roots {
  ActiveRootID: string;
  TrustDomain: string;
  Roots: { RootCert: string; Active: boolean }[];
}

interface Leaf {
  CertPEM: string;
  SerialNumber: string;
  ServiceURI: string;
}

const server = ["-server", "-bootstrap"];

/** Asked at once after the start: an authority that is to come is waited for. */
async function rootsOf(agent: Proconsul): Promise<Roots> {
  return (await agent.get("/v1/connect/ca/roots")).json<Roots>();
}

async function leafOf(agent: Proconsul, service: string): Promise<Leaf> {
  return (await agent.get(`/v1/agent/connect/ca/leaf/${service}`)).json<Leaf>();
}

function isSignedBy({ CertPEM: leaf }: Leaf, { Roots: roots }: Roots): boolean {
  const active = roots.find(({ Active }) => Active);
  return new X509Certificate(leaf).verify(new X509Certificate(active?.RootCert ?? "").publicKey);
}

test("without connect.enabled there is none, and it says so", async () => {
  const args = [...server, "-data-dir", temporaryDirectory()];
  const agent = await Proconsul.start({ args });
  for (const path of ["/v1/connect/ca/roots", "/v1/agent/connect/ca/leaf/web"]) {
    const { status, text } = await agent.get(path);
    expect([status, text]).toEqual([500, "Connect must be enabled in order to use this endpoint"]);
  }
  await agent.stop();
});

test("the trust domain is configured, and a restart keeps root, key and serial numbers", async () => {
  const cluster = "11111111-2222-3333-4444-555555555555";
  const args = [...server, "-data-dir", temporaryDirectory()];
  const config = {
    connect: { enabled: true, ca_config: { cluster_id: cluster, leaf_cert_ttl: "80h" } },
  };
  const first = await Proconsul.start({ args, config });
  const before = await rootsOf(first);
  expect(before.TrustDomain).toBe(`${cluster}.consul`);
  const one = await leafOf(first, "web");
  expect(one.ServiceURI).toBe(`spiffe://${cluster}.consul/ns/default/dc/dc1/svc/web`);
  expect(isSignedBy(one, before)).toBe(true);
  const { Config } = (await first.get("/v1/connect/ca/configuration")).json<{ Config: object }>();
  expect(Config).toMatchObject({ LeafCertTTL: "80h" });
  await first.stop();
  const second = await Proconsul.start({ args, config });
  const after = await rootsOf(second);
  expect(after.ActiveRootID).toBe(before.ActiveRootID);
  const other = await leafOf(second, "web");
  expect(isSignedBy(other, after)).toBe(true);
  expect(Number.parseInt(other.SerialNumber, 16)).toBeGreaterThan(
    Number.parseInt(one.SerialNumber, 16),
  );
  await second.stop();
});

test("any server has the leader sign, also after a rotation; no key is printed or answered", async () => {
  const agent = await Proconsul.start({ args: ["-dev", "-servers", "3"] });
  const old = await rootsOf(agent);
  expect(isSignedBy(await leafOf(agent, "web"), old)).toBe(true);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const PrivateKey = privateKey.export({ type: "sec1", format: "pem" }) as string;
  const body = { Provider: "consul", Config: { PrivateKey } };
  expect((await agent.put("/v1/connect/ca/configuration", body)).status).toBe(200);
  const next = await rootsOf(agent);
  expect(next.Roots).toHaveLength(2);
  expect(isSignedBy(await leafOf(agent, "db"), next)).toBe(true);
  const secret = PrivateKey.split("\n")[1] ?? "";
  const paths = ["connect/ca/configuration", "connect/ca/roots", "agent/self", "agent/metrics"];
  for (const path of paths) {
    expect((await agent.get(`/v1/${path}`)).text).not.toContain(secret);
  }
  await agent.put("/v1/connect/ca/configuration", {
    Provider: "consul",
    Config: { PrivateKey, LeafCertTTL: "1m" },
  });
  expect(agent.output).not.toContain(secret);
  await agent.stop();
});
