// One agent's detector, and small meshes of them.

import { expect, test } from "vitest";

import { unpackMessage } from "../../../../src/core/gossip/swim/messages.ts";
import { Swim } from "../../../../src/core/gossip/swim/swim.ts";
import { calmFactor, lanTiming } from "../../../../src/core/gossip/swim/timing.ts";
import { seededRandom } from "../../../../src/core/lib/random.ts";
import { datagramOverhead, Mesh, type MeshAgent, update } from "../../../support/swim-mesh.ts";

const self = { name: "me", host: "10.0.0.1", port: 8301, incarnation: 100 };
const peer = { name: "you", host: "10.0.0.2", port: 8301 };
const calmMs = calmFactor * lanTiming.probeIntervalMs;

function alone(): Swim {
  const parts = { self, timing: lanTiming, random: seededRandom(3), forgetMs: 10 * calmMs };
  return new Swim(parts, 0);
}

/** Kinds of what was to be sent since the last call, and to whom. */
function said(swim: Swim): string[] {
  const { datagrams, streams } = swim.take();
  const shown = (at: string) => (sent: { to: { host: string }; bytes: Uint8Array }) =>
    `${unpackMessage(sent.bytes)?.kind} ${sent.to.host}${at}`;
  return [...datagrams.map(shown("")), ...streams.map(shown(" by stream"))];
}

function newsIn(bytes: Uint8Array | undefined): string[] {
  const { updates } = unpackMessage(bytes as Uint8Array) ?? { updates: [] };
  return updates.map(({ status, name, incarnation }) => `${status} ${name} ${incarnation}`);
}

test("who knows nobody waits for nothing", () => {
  expect(alone().dueMs).toBeNull();
});

test("a member that answers is probed again after a long while; one that does not is suspected soon", () => {
  const swim = alone();
  swim.introduce([peer, { name: "other", host: "10.0.0.3", port: 8301 }], 0);
  const first = swim.dueMs ?? 0;
  expect(first).toBeLessThanOrEqual(calmMs);
  swim.wake(first);
  const { datagrams } = swim.take();
  const ping = unpackMessage(datagrams[0]?.bytes as Uint8Array);
  swim.heard({ kind: "ack", seq: ping?.seq ?? 0, updates: [] }, peer, first + 5);
  expect(swim.dueMs).toBe(first + calmMs);

  swim.wake(first + calmMs);
  const [target = ""] = said(swim).map((line) => line.split(" ")[1]);
  const other = target === "10.0.0.2" ? "10.0.0.3" : "10.0.0.2";
  expect(swim.dueMs).toBe(first + calmMs + 500);
  swim.wake(first + calmMs + 500);
  expect(said(swim)).toEqual([`ask ${other}`, `ping ${target} by stream`]);
  swim.wake(first + calmMs + 1_500);
  expect(swim.take().unreachable).toEqual([target === "10.0.0.2" ? "you" : "other"]);
  // No nack came: it is perhaps this agent that hears nothing.
  expect(swim.membership.health).toBe(1);
});

test("an accusation is answered with a greater incarnation, an old one with this one", () => {
  const swim = alone();
  swim.introduce([peer], 0);
  swim.heard({ kind: "gossip", seq: 0, updates: [update("suspect", "me", 7)] }, peer, 1);
  expect(swim.membership.self.incarnation).toBe(100);
  swim.heard({ kind: "gossip", seq: 0, updates: [update("dead", "me", 100)] }, peer, 2);
  swim.wake(2);
  const [sent] = swim.take().datagrams;
  expect(newsIn(sent?.bytes)).toEqual(["alive me 101"]);
  expect(swim.membership.health).toBe(1);
});

test("whoever is pinged under suspicion is told so, and a ping that is meant for another name is not answered", () => {
  const swim = alone();
  swim.introduce([peer], 0);
  swim.heard({ kind: "gossip", seq: 0, updates: [update("suspect", "you", 0, "x")] }, peer, 1);
  const from = { ...peer, incarnation: 0 };
  swim.heard({ kind: "ping", seq: 9, to: "me", from, updates: [] }, peer, 2);
  swim.heard({ kind: "ping", seq: 9, to: "somebody", from, updates: [] }, peer, 2);
  const { datagrams } = swim.take();
  expect(datagrams.map(({ bytes }) => newsIn(bytes)[0])).toEqual(["suspect you 0"]);
});

test("a suspicion ends sooner when others come to it, and never by one voice that repeats itself", () => {
  const ends = (voices: string[]): number => {
    const swim = alone();
    swim.introduce(
      Array.from({ length: 9 }, (_, n) => ({ name: `m${n}`, host: `10.0.1.${n}`, port: 8301 })),
      0,
    );
    for (const by of voices) {
      swim.heard({ kind: "gossip", seq: 0, updates: [update("suspect", "m1", 0, by)] }, peer, 0);
    }
    return swim.membership.dueMs ?? 0;
  };
  expect([ends(["a"]), ends(["a", "a", "a"]), ends(["a", "b"])]).toEqual([24_000, 24_000, 14_000]);
  expect(ends(["a", "b", "c", "d", "e", "f"])).toBe(4_000);
});

