// A deployment whose agent and pool are several objects, in one process: the real objects on the Node host's port.

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { EdgeAgentStub } from "../../../durable/edge/agent-stub.ts";
import { StubCluster } from "../../../durable/edge/cluster-stub.ts";
import { EdgeAgentObject } from "../../../durable/edge/edge-agent-object.ts";
import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { MemoryStores, objectId } from "../../../durable/platform/node/stores.ts";
import {
  type HostedObject,
  type ObjectAddress,
  type Objects,
  type Platform,
  noOperatorFiles,
  noOutside,
} from "../../../durable/platform/platform.ts";
import type { DatacenterSettings, Settings } from "../../../durable/platform/settings.ts";
import { shardOf } from "../../../durable/platform/shard.ts";
import {
  edgeAgentObject,
  edgeAgentOf,
  lanPoolObject,
  lanPoolOf,
} from "../../../durable/platform/topology.ts";
import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import { PoolPeers } from "../../../durable/presence/pool-peers.ts";
import { ServerObject } from "../../../durable/server/server-object.ts";
import { nodeTimers } from "../../../src/agent/timers.ts";

const replace = { replaceExistingChecks: false };
const shards = 4;
const names = Array.from({ length: 12 }, (_, n) => `web-${n}`);

let settings: Settings & { DATACENTERS: { dc1: DatacenterSettings } };
let host: ObjectHost;
let built: string[];
/** Names of the objects that were called. */
let calls: string[];

beforeEach(() => {
  built = [];
  calls = [];
  settings = {
    DEFAULT_DC: "dc1",
    DATACENTERS: { dc1: { servers: 1, agents: shards, pools: 3 } },
    ACL: { defaultPolicy: "allow", keyListPolicy: false, masterToken: "" },
  };
  const stores = new MemoryStores();
  host = new ObjectHost({
    timers: nodeTimers,
    soon: (run) => void setImmediate(run),
    nowMs: Date.now,
    random: Math.random,
    openStore: () => stores.open(),
    build: (address, platform) => {
      built.push(address.name);
      return buildObject(address, platform);
    },
    outside: noOutside,
    operatorFiles: noOperatorFiles,
    post: () => Promise.reject(new Error("there is no network")),
    dial: () => Promise.reject(new Error("there is no network")),
    idOf: (of) => objectId("proconsul", of),
    log: () => undefined,
  });
});

afterEach(() => host.stop());

function buildObject({ kind }: ObjectAddress, platform: Platform): HostedObject {
  if (kind === "server") return new ServerObject(platform, settings);
  if (kind === "lanPool") return new LanPoolObject(platform, settings);
  return new EdgeAgentObject(platform, settings);
}

function cluster(): StubCluster {
  const access = { objects: host, timers: nodeTimers, nowMs: Date.now, random: Math.random };
  return new StubCluster({ ...access, settings }, 0);
}

/** As a new isolate has it. */
function agent(): EdgeAgentStub {
  const objects: Objects = {
    call: (to, ...request) => {
      calls.push(to.name);
      return host.call(to, ...request);
    },
    post: (...request) => host.post(...request),
    dial: (...target) => host.dial(...target),
    connect: (...request) => host.connect(...request),
    idOf: (address) => host.idOf(address),
  };
  const access = { objects, timers: nodeTimers, nowMs: Date.now, random: Math.random };
  return new EdgeAgentStub({ ...access, settings }, cluster());
}

async function register(definition: object): Promise<void> {
  await agent().registerService(JSON.stringify(definition), replace);
}

async function inCatalog(): Promise<string[]> {
  const { body } = await cluster().read("catalog.node-services", { node: "edge" }, {});
  const { Services } = JSON.parse(body ?? "null") as { Services: { ID: string }[] | null };
  return (Services ?? []).map(({ ID }) => ID).toSorted();
}

function forgetAgents(): void {
  for (let n = 0; n < shards; n++) host.forget(edgeAgentObject("dc1", n));
}

