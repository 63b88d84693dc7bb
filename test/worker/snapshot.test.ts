// Archives inside workerd: its streams and its SQLite are not Node's, and its objects end in the middle of a restore.

import { env } from "cloudflare:workers";
import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";

import main from "../../src/index.ts";
import { StateMachine } from "../../src/core/state/machine.ts";
import type { LogEntry } from "../../src/core/state/machine.ts";
import { administrator, get, gossip, server, status, until } from "./datacenter.ts";

const servers = [0, 1, 2];

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

async function fetch(
  path: string,
  init: RequestInit = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  const shown = { ...headers, "x-consul-token": administrator };
  const request = new Request(`https://registry.example${path}`, { ...init, headers: shown });
  return await main.fetch(request, env);
}

async function put(path: string, body: string): Promise<void> {
  expect(await (await fetch(path, { method: "PUT", body })).text()).toBe("true");
}

async function save(): Promise<ArrayBuffer> {
  const response = await fetch("/v1/snapshot");
  expect(response.status).toBe(200);
  return await response.arrayBuffer();
}

async function restore(archive: BodyInit): Promise<string> {
  const response = await fetch("/v1/snapshot", { method: "PUT", body: archive });
  return `${response.status} ${await response.text()}`;
}

async function keys(): Promise<unknown> {
  return await (await fetch("/v1/kv/?keys&consistent")).json();
}

async function allEqual(): Promise<void> {
  await until(async () => {
    const all = await Promise.all(servers.map((n) => status(n).catch(() => null)));
    return all.every((one) => one !== null && one.appliedIndex === all[0]?.appliedIndex);
  });
}

test("a state is saved, and takes the place of another one at every server", async () => {
  for (let n = 0; n < 20; n++) await put(`/v1/kv/kept/${n}`, `${n}`.repeat(30_000));
  const register = { Node: "n1", Address: "10.0.0.1", Service: { Service: "web", Port: 80 } };
  await put("/v1/catalog/register", JSON.stringify(register));
  const saved = await save();
  await put("/v1/kv/late", "1");
  await put("/v1/kv/kept/3", "changed");
  expect(await restore(saved)).toBe("200 ");
  const kept = Array.from({ length: 20 }, (_, n) => `kept/${n}`).toSorted();
  expect(await keys()).toEqual(kept);
  const found = await (await fetch("/v1/catalog/service/web")).json();
  expect(found).toMatchObject([{ Node: "n1", ServicePort: 80 }]);
  await allEqual();
  for (const n of servers) {
    expect(await get(n, "kept/3", "stale")).toBe("3".repeat(30_000));
    expect(await get(n, "late", "stale")).toBeNull();
  }
  // It goes on: twice, and with what is written in between.
  await put("/v1/kv/next", "1");
  const again = await save();
  await put("/v1/kv/last", "1");
  expect(await restore(again)).toBe("200 ");
  expect(await keys()).toEqual([...kept, "next"].toSorted());
});

test("who is a member is in the restored catalog, and who is none is not", async () => {
  const serf = (Node: string) => {
    const Check = { CheckID: "serfHealth", Name: "Serf Health Status", Status: "passing" };
    return JSON.stringify({ Node, Address: "10.0.0.9", Check });
  };
  const external = JSON.stringify({ Node: "external", Address: "10.0.0.8" });
  for (const body of [serf("ghost"), external]) await put("/v1/catalog/register", body);
  const saved = await save();
  const socket = await gossip({
    ...{ name: "host-1", id: "11111111-2222-3333-4444-555555555555", address: "10.0.0.1" },
  });
  const nodes = async (): Promise<string[]> => {
    const all: { Node: string }[] = await (await fetch("/v1/catalog/nodes")).json();
    return all.map(({ Node }) => Node);
  };
  await until(async () => (await nodes()).includes("host-1"));
  expect(await restore(saved)).toBe("200 ");
  await until(async () => {
    const all = await nodes();
    return all.includes("host-1") && !all.includes("ghost");
  });
  expect(await nodes()).toContain("external");
  const checks = await (await fetch("/v1/health/node/host-1")).json();
  expect(checks).toMatchObject([{ CheckID: "serfHealth", Status: "passing" }]);
  socket.close();
});

