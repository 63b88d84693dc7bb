// Who may come in: a deployment is closed, its Worker says so itself, and objects hear only of who shows a token, or a
// key that is one.

import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";

import type { Env } from "../../durable/platform/cloudflare/env.ts";
import { agentKeyHeader, gossipProofHeader, serverKeyHeader } from "../../src/link/protocol.ts";
import { administrator } from "./datacenter.ts";
import { lanPoolOf } from "../../durable/platform/topology.ts";
import main, { LanPool, Server } from "../../src/index.ts";

const secret = "correct-horse/battery?";
const deployed = { DEPLOY_SECRET: secret, ANONYMOUS: false };
const upgrade = { upgrade: "websocket" };
const origin = "https://registry.example";
const paths = [
  "/v1/kv/a",
  "/v1/catalog/nodes",
  "/v1/agent/self",
  "/v1/unknown",
  "/",
  "/ui",
  "/dns-query?name=a.consul",
  "/dns-query/wrong?name=a.consul",
  "/link?server=0",
  "/gossip?member={}",
  "/rpc/raft",
  "/rpc/requests",
];

/** Namespaces that tell when anybody asks for an object. */
function watched(settings: Partial<Env>): { env: Env; touched: () => number } {
  let touched = 0;
  const watch = <Namespace extends object>(namespace: Namespace): Namespace =>
    new Proxy(namespace, {
      get: (target, name) => {
        touched += 1;
        const member = Reflect.get(target, name) as unknown;
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  const watchedEnv = {
    ...env,
    SERVER: watch(env.SERVER),
    LAN_POOL: watch(env.LAN_POOL),
    EDGE_AGENT: watch(env.EDGE_AGENT),
    ...settings,
  };
  return { env: watchedEnv, touched: () => touched };
}

async function fetchWith(
  settings: Partial<Env>,
  path: string,
  init?: RequestInit,
): Promise<Response> {
  return await main.fetch(new Request(`${origin}${path}`, init), { ...env, ...settings });
}

const nobody = [
  ["nothing", {}],
  ["an empty token", { "x-consul-token": "" }],
  ["an empty bearer", { authorization: "Bearer " }],
  ["another scheme", { authorization: `Basic ${secret}` }],
  ["the secret of another registry", { "x-proconsul-secret": "guess" }],
] as const;

describe("a deployment is closed", () => {
  test.each(nobody)("to who shows %s, and no object hears of it", async (_what, shown) => {
    const { env: watchedEnv, touched } = watched(deployed);
    for (const path of paths) {
      for (const method of ["GET", "PUT", "POST", "DELETE"]) {
        const headers = new Headers(Object.entries(shown));
        const request = new Request(`${origin}${path}`, { method, headers });
        const response = await main.fetch(request, watchedEnv);
        expect(response.status, `${method} ${path}`).toBe(403);
        expect(response.headers.get("content-type")).toContain("text/plain");
      }
    }
    expect(touched()).toBe(0);
  });

  test("without any setting it is as closed", async () => {
    const { env: watchedEnv, touched } = watched({
      ...deployed,
      DEPLOY_SECRET: "",
      KEY_SECRET: "",
    });
    for (const path of [...paths, "/v1/acl/bootstrap", "/join"]) {
      const headers = { "x-proconsul-secret": "" };
      const request = new Request(`${origin}${path}`, { method: "POST", headers });
      expect((await main.fetch(request, watchedEnv)).status, path).toBe(403);
    }
    expect(touched()).toBe(0);
  });

  test("open to strangers only where its deployer says so, and then to what anonymous may", async () => {
    const open = { ...deployed, ANONYMOUS: true };
    expect((await fetchWith(open, "/v1/catalog/datacenters")).status).toBe(200);
    expect((await fetchWith(open, "/link?server=0", { headers: upgrade })).status).toBe(403);
  });

  test("a browser may ask whether a page may ask DNS", async () => {
    const headers = { origin: "https://page.example", "access-control-request-method": "POST" };
    const asked = { method: "OPTIONS", headers };
    const response = await fetchWith(deployed, "/dns-query", asked);
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect((await fetchWith(deployed, "/v1/kv/a", asked)).status).toBe(403);
  });

  test("what only servers say to each other is nobody's", async () => {
    const headers = { "x-consul-token": administrator, "x-proconsul-secret": secret };
    for (const op of ["raft", "forward", "status", "join", "nothing"]) {
      const asked = { method: "POST", headers };
      expect((await fetchWith(deployed, `/rpc/${op}`, asked)).status).toBe(403);
    }
  });
});

describe("the deployer's secret", () => {
  test("makes the first token, once, and nothing else", async () => {
    const headers = { "x-proconsul-secret": secret };
    for (const path of ["/v1/kv/a", "/v1/acl/tokens", "/v1/operator/join-token", "/dns-query"]) {
      expect((await fetchWith(deployed, path, { headers })).status, path).toBe(403);
    }
    const first = await fetchWith(deployed, "/v1/acl/bootstrap", { method: "PUT", headers });
    // Tests have a management token already; whoever got this far was let in.
    expect(await first.text()).toContain("ACL bootstrap no longer allowed");
    for (const shown of [
      {},
      { "x-consul-token": secret },
      { "x-proconsul-secret": `${secret}x` },
    ]) {
      const asked = { method: "PUT", headers: shown as Record<string, string> };
      const refused = await fetchWith(deployed, "/v1/acl/bootstrap", asked);
      expect(await refused.text()).not.toContain("ACL bootstrap");
      expect(refused.status).toBe(403);
    }
  });

  test("is no token, wherever it is shown", async () => {
    const inPath = encodeURIComponent(secret);
    for (const [path, headers] of [
      ["/v1/kv/a", { "x-consul-token": secret }],
      ["/v1/kv/a", { authorization: `Bearer ${secret}` }],
      [`/v1/kv/a?token=${inPath}`, {}],
      [`/dns-query/${inPath}?name=consul.service.consul`, {}],
    ] as const) {
      const asked = { headers: headers as Record<string, string> };
      expect((await fetchWith(deployed, path, asked)).status, path).toBe(403);
    }
  });

  test("beside a token stays in the Worker", async () => {
    const seen: string[] = [];
    const { fetch } = Server.prototype;
    const spy = vi.spyOn(Server.prototype, "fetch").mockImplementation(async function (
      this: Server,
      request,
    ) {
      const copy = request.clone();
      seen.push(request.url, await copy.text(), JSON.stringify([...request.headers]));
      return await fetch.call(this, request);
    });
    const headers = { "x-consul-token": administrator, "x-proconsul-secret": secret };
    expect((await fetchWith(deployed, "/v1/kv/a", { headers })).status).toBe(404);
    await fetchWith(deployed, "/v1/acl/bootstrap", {
      ...{ method: "PUT", headers: { "x-proconsul-secret": secret } },
    });
    spy.mockRestore();
    expect(seen.length).toBeGreaterThan(0);
    for (const text of seen) expect(decodeURIComponent(text)).not.toContain(secret);
  });
});

describe("a token", () => {
  const headers = { "x-consul-token": administrator };

  test.each([
    ["X-Consul-Token", "/v1/catalog/datacenters", headers],
    ["a bearer", "/v1/catalog/datacenters", { authorization: `bearer ${administrator}` }],
    ["?token=", `/v1/catalog/datacenters?token=${administrator}`, {}],
  ])("shown as %s is let in", async (_how, path, shown) => {
    const asked = { headers: shown as Record<string, string> };
    expect((await fetchWith(deployed, path, asked)).status).toBe(200);
  });

  test("that nobody knows is asked for a few times, and an address that shows many waits", async () => {
    const asked: number[] = [];
    const { fetch } = Server.prototype;
    let calls = 0;
    const spy = vi.spyOn(Server.prototype, "fetch").mockImplementation(async function (
      this: Server,
      request,
    ) {
      if (new URL(request.url).pathname === "/rpc/requests") calls += 1;
      return await fetch.call(this, request);
    });
    const from = (address: string, token: string): Promise<Response> =>
      fetchWith(deployed, "/v1/kv/a?stale", {
        headers: { "x-consul-token": token, "cf-connecting-ip": address },
      });
    const token = crypto.randomUUID();
    for (let n = 0; n < 12; n++) asked.push((await from("192.0.2.1", token)).status);
    expect(new Set(asked)).toEqual(new Set([403]));
    // Each time it is asked, too, whether it is the token that there is not.
    expect(calls).toBe(2 * 5);
    for (let n = 0; n < 40; n++) await from("192.0.2.2", crypto.randomUUID());
    const waits = await from("192.0.2.2", crypto.randomUUID());
    expect(waits.status).toBe(429);
    expect(Number(waits.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(calls).toBeLessThan(2 * 45);
    // Nobody else waits for it.
    expect((await from("192.0.2.3", administrator)).status).toBe(404);
    spy.mockRestore();
  });

  test("is known, whatever it asks for that is not", async () => {
    const asked = { headers: { ...headers, "cf-connecting-ip": "203.0.113.1" } };
    for (let n = 0; n < 40; n++) {
      const missing = await fetchWith(deployed, `/v1/acl/token/${crypto.randomUUID()}`, asked);
      expect(await missing.text()).toBe("ACL not found");
      expect(missing.status).toBe(403);
    }
    expect((await fetchWith(deployed, "/v1/acl/tokens", asked)).status).toBe(200);
  });

  test("does not bring all clients to one server", async () => {
    const asked = new Map<string, Set<string>>();
    const { fetch } = Server.prototype;
    const spy = vi.spyOn(Server.prototype, "fetch").mockImplementation(async function (
      this: Server,
      request,
    ) {
      if (new URL(request.url).pathname === "/rpc/requests") {
        asked.get(client)?.add(this.ctx.id.name ?? "");
      }
      return await fetch.call(this, request);
    });
    let client = "";
    for (let at = 0; at < 24; at++) {
      client = `198.51.100.${at % 12}`;
      if (!asked.has(client)) asked.set(client, new Set());
      const shown = { ...headers, "cf-connecting-ip": client };
      expect((await fetchWith(deployed, "/v1/kv/a?stale", { headers: shown })).status).toBe(404);
    }
    spy.mockRestore();
    const homes = [...asked.values()].map((servers) => [...servers]);
    // Each keeps to one, and each server has some.
    for (const servers of homes) expect(servers).toHaveLength(1);
    expect(new Set(homes.flat()).size).toBe(3);
  });
});

describe("on a host of one's own", () => {
  const HOST = { servers: [], bootstrapExpect: 1, timing: "lan", startId: "x" } as const;
  const hosted = { HOST: { ...HOST, servers: [] } };

  const keys = { SERVER_KEY: "between servers", AGENT_KEY: "of the agent" };

  async function ask(
    path: string,
    settings: Partial<Env>,
    headers: Record<string, string>,
  ): Promise<number> {
    const { env: watchedEnv, touched } = watched({ ...hosted, ...settings });
    const request = new Request(`http://localhost${path}`, { method: "POST", headers });
    // Whoever is let through reaches an object, which this host does not have.
    const response = await main.fetch(request, watchedEnv).catch(() => null);
    if (response?.status === 403 || response?.status === 404) expect(touched()).toBe(0);
    return response?.status ?? 0;
  }

  test.each(["/rpc/status", "/link?server=0", "/gossip"])(
    "%s is for whom the agent lets through, and for nobody without an agent",
    async (path) => {
      for (const headers of [
        {},
        { [agentKeyHeader]: "" },
        { [agentKeyHeader]: "Of the agent" },
        { [serverKeyHeader]: "between servers" },
        { [gossipProofHeader]: "gossip" },
      ]) {
        expect(await ask(path, keys, headers)).toBe(403);
        expect(await ask(path, {}, headers)).toBe(403);
      }
      expect(await ask(path, keys, { [agentKeyHeader]: "of the agent" })).not.toBe(403);
    },
  );

  test("the API is there only if the agent wants it, and not for pages that lure a browser", async () => {
    const agent = { [agentKeyHeader]: "of the agent" };
    for (const path of ["/v1/status/leader", "/v1/kv/a", "/dns-query?name=a.consul", "/"]) {
      expect(await ask(path, keys, {})).toBe(404);
      expect(await ask(path, keys, agent)).toBe(404);
    }
    const edge = { ...keys, HOST: { ...HOST, servers: [], edge: true } };
    expect(await ask("/v1/kv/a", edge, { origin: "https://evil.example" })).toBe(403);
    const lured = { headers: { "accept-language": "" } };
    expect((await fetchWith(edge, "/v1/kv/a", lured)).status).toBe(403);
    expect((await fetchWith(edge, "/unknown")).status).toBe(404);
  });
});

test("an agent's socket goes to the pool that its node's name belongs to", async () => {
  const settings = { ...deployed, DATACENTERS: { dc1: { servers: 3, pools: 3 } } };
  const { fetch } = LanPool.prototype;
  const seen = new Map<string, string>();
  let joining = "";
  const spy = vi.spyOn(LanPool.prototype, "fetch").mockImplementation(async function (
    this: LanPool,
    request,
  ) {
    seen.set(joining, this.ctx.id.name ?? "");
    return await fetch.call(this, request);
  });
  for (let n = 0; n < 9; n++) {
    joining = `host-${n}`;
    const member = JSON.stringify({ name: joining, id: crypto.randomUUID(), address: "10.0.0.1" });
    const headers = { ...upgrade, "x-consul-token": administrator };
    const path = `/gossip?member=${encodeURIComponent(member)}`;
    const response = await fetchWith(settings, path, { headers });
    expect(response.status).toBe(101);
    response.webSocket?.accept();
    response.webSocket?.close();
  }
  spy.mockRestore();
  for (const [name, pool] of seen) {
    expect(pool, name).toBe(lanPoolOf(name, { DEFAULT_DC: "dc1", ...settings }, "dc1").name);
  }
  expect(new Set(seen.values()).size).toBe(3);
});
