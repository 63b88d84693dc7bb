// Datagrams that measure: who is answered, by whom, and who is not.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";

import { EchoPort } from "../../src/agent/link/echo.ts";
import { freePort } from "../support/free-ports.ts";

const host = "127.0.0.1";
const open: { close(): void }[] = [];

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

interface Options {
  key?: string;
  networks?: string[];
  bind?: string;
}

async function port(
  name: string,
  { key = "", networks, bind = host }: Options = {},
): Promise<[EchoPort, number]> {
  const echo = new EchoPort({ nodeName: name, gossipKey: key, gossipNetworks: networks ?? null });
  const at = await freePort();
  await echo.listen(bind, at);
  open.push(echo);
  return [echo, at];
}

/** A socket that keeps what comes, and one to send from. */
async function tap(): Promise<{ socket: Socket; port: number; received: Buffer[] }> {
  const socket = createSocket("udp4");
  const received: Buffer[] = [];
  socket.on("message", (message) => received.push(message));
  socket.bind(0, host);
  await once(socket, "listening");
  open.push({ close: () => socket.close() });
  return { socket, port: socket.address().port, received };
}

/** What an agent sends to measure the way to `node`. */
async function pingFor(node: string, key: string): Promise<Buffer> {
  const [asker] = await port("asker", { key });
  const { port: at, received } = await tap();
  void asker.roundTripMs(node, host, at);
  await expect.poll(() => received.length).toBe(1);
  return received[0] as Buffer;
}

test.each(["", "c2VjcmV0LWtleS1vZi0xNg=="])(
  "an agent answers for its own node (key %j)",
  async (key) => {
    const [asker] = await port("a", { key });
    const [, there] = await port("b", { key });
    const tookMs = await asker.roundTripMs("b", host, there);
    expect(tookMs).toBeGreaterThan(0);
    expect(tookMs).toBeLessThan(1_000);
  },
);

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

test.runIf(hasIpv6)("sockets of both families and of one measure each other", async () => {
  const [both, atBoth] = await port("both", { bind: "::" });
  const [older, atOlder] = await port("older");
  const tookMs = [
    await both.roundTripMs("older", host, atOlder),
    await older.roundTripMs("both", host, atBoth),
    await both.roundTripMs("both", "::1", atBoth),
  ];
  for (const each of tookMs) expect(each).toBeGreaterThan(0);
});

test("a pong is not longer than its ping, and says nothing about the node", async () => {
  const ping = await pingFor("b", "");
  const [, there] = await port("b");
  const { socket, received } = await tap();
  socket.send(ping, there, host);
  await expect.poll(() => received.length).toBe(1);
  expect(received[0]?.length).toBeLessThan(ping.length);
  expect(received[0]?.subarray(4, 20)).toEqual(ping.subarray(4, 20));
});

test("nobody else's ping is answered", async () => {
  const [, there] = await port("b", { key: "k" });
  const [, closed] = await port("c", { networks: ["10.0.0.0/8"] });
  const good = await pingFor("b", "k");
  const { socket, received } = await tap();
  const flipped = (at: number): Buffer => {
    const bent = Buffer.from(good);
    bent[at] = (bent[at] ?? 0) ^ 1;
    return bent;
  };
  const refused: [Buffer, number][] = [
    [await pingFor("other", "k"), there],
    [await pingFor("b", "wrong"), there],
    [await pingFor("b", ""), there],
    [await pingFor("c", ""), closed],
    [flipped(0), there],
    [flipped(5), there],
    [flipped(30), there],
    [flipped(good.length - 1), there],
    [good.subarray(0, 40), there],
    [Buffer.concat([good, Buffer.of(0)]), there],
    [Buffer.alloc(0), there],
    [Buffer.alloc(60_000, 7), there],
  ];
  for (const [message, at] of refused) socket.send(message, at, host);
  // Answers keep their order: when this one is here, none of those comes any more.
  socket.send(good, there, host);
  await expect.poll(() => received.length).toBeGreaterThan(0);
  expect(received).toHaveLength(1);
});

test("a pong that was not asked for, or is not from who has the key, ends no wait", async () => {
  const [asker, at] = await port("a", { key: "k" });
  const { socket, port: there, received } = await tap();
  const answer = asker.roundTripMs("b", host, there);
  await expect.poll(() => received.length).toBe(1);
  const forged = Buffer.concat([Buffer.from("PCO1"), (received[0] as Buffer).subarray(4, 52)]);
  socket.send(forged, at, host);
  socket.send(received[0] as Buffer, at, host);
  let ended = false;
  void answer.then(() => (ended = true));
  await asker.roundTripMs("a", host, at);
  expect(ended).toBe(false);
  asker.close();
  expect(await answer).toBeNull();
});

test("without a port, or to where nothing can be sent, there is no answer", async () => {
  const deaf = new EchoPort({ nodeName: "d", gossipKey: "", gossipNetworks: null });
  expect(await deaf.roundTripMs("b", host, 1)).toBeNull();
  const [asker] = await port("a");
  expect(await asker.roundTripMs("b", "::1", 1)).toBeNull();
});

test("a port that is taken is refused, and one that was closed meanwhile is given back", async () => {
  const [, taken] = await port("a");
  const late = new EchoPort({ nodeName: "b", gossipKey: "", gossipNetworks: null });
  await expect(late.listen(host, taken)).rejects.toThrow("EADDRINUSE");
  const at = await freePort();
  const listening = late.listen(host, at);
  late.close();
  await listening;
  const [next] = [new EchoPort({ nodeName: "c", gossipKey: "", gossipNetworks: null })];
  open.push(next);
  await expect
    .poll(() =>
      next.listen(host, at).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
});
