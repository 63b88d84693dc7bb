// Checks of a deployment without agents, by the real objects on the Node host's port, in virtual time: who runs what,
// what is told when regions agree, and that sleep, loss and other definitions change nothing of it.

import { afterEach, beforeEach, expect, test } from "vitest";

import { CheckerObject } from "../../../durable/checker/checker-object.ts";
import { EdgeAgentStub } from "../../../durable/edge/agent-stub.ts";
import { StubCluster } from "../../../durable/edge/cluster-stub.ts";
import { EdgeAgentObject } from "../../../durable/edge/edge-agent-object.ts";
import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { MemoryStores, objectId } from "../../../durable/platform/node/stores.ts";
import {
  type HostedObject,
  type ObjectAddress,
  noOperatorFiles,
  noOutside,
  type Outside,
  type Platform,
} from "../../../durable/platform/platform.ts";
import type { DatacenterSettings, Settings } from "../../../durable/platform/settings.ts";
import { checkerObject, parseCheckerObjectName } from "../../../durable/platform/topology.ts";
import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import { ServerObject } from "../../../durable/server/server-object.ts";
import { settled, VirtualTime } from "../../support/virtual-time.ts";

const replace = { replaceExistingChecks: false };
const regions = ["weur", "enam", "apac"] as const;
type Region = (typeof regions)[number];

let time: VirtualTime;
let host: ObjectHost;
let settings: Settings & { DATACENTERS: { dc1: DatacenterSettings } };
/** What a region is answered. */
let answers: Record<Region, number>;
let probes: string[];
/** Calls between objects, by the object that is called. */
let calls: string[];

beforeEach(() => {
  time = new VirtualTime();
  answers = { weur: 200, enam: 200, apac: 200 };
  probes = [];
  calls = [];
  settings = {
    DEFAULT_DC: "dc1",
    DATACENTERS: { dc1: { servers: 1, checkers: [...regions] } },
  };
  const stores = new MemoryStores();
  host = new ObjectHost({
    ...{ timers: time.timers, nowMs: time.nowMs, random: Math.random },
    soon: (run) => void setImmediate(run),
    openStore: () => stores.open(),
    build: (address, platform) => buildObject(address, platform),
    ...{ outside: noOutside, operatorFiles: noOperatorFiles },
    post: () => Promise.reject(new Error("there is no network")),
    dial: () => Promise.reject(new Error("there is no network")),
    idOf: (of) => objectId("proconsul", of),
    log: () => undefined,
  });
});
afterEach(() => host.stop());

function buildObject({ kind, name }: ObjectAddress, platform: Platform): HostedObject {
  const { objects } = platform;
  const counted: typeof objects = {
    call: (to, ...rest) => {
      calls.push(to.name);
      return objects.call(to, ...rest);
    },
    post: (...rest) => objects.post(...rest),
    dial: (...target) => objects.dial(...target),
    connect: (...rest) => objects.connect(...rest),
    idOf: (address) => objects.idOf(address),
  };
  if (kind === "server") return new ServerObject(platform, settings);
  if (kind === "lanPool") return new LanPoolObject(platform, settings);
  if (kind === "edgeAgent") return new EdgeAgentObject(platform, settings);
  const { region } = parseCheckerObjectName(name);
  return new CheckerObject(
    { ...platform, objects: counted, outside: seenFrom(region as Region) },
    settings,
  );
}

function seenFrom(region: Region): Outside {
  return {
    ...noOutside,
    ask: ({ url }) => {
      const isIpv6 = url.includes("AAAA");
      const Answer = isIpv6 ? [] : [{ type: 1, TTL: 60, data: "93.184.216.34" }];
      const body = JSON.stringify({ Status: 0, Answer });
      return Promise.resolve({ status: 200, contentType: "", location: "", body });
    },
    probe: ({ url }) => {
      probes.push(`${region} ${url}`);
      const status = answers[region];
      return Promise.resolve({ status, statusText: "said", location: "", body: region });
    },
  };
}

