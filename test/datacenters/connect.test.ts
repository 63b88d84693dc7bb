// Connect in a deployment with two datacenters: the roots are the primary's, each signs with a key of its own.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, expect, test, vi } from "vitest";

import { StubObjects } from "../../durable/platform/cloudflare/objects.ts";
import { serverObject } from "../../durable/platform/topology.ts";
import { readCertificate } from "../../src/connect/certificates.ts";
import main, { type Server } from "../../src/index.ts";

const token = env.ACL?.masterToken ?? "";

async function fetch(method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { "x-consul-token": token };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  return await main.fetch(new Request(`https://registry.example${path}`, init), env);
}

async function call(method: string, path: string, body?: unknown): Promise<string> {
  const response = await fetch(method, path, body);
  return `${response.status} ${await response.text()}`;
}

async function json<Body>(path: string): Promise<Body> {
  const answer = await call("GET", path);
  expect(answer).toMatch(/^200 /);
  return JSON.parse(answer.slice(4)) as Body;
}

interface Roots {
  ActiveRootID: string;
  TrustDomain: string;
  Roots: { ID: string; RootCert: string; IntermediateCerts: string[] | null; Active: boolean }[];
}

const rootsOf = (dc: string) => json<Roots>(`/v1/connect/ca/roots?dc=${dc}`);

/** Whether `certificate` is signed by `issuer`. */
async function isSigned(certificate: string, issuer: string): Promise<boolean> {
  const { publicKey } = readCertificate(issuer);
  return await readCertificate(certificate).verify({ publicKey, signatureOnly: true });
}

function activeOf({ Roots: roots }: Roots): Roots["Roots"][number] {
  const found = roots.find(({ Active }) => Active);
  if (!found) throw new Error("no root is active");
  return found;
}

/** The Worker whose own datacenter is the secondary. */
async function leaf(service: string): Promise<{ CertPEM: string; ServiceURI: string }> {
  const secondary = { ...env, DEFAULT_DC: "dc2", PRIMARY_DC: "dc1" };
  const path = `https://registry.example/v1/agent/connect/ca/leaf/${service}`;
  const asked = new Request(path, { headers: { "x-consul-token": token } });
  const answer = await main.fetch(asked, secondary);
  expect(answer.status).toBe(200);
  return await answer.json();
}

beforeAll(async () => {
  await vi.waitFor(async () => {
    expect((await rootsOf("dc2")).ActiveRootID).not.toBe("");
  }, 15_000);
});

test("the secondary has the primary's roots and trust domain", async () => {
  const [near, far] = [await rootsOf("dc1"), await rootsOf("dc2")];
  expect(far.ActiveRootID).toBe(near.ActiveRootID);
  expect(far.TrustDomain).toBe(near.TrustDomain);
  const [intermediate = ""] = activeOf(far).IntermediateCerts ?? [];
  expect(await isSigned(intermediate, activeOf(near).RootCert)).toBe(true);
  expect(activeOf(near).IntermediateCerts).toBeNull();
});

test("certificates of services are signed there, with the secondary's name", async () => {
  const { CertPEM: chain, ServiceURI: uri } = await leaf("web");
  expect(uri).toMatch(/^spiffe:\/\/[0-9a-f-]{36}\.consul\/ns\/default\/dc\/dc2\/svc\/web$/);
  const [one = "", intermediate = "", ...more] = chain.split(/(?=-----BEGIN)/);
  expect(more).toEqual([]);
  expect(await isSigned(one, intermediate)).toBe(true);
  expect(await isSigned(intermediate, activeOf(await rootsOf("dc1")).RootCert)).toBe(true);
});

test("another root in the primary is followed at once, and who knows the old one can verify", async () => {
  const old = await rootsOf("dc1");
  const roots = "/v1/connect/ca/roots?dc=dc2";
  const index = (await fetch("GET", roots)).headers.get("x-consul-index") ?? "";
  const waiting = call("GET", `${roots}&index=${index}&wait=20s`);
  const body = { Provider: "consul", Config: { PrivateKeyBits: 384, PrivateKey: await newKey() } };
  expect(await call("PUT", "/v1/connect/ca/configuration", body)).toBe("200 ");
  const next = await rootsOf("dc1");
  expect(next.ActiveRootID).not.toBe(old.ActiveRootID);
  await vi.waitFor(async () => {
    expect((await rootsOf("dc2")).ActiveRootID).toBe(next.ActiveRootID);
  }, 5_000);
  expect(await waiting).toContain(next.ActiveRootID);
  const [one = "", intermediate = "", bridge = ""] = (await leaf("db")).CertPEM.split(
    /(?=-----BEGIN)/,
  );
  expect(await isSigned(one, intermediate)).toBe(true);
  expect(await isSigned(intermediate, bridge)).toBe(true);
  expect(await isSigned(intermediate, activeOf(next).RootCert)).toBe(true);
  expect(await isSigned(bridge, activeOf(old).RootCert)).toBe(true);
});

async function newKey(): Promise<string> {
  const { exportKey, generateKey } = await import("../../src/connect/keys.ts");
  return await exportKey(await generateKey("ec", 256));
}

test("keys stay in their datacenter", async () => {
  const keysOf = async (dc: string): Promise<string[]> => {
    const stub = new StubObjects(env).stub(serverObject(dc, 0)) as DurableObjectStub<Server>;
    return await runInDurableObject(stub, (_server, state) => {
      const rows = state.storage.sql.exec<{ private_key: string }>("SELECT * FROM ca_key");
      return rows.toArray().map(({ private_key: key }) => key);
    });
  };
  const [near, far] = [await keysOf("dc1"), await keysOf("dc2")];
  expect([near.length, far.length]).toEqual([1, 1]);
  expect(near).not.toEqual(far);
});

test("intentions are the primary's, and decide in both", async () => {
  const pair = { SourceName: "web", DestinationName: "db", Action: "deny" };
  expect(await call("POST", "/v1/connect/intentions?dc=dc2", pair)).toMatch(/^200 /);
  expect(await call("GET", "/v1/connect/intentions?dc=dc1")).toContain('"Action":"deny"');
  const check = "/v1/connect/intentions/check?source=web&destination=db&dc=dc2";
  await vi.waitFor(async () => {
    expect(await call("GET", check)).toBe('200 {"Allowed":false}');
  }, 5_000);
});

test("a configuration of the secondary is its own", async () => {
  const body = { Provider: "consul", Config: { LeafCertTTL: "24h" } };
  const path = "/v1/connect/ca/configuration?dc=dc2";
  expect(await call("PUT", path, body)).toBe("200 ");
  expect(await call("GET", path)).toContain('"LeafCertTTL":"24h"');
  expect(await call("GET", "/v1/connect/ca/configuration")).not.toContain("24h");
});