test("the leader keeps the time of the sessions that came back, and of no others", async () => {
  await put("/v1/catalog/register", JSON.stringify({ Node: "external", Address: "10.0.0.8" }));
  const create = async (): Promise<string> => {
    const body = JSON.stringify({ Node: "external", NodeChecks: [], TTL: "60s" });
    const response = await fetch("/v1/session/create", { method: "PUT", body });
    return (await response.json<{ ID: string }>()).ID;
  };
  const kept = await create();
  const saved = await save();
  await put(`/v1/session/destroy/${kept}`, "");
  await create();
  expect(await restore(saved)).toBe("200 ");
  const all = await Promise.all(servers.map((n) => status(n)));
  const leader = all.findIndex(({ role }) => role === "leader");
  const timed = await runInDurableObject(server(leader), (_object, state) => {
    return state.storage.sql.exec("SELECT id FROM session_deadlines ORDER BY id").toArray();
  });
  expect(timed).toEqual([{ id: kept }]);
});

test("damaged archives are refused whole", async () => {
  await put("/v1/kv/before", "1");
  const saved = new Uint8Array(await save());
  await put("/v1/kv/after", "1");
  expect(await restore("garbage")).toBe("500 failed to decompress snapshot: unexpected EOF");
  for (const length of [0, 5, 200, saved.length >> 1, saved.length - 9, saved.length - 1]) {
    expect(await restore(saved.subarray(0, length)), `${length} bytes`).toMatch(/^500 .*EOF$/);
  }
  for (let at = 12; at < saved.length; at += 61) {
    const flipped = saved.slice();
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    expect(await restore(flipped), `byte ${at}`).toMatch(/^500 /);
  }
  expect(await keys()).toEqual(["after", "before"]);
});

test("what no Worker can be sent is refused with another way", async () => {
  await put("/v1/kv/before", "1");
  const saved = await save();
  const response = await fetch(
    ...([
      "/v1/snapshot",
      { method: "PUT", body: saved },
      { "Content-Length": "100000001" },
    ] as const),
  );
  expect(response.status).toBe(413);
  expect(await response.text()).toBe(
    "Snapshot(100000001 bytes) too large, max size: 100000000 bytes. Send it to an agent on a host of this " +
      "datacenter instead, which takes any size.",
  );
  expect(await keys()).toEqual(["before"]);
});

/** As in abort.test.ts: workerd prints no stack of an object that ends with such a text. */
const planned = "Instance disposed, as planned";

/** The next server that applies such a command ends there; with `after`, when it has been applied. */
function endOnce(type: string, after: boolean): { ended: boolean } {
  const seen = { ended: false };
  const original = StateMachine.prototype.applyBatch;
  vi.spyOn(StateMachine.prototype, "applyBatch").mockImplementation(function (
    this: StateMachine,
    entries: readonly LogEntry[],
  ) {
    const due = !seen.ended && entries.some(({ command }) => isOf(command, type));
    seen.ended ||= due;
    if (due && !after) throw new Error(`${planned}: before ${type}`);
    const applied = original.call(this, entries);
    if (due) throw new Error(`${planned}: after ${type}`);
    return applied;
  });
  return seen;
}

function isOf(command: Uint8Array | null, type: string): boolean {
  return command !== null && new TextDecoder().decode(command).includes(type);
}

test.each([
  ["snapshot.begin", false],
  ["snapshot.load", false],
  ["snapshot.load", true],
  ["snapshot.switch", false],
  ["snapshot.switch", true],
])(
  "an object that ends at %s (after: %s) leaves the old state whole, or the new one",
  async (type, after) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    await put("/v1/kv/old", "1");
    await put("/v1/kv/both", "1");
    const saved = await save();
    await put("/v1/kv/new", "1");
    await put("/v1/kv/both", "2");
    const seen = endOnce(type, after);
    const answer = await restore(saved).catch(String);
    expect(seen.ended).toBe(true);
    await until(async () => Array.isArray(await keys().catch(() => null)));
    await allEqual();
    const isRestored = (await get(0, "new", "consistent")) === null;
    if (answer.startsWith("200")) expect(isRestored).toBe(true);
    for (const n of servers) {
      expect(await get(n, "old", "consistent")).toBe("1");
      expect(await get(n, "both", "consistent")).toBe(isRestored ? "1" : "2");
    }
    expect(await restore(saved)).toBe("200 ");
    expect(await keys()).toEqual(["both", "old"]);
  },
);
