// Anti-entropy over a cluster in memory: what others write about this node is undone when it happens, not a minute
// later.

import { afterEach, expect, test } from "vitest";
import { deployedPace, hostedPace, type SyncPace } from "../../src/core/agent/sync-interval.ts";
import { AntiEntropy } from "../../src/agent/anti-entropy.ts";
import { AgentLog } from "../../src/agent/log.ts";
import { seededRandom } from "../../src/core/lib/random.ts";
import { newState, putService, testNode } from "../core/agent/support.ts";
import { eventually } from "../support/eventually.ts";
import { MemoryCluster } from "../support/memory-cluster.ts";
import { nodeTimers } from "../../src/agent/timers.ts";

const running: AntiEntropy[] = [];
afterEach(() => {
  for (const sync of running.splice(0)) sync.stop();
});

function agent(
  cluster: MemoryCluster,
  pace: SyncPace = hostedPace,
): { sync: AntiEntropy; state: ReturnType<typeof newState> } {
  const state = newState();
  const sync = new AntiEntropy({
    state,
    cluster,
    log: new AgentLog(() => undefined),
    random: seededRandom(1),
    timers: nodeTimers,
    pace,
  });
  running.push(sync);
  return { sync, state };
}

async function tagsOf(cluster: MemoryCluster, service: string): Promise<string> {
  const { body } = await cluster.read("catalog.service", { service }, {});
  const [row] = JSON.parse(body ?? "[]") as { ServiceTags: string[] }[];
  return row?.ServiceTags.join() ?? "none";
}

/** What somebody else writes over a service of this node. */
async function edit(cluster: MemoryCluster, ID: string, EnableTagOverride: boolean): Promise<void> {
  const Service = { ID, Service: ID, Tags: ["theirs"], Port: 1, EnableTagOverride };
  const registration = { Node: testNode.name, Address: testNode.address, Service };
  await cluster.write({ type: "catalog.register", registration: registration as never }, {});
}

test("a foreign edit is undone at once, unless the service lets tags be overridden", async () => {
  const cluster = new MemoryCluster();
  const { sync, state } = agent(cluster);
  putService(state, { Name: "mine", Tags: ["own"], Port: 1 });
  putService(state, { Name: "open", Tags: ["own"], Port: 1, EnableTagOverride: true });
  sync.start();
  await eventually(async () => (await tagsOf(cluster, "open")) === "own", {
    what: "both are there",
  });
  await eventually(() => cluster.waiting === 1, { what: "it waits for changes of its node" });
  await edit(cluster, "open", true);
  await edit(cluster, "mine", false);
  expect(await tagsOf(cluster, "mine")).toBe("theirs");
  await eventually(async () => (await tagsOf(cluster, "mine")) === "own", {
    what: "the agent has won",
    limitMs: 5_000,
  });
  expect(await tagsOf(cluster, "open")).toBe("theirs");
});

test("its own registrations do not make it read its node again for each", async () => {
  const cluster = new MemoryCluster();
  const { sync, state } = agent(cluster);
  sync.start();
  await eventually(() => cluster.waiting === 1, { what: "it waits for changes of its node" });
  let reads = 0;
  const { read } = cluster;
  cluster.read = (op, ...rest) => {
    if (op === "catalog.node-services") reads += 1;
    return read.call(cluster, op, ...rest);
  };
  for (let n = 0; n < 50; n++) {
    putService(state, { ID: `s${n}`, Name: "burst", Port: n + 1 });
    await sync.settled(1_000);
  }
  const { body } = await cluster.read("catalog.service", { service: "burst" }, {});
  expect(JSON.parse(body ?? "[]")).toHaveLength(50);
  expect(reads).toBeLessThan(5);
});

test("with a deployment, what somebody else writes of its checks is undone without waiting for the clock", async () => {
  const cluster = new MemoryCluster();
  const { sync, state } = agent(cluster, deployedPace);
  putService(state, { Name: "web", Port: 1, Check: { TTL: "1h" } });
  sync.start();
  const statusOf = async (): Promise<string | undefined> => {
    const { body } = await cluster.read("health.node", { node: testNode.name }, {});
    const checks = JSON.parse(body ?? "[]") as { CheckID: string; Status: string }[];
    return checks.find(({ CheckID }) => CheckID === "service:web")?.Status;
  };
  await eventually(() => cluster.waiting === 2, { what: "it waits for changes of its node" });
  expect(await statusOf()).toBe("critical");
  const Check = { CheckID: "service:web", Name: "theirs", Status: "passing", ServiceID: "web" };
  const registration = { Node: testNode.name, Address: testNode.address, Check };
  await cluster.write({ type: "catalog.register", registration: registration as never }, {});
  expect(await statusOf()).toBe("passing");
  await eventually(async () => (await statusOf()) === "critical", {
    what: "the agent has won",
    limitMs: 5_000,
  });
});
