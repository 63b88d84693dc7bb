// ACLs and configuration entries of a deployment with two datacenters: one decides, the other copies, at once.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, expect, test, vi } from "vitest";

import { StubObjects } from "../../durable/platform/cloudflare/objects.ts";
import { serverObject } from "../../durable/platform/topology.ts";
import main, { type Server } from "../../src/index.ts";

const master = env.ACL?.masterToken ?? "";
/** A client of the Worker whose own datacenter is the secondary. */
const secret = "the deployer's";
const secondary = { ...env, DEFAULT_DC: "dc2", PRIMARY_DC: "dc1", DEPLOY_SECRET: secret };
const primary = { ...env, DEPLOY_SECRET: secret };

async function call(
  at: typeof primary,
  method: string,
  path: string,
  { token = master, body }: { token?: string; body?: unknown } = {},
): Promise<string> {
  const headers = { "x-consul-token": token };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await main.fetch(new Request(`https://registry.example${path}`, init), at);
  return `${response.status} ${await response.text()}`;
}

async function json<Body>(at: typeof primary, method: string, path: string, body?: unknown) {
  const answer = await call(at, method, path, { body });
  expect(answer).toMatch(/^200 /);
  return JSON.parse(answer.slice(4)) as Body;
}

interface Token {
  AccessorID: string;
  SecretID: string;
}

const own = (at: typeof primary, token: string) => call(at, "GET", "/v1/acl/token/self", { token });

beforeAll(async () => {
  await vi.waitFor(async () => {
    expect(await own(secondary, master)).toMatch(/^200 .*Master Token/);
  }, 10_000);
});

test("what is made in either counts in both", async () => {
  const rules = 'key_prefix "" { policy = "deny" }';
  const policy = { Name: "no-keys", Rules: rules };
  await json(secondary, "PUT", "/v1/acl/policy", policy);
  const { SecretID: token } = await json<Token>(secondary, "PUT", "/v1/acl/token", {
    Policies: [{ Name: "no-keys" }],
  });
  expect(await own(primary, token)).toMatch(/^200 .*"no-keys"/);
  await expect.poll(() => own(secondary, token)).toMatch(/^200 .*"no-keys"/);
  const denied = await call(secondary, "PUT", "/v1/kv/a", { token, body: 1 });
  expect(denied).toBe("403 Permission denied");
  expect(await call(primary, "GET", "/v1/kv/a?dc=dc2", { token })).toBe(
    "403 rpc error making call: Permission denied",
  );
});

test("a token that is revoked in the primary is refused in the secondary within a second", async () => {
  const { AccessorID: id, SecretID: token } = await json<Token>(
    primary,
    "PUT",
    "/v1/acl/token",
    {},
  );
  await expect.poll(() => own(secondary, token)).toMatch(/^200 /);
  const waiting = call(secondary, "GET", "/v1/kv/none?index=999999&wait=60s", { token });
  await json(primary, "DELETE", `/v1/acl/token/${id}`);
  const startMs = Date.now();
  await expect.poll(() => own(secondary, token), { timeout: 1_000 }).toBe("403 ACL not found");
  expect(await waiting).toBe("403 ACL not found");
  expect(Date.now() - startMs).toBeLessThan(1_000);
});

test("a local token counts where it was made, and is nobody's elsewhere", async () => {
  const { SecretID: token } = await json<Token>(secondary, "PUT", "/v1/acl/token", { Local: true });
  expect(await own(secondary, token)).toMatch(/^200 /);
  expect(await own(primary, token)).toBe("403 ACL not found");
  // It is not shown there: who asks is nobody in particular.
  expect(await call(secondary, "GET", "/v1/kv/?keys&dc=dc1", { token })).toMatch(/^(200|404) /);
});

test("configuration entries are the primary's", async () => {
  const entry = { Kind: "service-defaults", Name: "web", Protocol: "http" };
  await json(secondary, "PUT", "/v1/config", entry);
  expect(await call(primary, "GET", "/v1/config/service-defaults/web")).toMatch(/"http"/);
  const there = () => call(secondary, "GET", "/v1/config/service-defaults/web");
  await expect.poll(there).toMatch(/^200 .*"http"/);
  await json(secondary, "DELETE", "/v1/config/service-defaults/web");
  await expect.poll(there).toMatch(/^404 /);
});

test("the secondary says what it copies, and the primary that it copies nothing", async () => {
  const status = await json<Record<string, unknown>>(secondary, "GET", "/v1/acl/replication");
  expect(status).toMatchObject({ Enabled: true, Running: true, SourceDatacenter: "dc1" });
  expect(status.ReplicatedTokenIndex).toBeGreaterThan(0);
  expect(await call(primary, "GET", "/v1/acl/replication")).toMatch(/"Enabled":false/);
  expect(await json(primary, "GET", "/v1/acl/replication?dc=dc2")).toEqual(status);
});

test("a secondary has no first token of its own", async () => {
  const headers = { "x-proconsul-secret": secret };
  const asked = new Request("https://registry.example/v1/acl/bootstrap", {
    method: "PUT",
    headers,
  });
  expect(await (await main.fetch(asked, secondary)).text()).toBe("ACL support disabled");
});

test("how far it has copied is part of the state, which every later leader has", async () => {
  const stub = new StubObjects(env).stub(serverObject("dc2", 0)) as DurableObjectStub<Server>;
  const kinds = await runInDurableObject(stub, (_server, state) => {
    const rows = state.storage.sql.exec("SELECT kind FROM replication ORDER BY kind").toArray();
    return rows.map(({ kind }) => kind);
  });
  expect(kinds).toEqual(expect.arrayContaining(["config", "policies", "tokens"]));
});
