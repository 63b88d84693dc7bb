// A deployment with two datacenters, at the Worker's URL: whatever names one goes there, and nothing is mixed up.

import { env } from "cloudflare:workers";
import { decode, encode } from "@leichtgewicht/dns-packet";
import { beforeAll, describe, expect, test, vi } from "vitest";

import main from "../../src/index.ts";

const administrator = env.ACL?.masterToken ?? "";
const origin = "https://registry.example";

async function fetch(method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { "x-consul-token": administrator };
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const init = { method, headers, ...(text !== undefined && { body: text }) };
  return await main.fetch(new Request(`${origin}${path}`, init), env);
}

/** `status body` */
async function call(method: string, path: string, body?: unknown): Promise<string> {
  const response = await fetch(method, path, body);
  return `${response.status} ${await response.text()}`;
}

async function json<Body>(path: string): Promise<Body> {
  return await (await fetch("GET", path)).json<Body>();
}

const node = (dc: string, name: string, address: string) => ({
  Datacenter: dc,
  Node: name,
  Address: address,
  Service: { Service: "web", Tags: ["v1"], Port: 80 },
});

beforeAll(async () => {
  // The other datacenter has copied the primary's tokens.
  await vi.waitFor(async () => {
    expect(await call("GET", "/v1/acl/token/self?dc=dc2")).toMatch(/^200 /);
  }, 10_000);
  expect(await call("PUT", "/v1/catalog/register", node("dc1", "near", "10.0.0.1"))).toBe(
    "200 true",
  );
  expect(await call("PUT", "/v1/catalog/register", node("dc2", "far", "10.0.0.2"))).toBe(
    "200 true",
  );
});

describe("?dc=", () => {
  test("sends keys, transactions and their reads to that datacenter", async () => {
    expect(await call("PUT", "/v1/kv/a?dc=dc2", "far")).toBe("200 true");
    expect(await call("GET", "/v1/kv/a")).toBe("404 ");
    expect(await call("GET", "/v1/kv/a?raw&dc=dc2")).toBe("200 far");
    expect(await call("GET", "/v1/kv/a?raw&dc=dc2&stale")).toBe("200 far");
    expect(await call("GET", "/v1/kv/a?raw&dc=dc2&consistent")).toBe("200 far");
    const set = { KV: { Verb: "set", Key: "b", Value: btoa("tx") } };
    expect(await call("PUT", "/v1/txn?dc=dc2", [set])).toMatch(/^200 /);
    expect(await call("GET", "/v1/kv/b?raw&dc=dc2")).toBe("200 tx");
    expect(await call("DELETE", "/v1/kv/b?dc=dc2")).toBe("200 true");
    expect(await call("GET", "/v1/kv/?keys&dc=dc2")).toBe('200 ["a"]');
  });

  test("sends what waits there, too", async () => {
    const before = await fetch("GET", "/v1/kv/w?dc=dc2");
    const index = before.headers.get("x-consul-index") ?? "";
    const waiting = fetch("GET", `/v1/kv/w?raw&dc=dc2&index=${index}&wait=20s`);
    // Something else here must not end it.
    await call("PUT", "/v1/kv/w", "near");
    await call("PUT", "/v1/kv/w?dc=dc2", "far");
    const after = await waiting;
    expect(await after.text()).toBe("far");
    expect(Number(after.headers.get("x-consul-index"))).toBeGreaterThan(Number(index));
  });

  test("sends sessions there, where this agent's own node is nobody's", async () => {
    const own = await call("PUT", "/v1/session/create?dc=dc2");
    expect(own).toBe("500 rpc error making call: Missing node registration");
    const created = await fetch("PUT", "/v1/session/create?dc=dc2", {
      Node: "far",
      TTL: "10s",
      Checks: [],
    });
    const { ID: id } = await created.json<{ ID: string }>();
    expect(await call("PUT", `/v1/session/renew/${id}`)).toMatch(/^404 /);
    expect(await call("PUT", `/v1/session/renew/${id}?dc=dc2`)).toMatch(/^200 .*"Node":"far"/);
    expect(await call("PUT", `/v1/session/destroy/${id}?dc=dc2`)).toBe("200 true");
  });

  test.each([
    ["/v1/catalog/nodes", '"Node":"far"'],
    ["/v1/catalog/service/web", '"Address":"10.0.0.2"'],
    ["/v1/health/service/web", '"Node":"far"'],
    ["/v1/internal/ui/services", '"Name":"web"'],
    ["/v1/status/peers", "240.0.0.1"],
    ["/v1/operator/raft/configuration", '"Leader":true'],
    ["/v1/operator/autopilot/configuration", "CleanupDeadServers"],
    ["/v1/operator/autopilot/health", '"Healthy":true'],
    ["/v1/coordinate/nodes", "["],
    ["/v1/connect/intentions", "["],
    ["/v1/config/service-defaults", "["],
    ["/v1/query", "["],
    ["/v1/acl/tokens", "Master Token"],
    ["/v1/acl/policies", "global-management"],
    ["/v1/discovery-chain/web", '"Datacenter":"dc2"'],
  ])("reads %s there", async (path, part) => {
    const answer = await call("GET", `${path}?dc=dc2`);
    expect(answer).toMatch(/^200 /);
    expect(answer).toContain(part);
    expect(answer).not.toContain('"near"');
    expect(await call("GET", `${path}?dc=dc3`)).toBe("500 No path to datacenter");
  });

  test("saves and restores the state there", async () => {
    await call("PUT", "/v1/kv/kept?dc=dc2", "1");
    const saved = await fetch("GET", "/v1/snapshot?dc=dc2");
    const archive = await saved.arrayBuffer();
    await call("DELETE", "/v1/kv/kept?dc=dc2");
    const headers = { "x-consul-token": administrator };
    const init = { method: "PUT", headers, body: archive };
    const request = new Request(`${origin}/v1/snapshot?dc=dc2`, init);
    expect((await main.fetch(request, env)).status).toBe(200);
    expect(await call("GET", "/v1/kv/kept?raw&dc=dc2")).toBe("200 1");
    expect(await call("GET", "/v1/kv/kept")).toBe("404 ");
  });

  test("fires events there", async () => {
    expect(await call("PUT", "/v1/event/fire/deploy?dc=dc2")).toMatch(/^200 /);
    // The agent here is of the other datacenter.
    expect(await json("/v1/event/list")).toEqual([]);
  });

  test("does not mean the agent itself", async () => {
    expect(await call("GET", "/v1/agent/self?dc=dc3")).toMatch(/^200 .*"Datacenter":"dc1"/);
  });
});

