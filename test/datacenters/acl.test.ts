// ACLs of two datacenters: what is global is made in the primary one and counts in both; what is local stays.

import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";

import main from "../../src/index.ts";

const administrator = env.ACL?.masterToken ?? "";
/** Consul takes writes of ACLs for the datacenter of whoever is asked, whatever `?dc=` says: a Worker of dc2, too. */
const far = { DEFAULT_DC: "dc2" };
const closed = { ...env, ANONYMOUS: false, ACL: { ...env.ACL, defaultPolicy: "deny" } };

interface Token {
  AccessorID: string;
  SecretID: string;
}

async function ask(
  method: string,
  path: string,
  token: string,
  body?: object,
  settings: object = {},
): Promise<Response> {
  const init = {
    ...{ method, headers: { "x-consul-token": token } },
    ...(body && { body: JSON.stringify(body) }),
  };
  return await main.fetch(new Request(`https://registry.example${path}`, init), {
    ...closed,
    ...settings,
  } as never);
}

async function administer<Body>(
  method: string,
  path: string,
  body?: object,
  settings: object = {},
): Promise<Body> {
  const response = await ask(method, path, administrator, body, settings);
  const text = await response.text();
  expect(response.status, `${method} ${path}: ${text}`).toBe(200);
  return JSON.parse(text) as Body;
}

async function reads(dc: string, token: string): Promise<number> {
  return (await ask("GET", `/v1/acl/token/self?dc=${dc}`, token)).status;
}

async function soon(holds: () => Promise<boolean>): Promise<number> {
  const startMs = Date.now();
  await expect.poll(holds, { timeout: 5_000, interval: 10 }).toBe(true);
  return Date.now() - startMs;
}

let policy: string;

beforeAll(async () => {
  const rules = 'key_prefix "shared/" { policy = "write" }';
  ({ ID: policy } = await administer<{ ID: string }>("PUT", "/v1/acl/policy", {
    ...{ Name: "shared", Rules: rules },
  }));
  // Tests may ask the other datacenter before it has found its leader.
  await administer("PUT", "/v1/kv/warm?dc=dc2", {});
});

test("a token of the primary counts in the other one, within a second", async () => {
  const token = await administer<Token>("PUT", "/v1/acl/token", { Policies: [{ ID: policy }] });
  const tookMs = await soon(async () => (await reads("dc2", token.SecretID)) === 200);
  console.log(`a new token counted in the other datacenter after ${tookMs} ms`);
  expect(tookMs).toBeLessThan(1_000);
  const seen = await administer<Token>("GET", `/v1/acl/token/${token.AccessorID}?dc=dc2`);
  expect(seen).toMatchObject({ SecretID: token.SecretID, Policies: [{ Name: "shared" }] });
  await administer("DELETE", `/v1/acl/token/${token.AccessorID}`);
  const revokedMs = await soon(async () => (await reads("dc2", token.SecretID)) === 403);
  expect(revokedMs).toBeLessThan(1_000);
});

test("what is made in the other one is made in the primary", async () => {
  const rules = { Name: "far", Rules: 'node_prefix "" { policy = "read" }' };
  const made = await administer<{ ID: string }>("PUT", "/v1/acl/policy", rules, far);
  expect(await administer("GET", `/v1/acl/policy/${made.ID}?dc=dc1`)).toMatchObject({
    Name: "far",
  });
  await soon(async () => (await ask("GET", `/v1/acl/policy/${made.ID}?dc=dc2`, administrator)).ok);
  await administer("DELETE", `/v1/acl/policy/${made.ID}`, undefined, far);
  await soon(async () => !(await ask("GET", `/v1/acl/policy/${made.ID}?dc=dc2`, administrator)).ok);
  expect((await ask("GET", `/v1/acl/policy/${made.ID}`, administrator)).status).toBe(403);
});

test("a local token counts where it was made, and nowhere else", async () => {
  const grant = { Local: true, Policies: [{ ID: policy }] };
  const here = await administer<Token>("PUT", "/v1/acl/token", grant, far);
  expect(await reads("dc2", here.SecretID)).toBe(200);
  expect(await reads("dc1", here.SecretID)).toBe(403);
  // Something global changes: what is local stays.
  const other = await administer<Token>("PUT", "/v1/acl/token", { Policies: [{ ID: policy }] });
  await soon(async () => (await reads("dc2", other.SecretID)) === 200);
  expect(await reads("dc2", here.SecretID)).toBe(200);
  await administer("DELETE", `/v1/acl/token/${here.AccessorID}`, undefined, far);
  expect(await reads("dc2", here.SecretID)).toBe(403);
});
