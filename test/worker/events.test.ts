// User events inside workerd: to sockets of a pool that slept, to a member that comes back, to the agent at the
// Worker's URL, and from there to whoever waits.

import { env } from "cloudflare:workers";
import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { UserEvent } from "../../src/core/model/user-event.ts";
import main from "../../src/index.ts";
import { decodePoolEvents, decodePoolHello } from "../../src/link/protocol.ts";
import { administrator, edgeAgent, gossip, pool, put, server } from "./datacenter.ts";

const member = { name: "host-1", id: crypto.randomUUID(), address: "10.0.0.1" };

beforeEach(async () => {
  await put(0, "warm", "up");
});

afterEach(async () => {
  await reset();
});

async function fetch(method: string, path: string, body?: string): Promise<Response> {
  const request = new Request(`https://registry.example${path}`, {
    method,
    headers: { "x-consul-token": administrator },
    ...(body !== undefined && { body }),
  });
  return await main.fetch(request, env);
}

async function list(query = ""): Promise<{ events: UserEvent[]; index: string | null }> {
  const response = await fetch("GET", `/v1/event/list${query}`);
  return { events: await response.json(), index: response.headers.get("X-Consul-Index") };
}

/** Names of the events that a socket brings, as they come. */
function listen(socket: WebSocket): { names: string[]; clock: number } {
  const heard = { names: [] as string[], clock: -1 };
  socket.addEventListener("message", ({ data }) => {
    heard.clock = decodePoolHello(data)?.clock ?? heard.clock;
    heard.names.push(...(decodePoolEvents(data) ?? []).map(({ Name }) => Name));
  });
  return heard;
}

async function fire(name: string): Promise<void> {
  const response = await fetch("PUT", `/v1/event/fire/${name}`);
  expect(response.status).toBe(200);
}

test("a pool that slept delivers to the sockets that it had, and keeps one row", async () => {
  const heard = listen(await gossip(member));
  await vi.waitFor(() => expect(heard.clock).toBe(0));
  await fire("a");
  await vi.waitFor(() => expect(heard.names).toEqual(["a"]));
  await evictDurableObject(pool(), { webSockets: "hibernate" });
  await fire("b");
  await vi.waitFor(() => expect(heard.names).toEqual(["a", "b"]));
  const rows = await runInDurableObject(pool(), (_pool, state) =>
    state.storage.sql.exec("SELECT ltime FROM user_events ORDER BY seq").toArray(),
  );
  expect(rows).toEqual([{ ltime: 1 }, { ltime: 2 }]);
});

test("who comes back is sent what it missed, and who is new nothing", async () => {
  const { ID } = await (await fetch("PUT", "/v1/event/fire/a")).json<UserEvent>();
  await fire("b");
  const fresh = listen(await gossip({ ...member, name: "host-2", id: crypto.randomUUID() }));
  const known = `0.${ID.slice(0, 8)}`;
  const response = await pool().fetch(
    `http://pool/gossip?member=${encodeURIComponent(JSON.stringify(member))}&known=${known}`,
    { headers: { Upgrade: "websocket" } },
  );
  const back = listen(response.webSocket as WebSocket);
  response.webSocket?.accept();
  await vi.waitFor(() => expect([back.names, back.clock]).toEqual([["b"], 2]));
  await vi.waitFor(() => expect([fresh.names, fresh.clock]).toEqual([[], 2]));
});

test("the agent at the Worker's URL keeps what is for it, also over sleep", async () => {
  const api = JSON.stringify({ Name: "api", Tags: ["v1"] });
  await fetch("PUT", "/v1/agent/service/register", api);
  await fire("a");
  await fire("b?node=host-1");
  await fire("c?service=api&tag=v1");
  await fire("d?service=web");
  await vi.waitFor(async () => expect((await list()).events).toHaveLength(2));
  await evictDurableObject(edgeAgent(), { webSockets: "hibernate" });
  const { events } = await list();
  expect(events.map(({ Name, LTime }) => [Name, LTime])).toEqual([
    ["a", 1],
    ["c", 3],
  ]);
});

test("who waits there is woken by the next event, though everything slept", async () => {
  await fire("a");
  await vi.waitFor(async () => expect((await list()).events).toHaveLength(1));
  const { index } = await list();
  const waiting = list(`?index=${index}&wait=1m`);
  await vi.waitFor(async () => {
    const sockets = await runInDurableObject(
      edgeAgent(),
      (_agent, state) => state.getWebSockets().length,
    );
    expect(sockets).toBe(1);
  });
  await evictDurableObject(edgeAgent(), { webSockets: "hibernate" });
  await fire("b");
  expect((await waiting).events.map(({ Name }) => Name)).toEqual(["a", "b"]);
});

test("what cannot be fired says why, in Consul's words", async () => {
  const large = await fetch("PUT", "/v1/event/fire/a", "x".repeat(2_000));
  expect([large.status, await large.text()]).toEqual([
    500,
    '1 error occurred:\n\t* error broadcasting event to segment "": ' +
      "user event exceeds configured limit of 512 bytes before encoding\n\n",
  ]);
  const body = JSON.stringify([{ id: 1, fire: { Name: "a" } }]);
  const none = await server(0).fetch("http://server/rpc/requests", { method: "POST", body });
  expect(none.status).toBe(400);
});