test("pings for others are passed on and answered, and a silent one is told of", () => {
  const swim = alone();
  swim.heard({ kind: "ask", seq: 5, target: peer, updates: [] }, { host: "10.0.0.9", port: 1 }, 0);
  const { datagrams } = swim.take();
  const ping = unpackMessage(datagrams[0]?.bytes as Uint8Array);
  expect([ping?.kind, datagrams[0]?.to.host]).toEqual(["ping", peer.host]);
  swim.wake(400);
  expect(said(swim)).toEqual(["nack 10.0.0.9"]);
  swim.heard({ kind: "ack", seq: ping?.seq ?? 0, updates: [] }, peer, 700);
  expect(said(swim)).toEqual(["ack 10.0.0.9"]);
});

function known(mesh: Mesh): number[] {
  return mesh.running.map(({ swim }) => swim?.membership.count ?? 0);
}

function seenBy(agents: readonly MeshAgent[], name: string): (string | null)[] {
  return agents.filter((agent) => agent.name !== name).map((agent) => agent.statusOf(name));
}

test("everybody learns of everybody, then says little", () => {
  const mesh = new Mesh({ seed: 1, agents: 20, introduced: 2 });
  mesh.run(40 * calmMs);
  expect(known(mesh)).toEqual(mesh.agents.map(() => 20));
  for (const agent of mesh.agents) agent.bytes = 0;
  mesh.run(10 * 60_000);
  const perMinute = mesh.agents.map(({ bytes }) => bytes / 10);
  const average = perMinute.reduce((sum, one) => sum + one, 0) / 20;
  console.log(
    `idle: ${average.toFixed(0)} B a minute, at most ${Math.max(...perMinute).toFixed(0)}`,
  );
  expect(average).toBeLessThan(1_200);
  expect(datagramOverhead).toBe(61);
});

test("one that is killed is unreachable to one, then dead to all; when it is back it is alive to all", () => {
  const mesh = new Mesh({ seed: 2, agents: 10 });
  mesh.run(10 * calmMs);
  const [victim, ...others] = mesh.agents as [MeshAgent, ...MeshAgent[]];
  mesh.crash(victim);
  mesh.run(2 * calmMs);
  expect(others.flatMap(({ unreachable }) => unreachable)).toContain(victim.name);
  mesh.run(60_000);
  expect(new Set(seenBy(others, victim.name))).toEqual(new Set(["dead"]));
  mesh.start(victim);
  mesh.run(3 * calmMs);
  expect(new Set(seenBy(others, victim.name))).toEqual(new Set(["alive"]));
});

test("one that leaves is nobody's trouble", () => {
  const mesh = new Mesh({ seed: 3, agents: 10 });
  mesh.run(10 * calmMs);
  const [leaver, ...others] = mesh.agents as [MeshAgent, ...MeshAgent[]];
  mesh.act(leaver, (swim) => swim.leave(mesh.queue.now));
  mesh.run(1_000);
  mesh.crash(leaver);
  mesh.run(120_000);
  expect(new Set(seenBy(others, leaver.name))).toEqual(new Set(["left"]));
  expect(others.flatMap(({ unreachable }) => unreachable)).toEqual([]);
});

test("where no datagram passes between two, others and streams show that both are there", () => {
  const mesh = new Mesh({ seed: 4, agents: 6, loss: 0.2 });
  mesh.run(20 * calmMs);
  expect(mesh.agents.flatMap(({ unreachable }) => unreachable)).toEqual([]);
  mesh.loss = 1;
  mesh.run(10 * calmMs);
  expect(mesh.agents.flatMap(({ unreachable }) => unreachable)).toEqual([]);
});

test("the parts of a network that was cut find each other again", () => {
  const mesh = new Mesh({ seed: 5, agents: 12 });
  mesh.run(10 * calmMs);
  const left = new Set(mesh.agents.slice(0, 5));
  mesh.passes = (from, to) => left.has(from) === left.has(to);
  mesh.run(10 * 60_000);
  expect(mesh.agents[0]?.statusOf("host-11")).toBe("dead");
  mesh.passes = () => true;
  mesh.run(10 * 60_000);
  expect(known(mesh)).toEqual(mesh.agents.map(() => 12));
});

test("reach tells how long a datagram takes, tries a stream, and gives up", () => {
  const mesh = new Mesh({ seed: 6, agents: 3, introduced: 0 });
  const [asker, there, gone] = mesh.agents as [MeshAgent, MeshAgent, MeshAgent];
  const reach = (target: MeshAgent): void => {
    const { name, host } = target;
    mesh.act(asker, (swim) => void swim.reach({ name, host, port: 8301 }, mesh.queue.now));
    mesh.run(5_000);
  };
  reach(there);
  mesh.loss = 1;
  reach(there);
  mesh.crash(gone);
  reach(gone);
  expect(asker.reached.map(({ isReached }) => isReached)).toEqual([true, true, false]);
  expect(asker.reached[0]?.roundTripMs).toBeGreaterThan(0);
  expect(asker.reached.slice(1).map(({ roundTripMs }) => roundTripMs)).toEqual([null, null]);
});
