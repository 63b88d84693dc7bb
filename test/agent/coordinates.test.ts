// How an agent finds out where its node stands, and when it says so. Time is virtual, round trips are made up.

import { createServer, type AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";

import { Coordinates } from "../../src/agent/coordinates.ts";
import { connectMs } from "../../src/agent/round-trips.ts";
import { seededRandom } from "../../src/core/lib/random.ts";
import {
  type Coordinate,
  origin,
  type Peer,
  roundTripNs,
} from "../../src/core/model/coordinate.ts";
import type { Registration } from "../../src/core/model/types.ts";
import type { Command } from "../../src/core/state/commands.ts";
import { MemoryCluster } from "../support/memory-cluster.ts";
import { VirtualTime } from "../support/virtual-time.ts";

const minute = 60_000;
const hour = 60 * minute;
const running: { stop(): void }[] = [];

afterEach(() => {
  for (const each of running.splice(0)) each.stop();
});

/** Nodes on a line, `x` in ms of round-trip time; those whose name begins with `s` are servers. */
class World {
  readonly time = new VirtualTime();
  readonly cluster = new MemoryCluster();
  readonly updates: { node: string; atMs: number }[] = [];
  readonly agents = new Map<string, Coordinates>();
  readonly places: Record<string, number>;
  measured = 0;

  constructor(places: Record<string, number>) {
    this.places = places;
    const write = this.cluster.write.bind(this.cluster);
    this.cluster.write = async (command, options) => {
      const given: Command = command;
      if (given.type === "coordinate.update") {
        this.updates.push({ node: given.update.Node, atMs: this.time.nowMs() });
      }
      return await write(command, options);
    };
  }

  async start(): Promise<void> {
    for (const [at, name] of Object.keys(this.places).entries()) {
      const Address = `10.0.0.${at}`;
      const Service = name.startsWith("s")
        ? { ID: "consul", Service: "consul", Port: 8_300 }
        : null;
      const Check = { Node: name, CheckID: "serfHealth", Name: "serf", Status: "passing" };
      const registration = { Node: name, Address, Service, Check } as unknown as Registration;
      await this.cluster.write({ type: "catalog.register", registration }, {});
      const agent = new Coordinates({
        nodeNames: [name],
        cluster: this.cluster,
        log: { debug: () => undefined },
        random: seededRandom(at + 1),
        timers: this.time.timers,
        nowMs: this.time.nowMs,
        measure: (peer) => Promise.resolve(this.#measure(name, peer)),
      });
      this.agents.set(name, agent);
      running.push(agent, this.cluster);
      agent.start();
    }
  }

  #measure(from: string, { Node: to, Address, Port }: Peer): number | null {
    const at = Object.keys(this.places).indexOf(to);
    expect([Address, Port]).toEqual([`10.0.0.${at}`, to.startsWith("s") ? 8_300 : null]);
    expect(to).not.toBe(from);
    this.measured += 1;
    return Math.abs((this.places[from] ?? 0) - (this.places[to] ?? 0));
  }

  /** Estimated round trip in ms, by what the catalog knows. */
  async estimate(from: string, to: string): Promise<number> {
    const { body } = await this.cluster.read("coordinate.nodes", {}, {});
    const known = JSON.parse(body ?? "[]") as { Node: string; Coord: Coordinate }[];
    const of = (name: string) => known.find(({ Node }) => Node === name)?.Coord;
    return roundTripNs(of(from), of(to)) / 1e6;
  }

  updatesOf(node: string): number[] {
    return this.updates.filter((each) => each.node === node).map(({ atMs }) => atMs);
  }
}

test("nodes find their places among the servers, and the catalog hears of them", async () => {
  const world = new World({ s0: 0, s1: 40, s2: 80, near: 38, far: 120 });
  await world.start();
  await world.time.pass(2 * hour);
  expect(await world.estimate("s0", "s2")).toBeGreaterThan(60);
  expect(await world.estimate("s0", "s2")).toBeLessThan(100);
  const [near, far] = [await world.estimate("near", "s1"), await world.estimate("far", "s1")];
  expect(near).toBeLessThan(20);
  expect(far).toBeGreaterThan(50);
  const sorted = await world.cluster.read("catalog.nodes", { near: "near" }, {});
  const order = (JSON.parse(sorted.body ?? "[]") as { Node: string }[]).map(({ Node }) => Node);
  expect(order.slice(0, 2)).toEqual(["near", "s1"]);
  expect(order.at(-1)).toBe("far");
});

test("two sites behind one server are told apart, which only measuring each other can", async () => {
  const world = new World({ s0: 0, east1: 50, east2: 50.3, west1: -50, west2: -50.3 });
  await world.start();
  await world.time.pass(6 * hour);
  const [same, other] = [
    await world.estimate("east1", "east2"),
    await world.estimate("east1", "west1"),
  ];
  expect(same).toBeLessThan(25);
  expect(other).toBeGreaterThan(60);
});

test("the first update comes within 15 to 30 s, whatever was measured", async () => {
  const world = new World({ s0: 0 });
  await world.start();
  await world.time.pass(14_900);
  expect(world.updates).toEqual([]);
  await world.time.pass(15_100);
  expect(world.updatesOf("s0")).toHaveLength(1);
  expect(world.measured).toBe(0);
  expect(world.agents.get("s0")?.coordinate).toEqual(origin);
});

test("who does not move tells it once an hour", async () => {
  const world = new World({ s0: 0 });
  await world.start();
  await world.time.pass(5 * hour);
  const [first = 0, ...later] = world.updatesOf("s0");
  expect(later.length).toBeGreaterThanOrEqual(4);
  expect(later.length).toBeLessThanOrEqual(5);
  expect((later[0] ?? 0) - first).toBeGreaterThanOrEqual(hour);
});

test("who has settled measures once a minute, and tells next to nothing", async () => {
  const world = new World({ s0: 0, s1: 0.3, a: 0.2 });
  await world.start();
  await world.time.pass(hour);
  const { measured } = world;
  const told = world.updates.length;
  await world.time.pass(hour);
  expect(world.measured - measured).toBeGreaterThan(3 * 40);
  expect(world.measured - measured).toBeLessThan(3 * 80);
  expect(world.updates.length - told).toBeLessThanOrEqual(3 * 2);
});

test("a node that moves is told again soon", async () => {
  const world = new World({ s0: 0, s1: 10, a: 5 });
  await world.start();
  await world.time.pass(2 * hour);
  const told = world.updatesOf("a").length;
  world.places.a = 200;
  await world.time.pass(20 * minute);
  expect(world.updatesOf("a").length).toBeGreaterThan(told);
  expect(await world.estimate("a", "s0")).toBeGreaterThan(50);
});

test("without a cluster, or with servers that cannot be reached, it goes on trying", async () => {
  const world = new World({ s0: 0, a: 5 });
  const failing = (): Promise<never> => Promise.reject(new Error("no leader"));
  const { read, write } = world.cluster;
  await world.start();
  Object.assign(world.cluster, { read: failing, write: failing });
  await world.time.pass(10 * minute);
  expect(world.agents.get("a")?.coordinate).toEqual(origin);
  Object.assign(world.cluster, { read, write });
  await world.time.pass(10 * minute);
  expect(world.updatesOf("a").length).toBeGreaterThan(0);
  expect(world.agents.get("a")?.coordinate).not.toEqual(origin);
});

test("further servers of one process stand where it stands, and are not measured", async () => {
  const world = new World({ s0: 0, s1: 0, a: 5 });
  await world.start();
  for (const agent of world.agents.values()) agent.stop();
  const agent = new Coordinates({
    nodeNames: ["s0", "s1"],
    cluster: world.cluster,
    log: { debug: () => undefined },
    random: seededRandom(1),
    timers: world.time.timers,
    nowMs: world.time.nowMs,
    measure: () => Promise.reject(new Error("nobody is to be measured")),
  });
  running.push(agent);
  agent.start();
  await world.time.pass(minute);
  expect(world.updates.map(({ node }) => node)).toEqual(["s0", "s1"]);
});

test("after it was stopped nothing happens any more", async () => {
  const world = new World({ s0: 0, a: 5 });
  await world.start();
  for (const agent of world.agents.values()) agent.stop();
  await world.time.pass(hour);
  expect([world.measured, world.updates]).toEqual([0, []]);
});

test("a round trip is the time in which a connection opens; none can be opened where nobody listens", async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const tookMs = await connectMs("127.0.0.1", port);
  expect(tookMs).toBeGreaterThan(0);
  expect(tookMs).toBeLessThan(1_000);
  await new Promise((resolve) => server.close(resolve));
  expect(await connectMs("127.0.0.1", port)).toBeNull();
  expect(await connectMs("not an address", 1)).toBeNull();
});