test("every datacenter is listed, the own one first", async () => {
  expect(await json("/v1/catalog/datacenters")).toEqual(["dc1", "dc2"]);
  const maps = await json<{ Datacenter: string; AreaID: string }[]>("/v1/coordinate/datacenters");
  expect(maps.map(({ Datacenter: dc, AreaID: area }) => `${dc} ${area}`)).toEqual([
    "dc1 wan",
    "dc2 wan",
  ]);
});

test("servers of all datacenters are members of the pool they share", async () => {
  const members =
    await json<{ Name: string; Tags: Record<string, string> }[]>("/v1/agent/members?wan=1");
  const names = members.map(({ Name: name, Tags: tags }) => `${name} ${tags.dc} ${tags.role}`);
  expect(names.toSorted()).toEqual([
    "server-0.dc1 dc1 consul",
    "server-0.dc2 dc2 consul",
    "server-1.dc1 dc1 consul",
    "server-2.dc1 dc1 consul",
  ]);
});

async function resolve(name: string, type = "A"): Promise<string> {
  const questions = [{ name, type, class: "IN" }];
  const message = encode({ id: 7, type: "query", flags: 1 << 8, questions } as never);
  const response = await main.fetch(
    new Request(`${origin}/dns-query`, {
      method: "POST",
      body: Uint8Array.from(message),
      headers: { "content-type": "application/dns-message", "x-consul-token": administrator },
    }),
    env,
  );
  const packet = decode(new Uint8Array(await response.arrayBuffer()));
  const { answers = [] } = packet;
  const data = answers.map((answer) => ("data" in answer ? JSON.stringify(answer.data) : ""));
  return data.length > 0 ? data.join() : (packet as unknown as { rcode: string }).rcode;
}