describe("an agent of several objects", () => {
  test("shows all services and checks, and finds each by its id", async () => {
    for (const ID of names) await register({ ID, Name: "web", Check: { TTL: "1h" } });
    const used = new Set(built.filter((name) => name.includes("/agent/")));
    expect(used.size).toBe(shards);
    expect((await agent().services()).map(({ ID }) => ID).toSorted()).toEqual(names.toSorted());
    expect(await agent().checks()).toHaveLength(names.length);
    expect(await inCatalog()).toEqual(names.toSorted());
    for (const id of names) {
      await agent().updateCheck(`service:${id}`, "passing", "fine");
      expect((await agent().service(id))?.service.ID).toBe(id);
      expect((await agent().serviceHealth(id))?.status).toBe("passing");
    }
    expect(await agent().serviceHealthByName("web")).toHaveLength(names.length);
    for (const id of names) await agent().deregisterService(id);
    expect(await agent().services()).toEqual([]);
    expect(await inCatalog()).toEqual([]);
  });

  test("finds checks by names of their own, and says so when there is none", async () => {
    for (const ID of names) {
      await register({ ID, Name: "web", Checks: [{ CheckID: `mine-${ID}`, TTL: "1h" }] });
    }
    for (const id of names) {
      await agent().updateCheck(`mine-${id}`, "passing", "fine");
      expect((await agent().serviceHealth(id))?.status).toBe("passing");
      await agent().deregisterCheck(`mine-${id}`);
    }
    expect(await agent().checks()).toEqual([]);
    await expect(agent().updateCheck("mine-web-1", "passing", "")).rejects.toThrow(
      'CheckID "mine-web-1" does not have associated TTL',
    );
  });

  test("costs one call a renewal, and finds a check again that moved", async () => {
    settings.DATACENTERS.dc1.agents = 1;
    const [id = ""] = names.filter((name) => edgeAgentOf(name, shards) > 0);
    await register({ ID: id, Name: "web", Checks: [{ CheckID: "mine", TTL: "1h" }] });
    settings.DATACENTERS.dc1.agents = shards;
    forgetAgents();
    const isolate = agent();
    await isolate.updateCheck("mine", "passing", "");
    calls.length = 0;
    await isolate.updateCheck("mine", "passing", "");
    expect(calls.filter((name) => name.includes("/agent/"))).toEqual(["dc1/agent/0"]);
    // Registered anew it is where its id says.
    await agent().deregisterService(id);
    await register({ ID: id, Name: "web", Checks: [{ CheckID: "mine", TTL: "1h" }] });
    await isolate.updateCheck("mine", "passing", "");
    expect((await agent().serviceHealth(id))?.status).toBe("passing");
  });

  test("lets checks and maintenance of the node count for every service", async () => {
    for (const ID of names) await register({ ID, Name: "web" });
    await agent().nodeMaintenance({ enable: true, reason: "" });
    for (const health of await agent().serviceHealthByName("web")) {
      expect(health).toMatchObject({ status: "maintenance", checks: [{ ServiceID: "" }] });
    }
    for (const id of names) expect((await agent().serviceHealth(id))?.status).toBe("maintenance");
    expect(await agent().checks()).toHaveLength(1);
    await agent().nodeMaintenance({ enable: false, reason: "" });
    for (const id of names) expect((await agent().serviceHealth(id))?.status).toBe("passing");
  });

  test("never takes services of another object out of the catalog, whatever woke up", async () => {
    for (const ID of names) await register({ ID, Name: "web", Connect: { SidecarService: {} } });
    const before = await inCatalog();
    expect(before).toHaveLength(2 * names.length);
    for (const ID of names) {
      forgetAgents();
      await register({ ID, Name: "web", Port: 1, Connect: { SidecarService: {} } });
    }
    expect(await inCatalog()).toEqual(before);
    const services = await agent().services();
    const ports = services.filter(({ Kind }) => Kind !== "").map(({ Port }) => Port);
    expect(new Set(ports).size).toBe(names.length);
  });

  test("takes out what nobody has, once", async () => {
    await register({ ID: "web-1", Name: "web" });
    const ghost = { ID: "ghost", Service: "ghost" };
    const registration = {
      Node: "edge",
      Address: "240.0.0.254",
      Service: ghost,
      SkipNodeUpdate: true,
    };
    await cluster().write({ type: "catalog.register", registration } as never, {});
    expect(await inCatalog()).toContain("ghost");
    const sibling = names.find((id) => edgeAgentOf(id, shards) === edgeAgentOf("ghost", shards));
    expect(sibling).toBeDefined();
    forgetAgents();
    await register({ ID: sibling, Name: "web" });
    expect(await inCatalog()).not.toContain("ghost");
    expect(await inCatalog()).toContain("web-1");
  });

  test("refuses an alias of what another object keeps", async () => {
    const [first = ""] = names;
    const far = names.find((id) => edgeAgentOf(id, shards) !== edgeAgentOf(first, shards));
    await register({ ID: first, Name: "web" });
    await expect(
      register({ ID: far, Name: "web", Check: { AliasService: first } }),
    ).rejects.toThrow(/alias check here must stand for a service in the same object/);
    const near = { ID: `alias-${first}`, Name: "alias", ServiceID: first, AliasService: first };
    await agent().registerCheck(JSON.stringify(near), {});
  });
});

