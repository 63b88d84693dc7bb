// A pool on a host whose process ends in an orderly way: sockets are closed first, so that it suspects everybody, and
// it begins anew when the process is back. That it was away is no evidence against them.

import { beforeEach, expect, test } from "vitest";

import { ObjectHost, type ObjectStore } from "../../../durable/platform/host/object-host.ts";
import { MemoryStores, objectId } from "../../../durable/platform/node/stores.ts";
import {
  type HostedObject,
  jsonAnswer,
  noOperatorFiles,
  noOutside,
  textOf,
} from "../../../durable/platform/platform.ts";
import type { Settings } from "../../../durable/platform/settings.ts";
import { lanPoolObject } from "../../../durable/platform/topology.ts";
import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

const pool = lanPoolObject("dc1");
const member = { name: "web", id: "00000000-0000-4000-8000-000000000001", address: "10.0.0.1" };
const server = { id: "s", name: "s", address: "10.0.0.9:8300" };
const settings: Settings = {
  ...{ DEFAULT_DC: "dc1", DATACENTERS: { dc1: { servers: 1 } } },
  HOST: { servers: [server], bootstrapExpect: 1, timing: "lan", startId: "" },
};

let time: VirtualTime;
let kept: ObjectStore;
/** What the leader was told, as `name status`. */
let told: string[];

beforeEach(() => {
  time = new VirtualTime();
  // As files are, it is there for the next process.
  kept = { ...new MemoryStores().open(), close: () => undefined };
  told = [];
});

/** In the place of the servers. */
const listening: HostedObject = {
  woke: () => undefined,
  call: async (_path, body) => {
    const facts = JSON.parse(textOf(body)) as { name: string; status: string }[];
    told.push(...facts.map(({ name, status }) => `${name} ${status}`));
    return await Promise.resolve(jsonAnswer(true));
  },
  connect: () => ({ status: 404, body: "" }),
  ...{ opened: () => undefined, message: () => undefined, closed: () => undefined },
  alarm: () => Promise.resolve(),
};

/** A process begins. */
function started(): ObjectHost {
  const host = new ObjectHost({
    timers: time.timers,
    soon: (run) => void setImmediate(run),
    nowMs: () => 1_700_000_000_000 + time.nowMs(),
    random: () => 0.5,
    openStore: ({ kind }) => (kind === "lanPool" ? kept : new MemoryStores().open()),
    build: ({ kind }, platform) =>
      kind === "lanPool" ? new LanPoolObject(platform, settings) : listening,
    ...{ outside: noOutside, operatorFiles: noOperatorFiles },
    post: () => Promise.reject(new Error("there is no network")),
    dial: () => Promise.reject(new Error("there is no network")),
    idOf: (of) => objectId("proconsul", of),
    log: () => undefined,
  });
  host.resumeAlarms([pool]);
  return host;
}

async function join(host: ObjectHost): Promise<LinkSocket> {
  const query = encodeURIComponent(JSON.stringify(member));
  const socket = await host.connect(pool, `/gossip?member=${query}`);
  socket.accept?.();
  await time.pass(100);
  return socket;
}

async function stopped(host: ObjectHost, socket: LinkSocket): Promise<void> {
  socket.close(1000, "stopped");
  await time.pass(50);
  host.stop();
}

test.each([1_000, 8_000, 600_000])(
  "whoever comes back after %i ms and 5 s has not failed",
  async (awayMs) => {
    const first = started();
    await stopped(first, await join(first));
    await time.pass(awayMs);
    const second = started();
    await time.pass(5_000);
    await join(second);
    await time.pass(30_000);
    expect(told).toEqual(["web alive"]);
    second.stop();
  },
);

test("whoever does not has failed, between 10 and 20 s after the process is back", async () => {
  const first = started();
  await stopped(first, await join(first));
  await time.pass(8_000);
  const second = started();
  await time.pass(9_000);
  expect(told).toEqual(["web alive"]);
  await time.pass(11_000);
  expect(told).toEqual(["web alive", "web failed"]);
  second.stop();
});
