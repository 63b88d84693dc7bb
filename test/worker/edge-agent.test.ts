// /v1/agent/* at the Worker's URL: what needs no catalog waits for none, and what needs a host says so.

import { env } from "cloudflare:workers";
import { reset } from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import main, { Server } from "../../src/index.ts";
import { administrator, agentCall, put, until } from "./datacenter.ts";

beforeEach(async () => {
  await put(0, "warm", "up");
});

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

async function fetch(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { "x-consul-token": administrator };
  const request = new Request(`https://registry.example${path}`, { ...init, headers });
  return await main.fetch(request, env);
}

async function register(definition: object): Promise<Response> {
  const body = JSON.stringify(definition);
  return await fetch("/v1/agent/service/register", { method: "PUT", body });
}

/** No server answers anybody any more. */
function hangServers(): { recover(): void } {
  const spy = vi
    .spyOn(Server.prototype, "fetch")
    .mockImplementation(() => new Promise(() => undefined));
  return { recover: () => spy.mockRestore() };
}

test("its reads do not wait for a catalog that cannot be reached, and a registration only a moment", async () => {
  await register({ Name: "a" });
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const { recover } = hangServers();
  const startMs = Date.now();
  await agentCall("registerService", JSON.stringify({ Name: "b" }), {});
  const registeredMs = Date.now() - startMs;
  expect(registeredMs).toBeGreaterThanOrEqual(900);
  expect(registeredMs).toBeLessThan(2_000);
  const readMs = Date.now();
  for (const call of ["services", "checks"]) await agentCall(call);
  expect(Date.now() - readMs).toBeLessThan(500);
  recover();
  const services = await (await fetch("/v1/agent/services")).json();
  expect(Object.keys(services as object)).toEqual(["a", "b"]);
});

test("many changes of one moment are proposed together", async () => {
  await register({ Name: "first" });
  let posts = 0;
  const { fetch: original } = Server.prototype;
  vi.spyOn(Server.prototype, "fetch").mockImplementation(async function (this: Server, request) {
    if ((await request.clone().text()).includes('"write"')) posts += 1;
    return await original.call(this, request);
  });
  const names = Array.from({ length: 60 }, (_, n) => `s${n}`);
  await Promise.all(names.map((Name) => register({ Name, Check: { TTL: "1h" } })));
  expect(posts).toBeLessThan(15);
  vi.restoreAllMocks();
  const catalog = await (await fetch("/v1/catalog/services")).json<object>();
  for (const name of names) expect(catalog).toHaveProperty(name);
});

test("agent/service?hash= waits for another definition, and hears that the service went", async () => {
  await register({ Name: "web", Port: 1 });
  const before = await fetch("/v1/agent/service/web");
  const hash = before.headers.get("x-consul-contenthash") ?? "";
  const unchanged = await fetch(`/v1/agent/service/web?hash=${hash}&wait=300ms`);
  expect(unchanged.headers.get("x-consul-contenthash")).toBe(hash);

  const answers: Response[] = [];
  const changed = fetch(`/v1/agent/service/web?hash=${hash}&wait=20s`);
  void changed.then((answer) => answers.push(answer));
  await register({ Name: "other" });
  await scheduler.wait(100);
  expect(answers).toEqual([]);
  await register({ Name: "web", Port: 2 });
  const after = await changed;
  expect(await after.json()).toMatchObject({ Port: 2 });
  const next = after.headers.get("x-consul-contenthash") ?? "";
  expect(next).not.toBe(hash);

  const gone = fetch(`/v1/agent/service/web?hash=${next}&wait=20s`);
  await scheduler.wait(100);
  await fetch("/v1/agent/service/deregister/web", { method: "PUT" });
  expect((await gone).status).toBe(404);
}, 15_000);

test("what a host would know is answered with what is known", async () => {
  const host = await (await fetch("/v1/agent/host")).json<{ Memory: null; Errors: string[] }>();
  expect(host).toMatchObject({ Memory: null, CPU: null });
  expect(host.Errors).toEqual(["this deployment has no host to do that on"]);
  await until(async () => {
    const metrics = await fetch("/v1/agent/metrics");
    expect(metrics.status).toBe(200);
    const { Gauges } = await metrics.json<{ Gauges: { Name: string; Value: number }[] }>();
    expect(Gauges.find(({ Name }) => Name === "consul.raft.peers")?.Value).toBe(3);
    return (Gauges.find(({ Name }) => Name === "consul.raft.applied_index")?.Value ?? 0) > 0;
  });
  const monitor = await fetch("/v1/agent/monitor");
  expect(monitor.status).toBe(501);
  expect(await monitor.text()).toMatch(/no log to follow/);
});

test("what is served here is described here", async () => {
  const response = await fetch("/v1/openapi.json");
  expect(response.status).toBe(200);
  const { openapi, paths } = await response.json<{ openapi: string; paths: object }>();
  expect(openapi).toBe("3.1.1");
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(["/v1/kv/{key}", "/v1/agent/self", "/v1/openapi.json"]),
  );
});