test("services of the time when there was one object go on living in it", async () => {
  settings.DATACENTERS.dc1.agents = 1;
  for (const ID of names) await register({ ID, Name: "web", Check: { TTL: "1h" } });
  settings.DATACENTERS.dc1.agents = shards;
  forgetAgents();
  await register({ ID: "new-1", Name: "new" });
  await register({ ID: "new-2", Name: "new" });
  for (const id of names) {
    await agent().updateCheck(`service:${id}`, "passing", "");
    expect((await agent().serviceHealth(id))?.status).toBe("passing");
    await register({ ID: id, Name: "web", Port: 7, Check: { TTL: "1h" } });
  }
  const all = [...names, "new-1", "new-2"].toSorted();
  expect((await agent().services()).map(({ ID }) => ID).toSorted()).toEqual(all);
  forgetAgents();
  await register({ ID: "new-1", Name: "new", Port: 1 });
  await register({ ID: "new-2", Name: "new", Port: 1 });
  expect(await inCatalog()).toEqual(all);
  for (const id of all) await agent().deregisterService(id);
  expect(await inCatalog()).toEqual([]);
});

describe("pools of one deployment", () => {
  const members = Array.from({ length: 9 }, (_, n) => `host-${n}`);

  async function join(name: string, pool: ObjectAddress): Promise<void> {
    const member = encodeURIComponent(
      JSON.stringify({ name, id: `id-${name}`, address: "10.0.0.1" }),
    );
    (await host.connect(pool, `/gossip?member=${member}`)).accept?.();
  }

  test("have one that each name belongs to, where everybody looks for it", async () => {
    await cluster().status({});
    const pools = new Set(members.map((name) => lanPoolOf(name, settings, "dc1").name));
    expect(pools.size).toBe(3);
    for (const name of members) await join(name, lanPoolOf(name, settings, "dc1"));
    const fromServer = new PoolPeers(host, settings, "dc1");
    const asked = [...members, "nobody"].map((name) => ({ name, id: `id-${name}` }));
    expect([...(await fromServer.heldAnywhere(asked)).names].toSorted()).toEqual(members);
    // A pool that lost a member's socket asks the one that has it now, and never itself.
    const first = lanPoolObject("dc1");
    const fromFirst = new PoolPeers(host, settings, "dc1", first.name);
    const elsewhere = members.filter((name) => shardOf(name, 3) !== 0);
    expect([...(await fromFirst.heldAnywhere(asked)).names].toSorted()).toEqual(elsewhere);
  });

  test("are one where nothing else is wished", () => {
    delete settings.DATACENTERS.dc1.pools;
    expect(new Set(members.map((name) => lanPoolOf(name, settings, "dc1").name))).toEqual(
      new Set(["dc1/lan/0"]),
    );
  });
});
