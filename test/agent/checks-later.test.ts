// Checks that Consul has since 1.10 and 1.12: UDP, and pings of HTTP/2.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, expect, test } from "vitest";

import { h2pingProbe } from "../../src/agent/checks/h2ping.ts";
import type { ProbeResult } from "../../src/agent/checks/probe.ts";
import { udpProbe } from "../../src/agent/checks/udp.ts";
import { loadAgentConfig } from "../../src/agent/config/load.ts";
import { decodeCheck } from "../../src/core/agent/decode.ts";
import { type CheckDefinition, checkType, emptyCheck } from "../../src/core/agent/definitions.ts";

const idle = new AbortController().signal;
const check = (fields: Partial<CheckDefinition>): CheckDefinition => ({ ...emptyCheck, ...fields });
const udp = (address: string, timeoutMs = 0): Promise<ProbeResult> =>
  udpProbe(check({ udp: address, timeoutMs }))(idle);
const h2ping = (fields: Partial<CheckDefinition>): Promise<ProbeResult> =>
  h2pingProbe(check(fields))(idle);

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function udpServer(answers: boolean): Promise<string> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  closers.push(() => socket.close());
  await once(socket, "listening");
  if (answers)
    socket.on("message", (_message, from) => socket.send("yes", from.port, from.address));
  return `127.0.0.1:${socket.address().port}`;
}

test("a datagram that is answered, or not, passes", async () => {
  const address = await udpServer(true);
  const passing = { status: "passing", output: `UDP connect ${address}: Success` };
  expect(await udp(address)).toEqual(passing);
  expect(await udp(await udpServer(false), 20)).toMatchObject({ status: "passing" });
});

test("a port that refuses datagrams, and what is no address, are critical", async () => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const address = `127.0.0.1:${socket.address().port}`;
  socket.close();
  await once(socket, "close");
  expect(await udp(address, 2_000)).toMatchObject({ status: "critical" });
  expect((await udp("localhost")).output).toBe(
    "dial udp: address localhost: missing port in address",
  );
});

test("a ping that is answered passes; what speaks no HTTP/2 is critical", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  closers.push(() => server.close());
  await once(server, "listening");
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const passing = { status: "passing", output: "HTTP2 ping was successful" };
  expect(await h2ping({ h2ping: address, h2pingUseTls: false })).toEqual(passing);
  expect(await h2ping({ h2ping: address })).toMatchObject({ status: "critical" });
  const mute = createTcpServer((socket) => socket.on("error", () => undefined));
  mute.listen(0, "127.0.0.1");
  closers.push(() => mute.close());
  await once(mute, "listening");
  const silent = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
  expect(await h2ping({ h2ping: silent, h2pingUseTls: false, timeoutMs: 30 })).toEqual({
    status: "critical",
    output: "HTTP2 ping failed: context deadline exceeded",
  });
  expect((await h2ping({ h2ping: "localhost" })).output).toContain("missing port in address");
});

test("both are read from the API and from files, by TLS unless it is said", () => {
  const api = decodeCheck('{"Name":"a","H2PING":"h:1","H2PingUseTLS":false,"Interval":"1s"}');
  expect(api).toMatchObject({ h2ping: "h:1", h2pingUseTls: false });
  expect(checkType(api)).toBe("h2ping");
  expect(() => decodeCheck('{"Name":"a","H2PING":"h:1","H2PingUseTLS":"no"}')).toThrow(
    "H2PingUseTLS must be true or false",
  );
  const text = `checks = [{ name = "a" h2ping = "h:1" interval = "1s" },
    { name = "b" h2ping = "h:1" h2ping_use_tls = false interval = "1s" },
    { name = "c" udp = "h:1" interval = "1s" }]`;
  const { checks } = loadAgentConfig(["-dev", "-hcl", text], { hostName: "h", addresses: [] });
  expect(checks.map((one) => [checkType(one), one.h2pingUseTls])).toEqual([
    ["h2ping", true],
    ["h2ping", false],
    ["udp", true],
  ]);
  expect(() =>
    loadAgentConfig(["-dev", "-hcl", 'check { name = "c" udp = "h:1" }'], {
      hostName: "h",
      addresses: [],
    }),
  ).toThrow("Interval must be > 0 for Script, HTTP, or TCP checks");
});

test("what older agents kept is still what it was", () => {
  const { udp: _udp, h2ping: _h2ping, ...older } = check({ tcp: "h:1" });
  expect(checkType(older as CheckDefinition)).toBe("tcp");
  expect(checkType({ ...older, tcp: "" } as CheckDefinition)).toBe(null);
});
