// Connect in a deployment with two datacenters: hosts of the secondary get certificates that the primary's root vouches
// for, before and after a deploy, and nobody reaches what servers say to each other.

import { generateKeyPairSync } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import { LocalDeployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { verified } from "../support/openssl.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

interface Roots {
  ActiveRootID: string;
  TrustDomain: string;
  Roots: { ID: string; RootCert: string }[];
}

const files = temporaryDirectory();
let deployment: LocalDeployment;
let management: string;
let host: Proconsul;

beforeAll(async () => {
  deployment = await LocalDeployment.start({
    datacenters: { dc1: { servers: 3 }, dc2: { servers: 3 } },
    vars: { CONNECT: { config: { LeafCertTTL: "48h" } } },
  });
  management = await deployment.bootstrap();
  await eventually(async () => (await rootsOf("dc2")).ActiveRootID !== "", {
    what: "the secondary has a root",
    limitMs: 30_000,
  });
  host = await Proconsul.spawn({
    args: ["-node", "far", "-datacenter", "dc2", "-data-dir", temporaryDirectory()],
    config: {
      ...{ ca_file: deployment.caFile, retry_join: [deployment.url], retry_interval: "1s" },
      acl: { enabled: true, tokens: { agent: management } },
    },
  });
});

afterAll(async () => {
  await stopAll();
  await deployment.stop();
});

async function rootsOf(dc: string): Promise<Roots> {
  const answer = await deployment.ask(`/v1/connect/ca/roots?dc=${dc}`, { token: management });
  if (answer.status !== 200) return { ActiveRootID: "", TrustDomain: "", Roots: [] };
  return answer.json<Roots>();
}

function rootIn({ Roots: roots, ActiveRootID: id }: Roots): string {
  return roots.find((root) => root.ID === id)?.RootCert ?? "";
}

/** The certificate that the host has for a service. */
async function leafOf(service: string): Promise<{ CertPEM: string; ServiceURI: string }> {
  const headers = { "X-Consul-Token": management };
  let leaf = { CertPEM: "", ServiceURI: "" };
  await eventually(
    async () => {
      const answer = await host.get(`/v1/agent/connect/ca/leaf/${service}`, { headers });
      if (answer.status === 200) leaf = answer.json();
      return answer.status === 200;
    },
    { what: "the host gets a certificate", limitMs: 30_000 },
  );
  return leaf;
}

test("a host of the secondary has certificates under the primary's root", async () => {
  const near = await rootsOf("dc1");
  const leaf = await leafOf("web");
  expect(leaf.ServiceURI).toBe(`spiffe://${near.TrustDomain}/ns/default/dc/dc2/svc/web`);
  expect(verified(leaf.CertPEM, rootIn(near), files)).toBe("OK");
});

test("after a deploy the same keys sign, and another root is followed", async () => {
  const before = await rootsOf("dc2");
  await deployment.upgrade();
  expect(verified((await leafOf("db")).CertPEM, rootIn(before), files)).toBe("OK");
  expect(await rootsOf("dc2")).toEqual(before);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const PrivateKey = privateKey.export({ type: "sec1", format: "pem" });
  const body = { Provider: "consul", Config: { PrivateKey } };
  const ask = { method: "PUT", body, token: management };
  expect((await deployment.ask("/v1/connect/ca/configuration", ask)).status).toBe(200);
  await eventually(
    async () => (await rootsOf("dc2")).ActiveRootID === (await rootsOf("dc1")).ActiveRootID,
    { what: "the secondary has the new root", limitMs: 20_000 },
  );
  const next = await rootsOf("dc1");
  expect(next.ActiveRootID).not.toBe(before.ActiveRootID);
  const { CertPEM: chain } = await leafOf("api");
  expect(verified(chain, rootIn(next), files)).toBe("OK");
  // Who knows only the root before it is shown the bridge.
  expect(verified(chain, rootIn(before), files)).toBe("OK");
});

test("what servers ask each other is reached by nobody at the Worker, and no key is printed", async () => {
  const body = { ask: "sign", from: "dc2", csr: "x" };
  for (const token of [management, undefined]) {
    const ask = { method: "POST", body, ...(token !== undefined && { token }) };
    const answer = await deployment.ask("/rpc/authority", ask);
    expect([403, 404]).toContain(answer.status);
    expect(answer.text).not.toContain("clusterId");
  }
  expect(deployment.output + host.output).not.toContain("PRIVATE KEY");
});