function agent(): EdgeAgentStub {
  const access = { objects: host, timers: time.timers, nowMs: time.nowMs, random: Math.random };
  return new EdgeAgentStub({ ...access, settings }, new StubCluster({ ...access, settings }, 0));
}

async function finished<Value>(work: Promise<Value>): Promise<Value> {
  const seen = { isDone: false };
  void work.finally(() => (seen.isDone = true)).catch(() => undefined);
  for (let round = 0; !seen.isDone && round < 200; round++) await time.pass(50);
  return await work;
}

const definition = {
  Name: "web",
  Port: 443,
  Check: { CheckID: "up", HTTP: "https://web.example/health", Interval: "60s" },
};

async function register(given: object = definition): Promise<void> {
  await finished(agent().registerService(JSON.stringify(given), replace));
  await time.pass(1_000);
}

async function check(): Promise<{ Status: string; Output: string } | undefined> {
  return (await finished(agent().checks())).find(({ CheckID }) => CheckID === "up");
}

test("every region runs it at once, and its status is what they agree on", async () => {
  await register();
  expect(probes.toSorted()).toEqual(
    regions.map((one) => `${one} https://web.example/health`).toSorted(),
  );
  const { Status, Output } = (await check()) ?? {};
  expect(Status).toBe("passing");
  expect(Output?.split("\n")).toHaveLength(3);
  expect(Output).toContain(
    "apac: passing: HTTP GET https://web.example/health: 200 said Output: apac",
  );
});

test("one region that cannot reach it changes nothing; two do, and each reason is told", async () => {
  await register();
  answers.apac = 503;
  await time.pass(61_000);
  expect((await check())?.Status).toBe("passing");
  answers.enam = 500;
  await time.pass(61_000);
  const { Status, Output } = (await check()) ?? {};
  expect(Status).toBe("critical");
  expect(Output).toContain("weur: passing");
  expect(Output).toContain("enam: critical: HTTP GET https://web.example/health: 500");
});

test("an hour in which nothing changes: sixty runs a region, asleep in between, and not a word", async () => {
  await register();
  [probes, calls] = [[], []];
  for (let minute = 0; minute < 60; minute++) {
    for (const region of regions) host.forget(checkerObject("dc1", 0, region));
    await time.pass(60_000);
  }
  for (const region of regions) {
    const runs = probes.filter((one) => one.startsWith(region)).length;
    expect([59, 60, 61]).toContain(runs);
  }
  expect(calls).toEqual([]);
});

test("what is deregistered is asked no more; what is defined anew is asked as it is then", async () => {
  await register();
  probes = [];
  const other = { ...definition.Check, HTTP: "https://web.example/other", Interval: "10s" };
  await register({ ...definition, Check: other });
  expect(new Set(probes.map((one) => one.split(" ")[1]))).toEqual(
    new Set(["https://web.example/other"]),
  );
  await finished(agent().deregisterService("web"));
  await time.pass(1_000);
  probes = [];
  await time.pass(120_000);
  expect(probes).toEqual([]);
});

test("a deployer takes a region away: it is told, and the rest decides", async () => {
  await register();
  answers.weur = 500;
  settings.DATACENTERS.dc1.checkers = ["weur"];
  host.forget({ kind: "edgeAgent", name: "dc1/agent/0" });
  await check();
  await time.pass(61_000);
  await settled();
  probes = [];
  await time.pass(61_000);
  expect(new Set(probes.map((one) => one.split(" ")[0]))).toEqual(new Set(["weur"]));
  expect(await check()).toMatchObject({ Status: "critical" });
});

test("TTL checks are nobody's to run", async () => {
  await register({ Name: "job", Check: { TTL: "1h" } });
  await time.pass(60_000);
  expect(probes).toEqual([]);
});
