// Agents that speak to each other over real ports: by datagram, by TCP, sealed or not; and what they do not listen to.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";

import { GossipKeyring } from "../../src/agent/gossip/keyring.ts";
import { Mesh, type MeshConfig } from "../../src/agent/gossip/mesh.ts";
import { packMessage } from "../../src/core/gossip/swim/messages.ts";
import { lanTiming } from "../../src/core/gossip/swim/timing.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-ports.ts";

const host = "127.0.0.1";
const key = Buffer.alloc(16, 1).toString("base64");
const open: { stop(): void }[] = [];
let logged: string[] = [];

afterEach(() => {
  logged = [];
  for (const each of open.splice(0)) each.stop();
});

interface Options {
  key?: string;
  networks?: string[];
  bind?: string;
  timing?: typeof lanTiming;
}

interface Agent {
  mesh: Mesh;
  name: string;
  port: number;
}

async function agent(name: string, options: Options = {}): Promise<Agent> {
  const { key: own = "", networks, bind = host, timing = lanTiming } = options;
  const port = await freePort();
  const config: MeshConfig = {
    ...{ nodeName: name, advertiseAddress: bind === "::" ? host : bind, server: false },
    gossipNetworks: networks ?? null,
    gossip: {
      ...{ bindAddress: bind, verifyIncoming: true, verifyOutgoing: true, keyringFile: false },
      reconnectTimeoutMs: 1e9,
      timing,
    },
    ports: { serfLan: port, server: 0 },
  };
  const log = {
    debug: () => undefined,
    warn: (_name: string, text: string, facts?: Record<string, string>) =>
      void logged.push(`${text}: ${facts?.reason ?? facts?.error}`),
  };
  const keyed = { gossipKey: own, dataDir: "", gossip: { keyringFile: false } };
  const mesh = new Mesh({ config, keyring: GossipKeyring.open(keyed, log), log });
  open.push(mesh);
  await mesh.listen();
  return { mesh, name, port };
}

async function reach(from: Agent, { name, port }: Pick<Agent, "name" | "port">, at = host) {
  return await from.mesh.reach({ name, host: at, port });
}

async function tap(): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket("udp4");
  socket.bind(0, host);
  await once(socket, "listening");
  open.push({ stop: () => socket.close() });
  return { socket, port: socket.address().port };
}

test.each(["", key])("agents reach each other by datagram (key %j)", async (own) => {
  const [a, b] = [await agent("a", { key: own }), await agent("b", { key: own })];
  const reached = await reach(a, b);
  expect(reached?.isReached).toBe(true);
  expect(reached?.roundTripMs).toBeGreaterThan(0);
  expect(reached?.roundTripMs).toBeLessThan(500);
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

test.runIf(hasIpv6)("sockets of both families and of one reach each other", async () => {
  const both = await agent("both", { bind: "::" });
  const older = await agent("older");
  const reached = [
    await reach(both, older),
    await reach(older, both),
    await reach(both, both, "::1"),
  ];
  for (const each of reached) expect(each?.roundTripMs).toBeGreaterThan(0);
});

test("where datagrams are lost a stream reaches, and nobody reaches who is somebody else", async () => {
  const a = await agent("a");
  const b = await agent("b");
  // Nobody reads datagrams at this port, but b's streams are passed on.
  const { port } = await tap();
  const { createServer } = await import("node:net");
  const front = createServer((socket) => b.mesh.accept(socket));
  front.listen(port, host);
  await once(front, "listening");
  open.push({ stop: () => front.close() });
  const [byStream, another] = await Promise.all([
    reach(a, { name: "b", port }),
    reach(a, { name: "somebody", port: b.port }),
  ]);
  expect([byStream?.isReached, byStream?.roundTripMs]).toEqual([true, null]);
  expect(another?.isReached).toBe(false);
});

test("one that has stopped is told of", async () => {
  const timing = { ...lanTiming, probeIntervalMs: 20, probeTimeoutMs: 20 };
  const [a, b] = [await agent("a", { timing }), await agent("b", { timing })];
  const silent: string[] = [];
  a.mesh.unreachable = (names) => void silent.push(...names);
  a.mesh.introduce([{ name: "b", host, port: b.port }]);
  b.mesh.stop();
  await eventually(() => silent.includes("b"), { what: "a tells of b" });
});

test("an agent without the key, one outside the networks and one without a port reach nobody", async () => {
  const b = await agent("b", { key });
  const c = await agent("c", { networks: ["10.0.0.0/8"] });
  const foreign = await agent("foreign", { key: Buffer.alloc(16, 2).toString("base64") });
  const plain = await agent("plain");
  const reached = await Promise.all([reach(foreign, b), reach(plain, b), reach(plain, c)]);
  expect(reached.map((each) => each?.isReached)).toEqual([false, false, false]);
  expect(logged.join("\n")).toMatch(/its key is unknown|it is not encrypted/);
  expect(logged.join("\n")).toContain("serf_lan_allowed_cidrs");
  const taken = await agent("deaf", { bind: "192.0.2.1" });
  expect(await reach(taken, b)).toBeNull();
});

test("garbage is dropped and counted, and one line tells of it", async () => {
  const b = await agent("b", { key });
  const { socket } = await tap();
  const ping = packMessage(
    { kind: "ping", seq: 1, to: "b", from: { name: "x", host, port: 1, incarnation: 1 } },
    [],
  );
  const garbage = [
    Buffer.alloc(0),
    Buffer.alloc(1_401, 0x51),
    Buffer.alloc(60_000, 7),
    Buffer.alloc(300, 0x51),
    Buffer.concat([Buffer.of(0x50), ping]),
    b.mesh.seal.close(Buffer.from("no message")),
  ];
  for (const each of garbage) socket.send(each, b.port, host);
  const good = b.mesh.seal.close(ping);
  let answers = 0;
  socket.on("message", () => (answers += 1));
  // Twice: the second one is a replay.
  for (const each of [good, good]) socket.send(each, b.port, host);
  await eventually(() => b.mesh.dropped >= 7, { what: "seven are dropped" });
  await eventually(() => answers === 1, { what: "one is answered" });
  expect(b.mesh.dropped).toBe(7);
  expect(logged).toHaveLength(1);
});

test("a stream that says nonsense is closed", async () => {
  const b = await agent("b");
  for (const bytes of [Buffer.of(5, 255), Buffer.of(0, 3, 1, 2, 3)]) {
    const socket = connect(b.port, host);
    socket.on("error", () => undefined);
    socket.write(bytes);
    await eventually(() => b.mesh.dropped > 0, { what: "it is dropped" });
    socket.destroy();
  }
  const [a] = [await agent("a")];
  expect((await reach(a, b))?.isReached).toBe(true);
});