describe("names", () => {
  test.each([
    ["web.service.consul", '"10.0.0.1"'],
    ["web.service.dc1.consul", '"10.0.0.1"'],
    ["web.service.dc2.consul", '"10.0.0.2"'],
    ["WEB.SERVICE.DC2.CONSUL", '"10.0.0.2"'],
    ["v1.web.service.dc2.consul", '"10.0.0.2"'],
    ["v2.web.service.dc2.consul", "NXDOMAIN"],
    ["_web._v1.service.dc2.consul", '"10.0.0.2"'],
    ["far.node.dc2.consul", '"10.0.0.2"'],
    ["far.node.consul", "NXDOMAIN"],
    ["near.node.dc2.consul", "NXDOMAIN"],
    ["web.service.dc3.consul", "NXDOMAIN"],
    ["far.node.dc3.consul", "NXDOMAIN"],
    ["some.query.dc3.consul", "NXDOMAIN"],
  ])("%s", async (name, expected) => {
    expect(await resolve(name)).toBe(expected);
  });

  test("of connect and of queries, in another datacenter", async () => {
    const proxy = {
      ...node("dc2", "far", "10.0.0.2"),
      Service: {
        Kind: "connect-proxy",
        Service: "web-proxy",
        Port: 9,
        Proxy: { DestinationServiceName: "web" },
      },
    };
    expect(await call("PUT", "/v1/catalog/register", proxy)).toBe("200 true");
    expect(await resolve("web.connect.dc2.consul")).toBe('"10.0.0.2"');
    expect(await resolve("web.connect.consul")).toBe("NXDOMAIN");
    await call("POST", "/v1/query?dc=dc2", { Name: "there", Service: { Service: "web" } });
    expect(await resolve("there.query.dc2.consul")).toBe('"10.0.0.2"');
    expect(await resolve("there.query.consul")).toBe("NXDOMAIN");
    expect(await resolve("web.service.dc2.consul", "SRV")).toContain("far.node.dc2.consul");
  });
});

describe("a prepared query that finds nothing here", () => {
  test("is executed in the datacenters it names, and says so", async () => {
    const only = { ...node("dc2", "far", "10.0.0.2"), Service: { Service: "rare", Port: 7 } };
    await call("PUT", "/v1/catalog/register", only);
    const failover = { Datacenters: ["dc9", "dc2"] };
    const query = { Name: "over", Service: { Service: "rare", Failover: failover } };
    expect(await call("POST", "/v1/query", query)).toMatch(/^200 /);
    const answer = await call("GET", "/v1/query/over/execute");
    expect(answer).toMatch(/^200 .*"Node":"far".*"Datacenter":"dc2","Failovers":1,/);
    expect(await resolve("over.query.consul")).toBe('"10.0.0.2"');
    expect(await resolve("over.query.consul", "SRV")).toContain("far.node.dc2.consul");
  });
});

describe("an agent of another datacenter", () => {
  const headers = { "x-consul-token": administrator, upgrade: "websocket" };
  const open = async (path: string): Promise<Response> =>
    await main.fetch(new Request(`${origin}${path}`, { headers }), env);

  test("is linked to a server of that one", async () => {
    const { webSocket: socket, status } = await open("/link?dc=dc2&node=host");
    expect(status).toBe(101);
    const frames: string[] = [];
    socket?.addEventListener("message", ({ data }) => void frames.push(String(data)));
    socket?.accept();
    socket?.send(JSON.stringify([{ id: 1, read: "catalog.nodes", args: {} }]));
    await expect.poll(() => frames.join()).toContain('"far"');
    socket?.send(JSON.stringify([{ id: 2, read: "catalog.nodes", args: {}, dc: "dc1" }]));
    await expect.poll(() => frames.join()).toContain('"near"');
    socket?.send(JSON.stringify([{ id: 3, datacenters: true }]));
    await expect.poll(() => frames.join()).toContain('["dc2","dc1"]');
    socket?.close();
  });

  test("is a member there, and not here", async () => {
    const member = { name: "host", id: crypto.randomUUID(), address: "10.0.0.3" };
    const query = encodeURIComponent(JSON.stringify(member));
    const { webSocket: socket } = await open(`/gossip?member=${query}&dc=dc2`);
    socket?.accept();
    await expect.poll(() => call("GET", "/v1/catalog/nodes?dc=dc2")).toContain('"host"');
    expect(await call("GET", "/v1/catalog/nodes")).not.toContain('"host"');
    socket?.close();
  });

  test("is told when there is no such datacenter", async () => {
    for (const path of [
      "/link?dc=dc3&node=host",
      "/gossip?member={}&dc=dc3",
      "/link?dc=__proto__&node=host",
    ]) {
      const refused = await main.fetch(
        new Request(`${origin}${path}`, { headers: { "x-consul-token": administrator } }),
        env,
      );
      expect(refused.status).toBe(404);
      expect(await refused.text()).toBe("this deployment does not have the agent's datacenter");
      expect((await open(path)).status).toBe(404);
    }
  });
});
