// Who may come in: a deployment is closed, its Worker says so itself, and objects hear of it only
// when the secret was shown.

import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";

import type { Env } from "../../durable/platform/cloudflare/env.ts";
import { agentKeyHeader, gossipProofHeader, serverKeyHeader } from "../../src/link/protocol.ts";
import { admit } from "../../durable/edge/access.ts";
import { lanPoolOf } from "../../durable/platform/topology.ts";
import main, { LanPool, Server } from "../../src/index.ts";

const secret = "correct-horse/battery?";
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

describe.each([
  ["without a secret", {}],
  ["with an empty secret", { DEPLOY_SECRET: "" }],
  ["with a secret that is not shown", { DEPLOY_SECRET: secret }],
])("a deployment %s", (_title, settings) => {
  test.each(paths)("answers 403 to %s, and no object hears of it", async (path) => {
    const { env: watchedEnv, touched } = watched(settings);
    for (const method of ["GET", "PUT", "POST", "DELETE"]) {
      const request = new Request(`${origin}${path}`, { method });
      const response = await main.fetch(request, watchedEnv);
      expect(response.status, method).toBe(403);
      expect(response.headers.get("content-type")).toContain("text/plain");
    }
    expect(touched()).toBe(0);
  });

  test("an empty answer to the question for the secret opens nothing", async () => {
    for (const headers of [{ "x-consul-token": "" }, { authorization: "Bearer " }]) {
      const response = await fetchWith(settings, "/v1/kv/a?token=", { headers });
      expect(response.status).toBe(403);
    }
  });
});

describe("a deployment's secret", () => {
  const settings = { DEPLOY_SECRET: secret };
  const inPath = encodeURIComponent(secret);

  test.each([
    ["X-Consul-Token", "/v1/catalog/datacenters", { "x-consul-token": secret }],
    ["X-Proconsul-Secret", "/v1/catalog/datacenters", { "x-proconsul-secret": secret }],
    ["a bearer", "/v1/catalog/datacenters", { authorization: `bearer ${secret}` }],
    ["?token=", `/v1/catalog/datacenters?token=${inPath}`, {}],
    [
      "its own header beside a token",
      "/v1/catalog/datacenters",
      { "x-consul-token": "other", "x-proconsul-secret": secret },
    ],
    ["/dns-query/<secret>", `/dns-query/${inPath}?name=consul.service.consul`, {}],
  ])("opens it by %s", async (_how, path, headers) => {
    const response = await fetchWith(settings, path, {
      headers: headers as Record<string, string>,
    });
    expect(response.status).toBe(200);
  });

  test.each([
    ["one letter short", { "x-consul-token": secret.slice(0, -1) }],
    ["one letter long", { "x-consul-token": `${secret}x` }],
    ["in capitals", { "x-consul-token": secret.toUpperCase() }],
    ["by another scheme", { authorization: `Basic ${secret}` }],
    ["without a scheme", { authorization: secret }],
  ])("does not open it %s", async (_how, headers) => {
    const response = await fetchWith(settings, "/v1/catalog/datacenters", {
      headers: headers as Record<string, string>,
    });
    expect(response.status).toBe(403);
  });

  test.each([
    ["X-Consul-Token", "/v1/kv/a", { "x-consul-token": secret }],
    ["X-Proconsul-Secret", "/v1/kv/a", { "x-proconsul-secret": secret }],
    ["a bearer", "/v1/kv/a", { authorization: `Bearer ${secret}` }],
    ["?token=", `/v1/kv/a?token=${inPath}`, {}],
    ["/dns-query/<secret>", `/dns-query/${inPath}?name=web.service.consul`, {}],
    ["a link", "/link?server=0", { "x-consul-token": secret, upgrade: "websocket" }],
    [
      "every place",
      `/v1/kv/a?token=${inPath}`,
      { "x-consul-token": secret, authorization: `Bearer ${secret}` },
    ],
  ])("shown as %s stays in the Worker", async (_how, path, headers) => {
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
    await fetchWith(settings, path, { headers: headers as Record<string, string> });
    spy.mockRestore();
    expect(seen.length).toBeGreaterThan(0);
    for (const text of seen) expect(decodeURIComponent(text)).not.toContain(secret);
  });

  test("agents that name no server are spread over all there are", async () => {
    const greeted = new Set<string>();
    for (let n = 0; n < 40; n++) {
      const headers = { "x-consul-token": secret, upgrade: "websocket" };
      const { webSocket } = await fetchWith(settings, "/link", { headers });
      const hello = new Promise<string>((resolve) => {
        webSocket?.addEventListener("message", ({ data }) => resolve(String(data)));
      });
      webSocket?.accept();
      greeted.add((JSON.parse(await hello) as { hello: { serverName: string } }).hello.serverName);
      webSocket?.close();
    }
    expect(greeted.size).toBe(3);
  });

  test("goes beside a token, which goes on", async () => {
    const headers = { "x-consul-token": "other", "x-proconsul-secret": secret };
    const request = new Request(`${origin}/v1/kv/a`, { headers });
    const admitted = admit(request, new URL(request.url), { ...env, ...settings }) as Request;
    expect([...admitted.headers].filter(([name]) => name.startsWith("x-"))).toEqual([
      ["x-consul-token", "other"],
    ]);
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
      client = `192.0.2.${at % 12}`;
      if (!asked.has(client)) asked.set(client, new Set());
      const headers = { "x-consul-token": secret, "cf-connecting-ip": client };
      expect((await fetchWith(settings, "/v1/kv/a?stale", { headers })).status).toBe(404);
    }
    spy.mockRestore();
    const homes = [...asked.values()].map((servers) => [...servers]);
    // Each keeps to one, and each server has some.
    for (const servers of homes) expect(servers).toHaveLength(1);
    expect(new Set(homes.flat()).size).toBe(3);
  });

  test("in a path opens only DNS", async () => {
    expect((await fetchWith(settings, `/v1/kv/${inPath}`)).status).toBe(403);
    expect((await fetchWith(settings, `/kv/${inPath}`)).status).toBe(403);
  });

  test("that no URL can hold is refused, not an exception", async () => {
    expect((await fetchWith(settings, "/dns-query/%ff?name=a.consul")).status).toBe(403);
    expect((await fetchWith(settings, "/dns-query/%?name=a.consul")).status).toBe(403);
  });

  test("does not open what only servers say to each other", async () => {
    for (const op of ["raft", "forward", "status", "join", "nothing"]) {
      const headers = { "x-consul-token": secret };
      expect((await fetchWith(settings, `/rpc/${op}`, { method: "POST", headers })).status).toBe(
        403,
      );
    }
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
  const settings = { DEPLOY_SECRET: secret, DATACENTERS: { dc1: { servers: 3, pools: 3 } } };
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
    const headers = { "x-proconsul-secret": secret, upgrade: "websocket" };
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
