// DNS as it meets the agent and the Worker: messages nearly right, and not, by UDP, by TCP in pieces of any size, and
// over HTTPS. Whatever comes is answered with a message or not at all, and the next question as if nothing had been.

import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";

import * as codec from "@leichtgewicht/dns-packet";
import * as fc from "fast-check";
import type { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createEdgeDns } from "../../edge-dns/index.ts";
import { loadAgentConfig } from "../../src/agent/config/load.ts";
import { DnsServer } from "../../src/agent/dns/server.ts";
import { defaultDnsSettings } from "../../src/core/dns/settings.ts";
import { Metrics } from "../../src/agent/metrics.ts";
import { dnsQuestion, framed, idOf } from "../support/dns-wire.ts";
import { freePort } from "../support/free-ports.ts";
import { damaged, fuzz, limitMs } from "../support/fuzz.ts";
import { MemoryCluster } from "../support/memory-cluster.ts";

const good = "web.service.consul";
const headerBytes = 12;
const goodStatuses = [200, 204, 400, 405, 406, 413, 414, 415];

let server: DnsServer;
let edge: Hono;
let port: number;
let udp: UdpSocket;
let nextId = 1;

beforeAll(async () => {
  const cluster = new MemoryCluster();
  await cluster.write(
    {
      type: "catalog.register",
      registration: {
        ...{ Datacenter: "", ID: "", Node: "n1", Address: "10.0.0.1", SkipNodeUpdate: false },
        ...{
          TaggedAddresses: { wan: "192.0.2.1" },
          NodeMeta: { rack: "a" },
          Check: null,
          Checks: [],
        },
        Service: {
          ...{ ID: "web", Service: "web", Tags: ["v1"], Address: "", Port: 80, Meta: {} },
          ...{ Weights: { Passing: 1, Warning: 1 }, EnableTagOverride: false },
        },
      },
    } as never,
    {},
  );
  port = await freePort();
  const config = loadAgentConfig(["-dev", "-node", "fuzz"]);
  const queries = new Metrics("consul", "fuzz").counter("dns.queries");
  server = new DnsServer({ config, cluster, queries });
  await server.listen("127.0.0.1", port);
  const settings = { ...defaultDnsSettings, datacenter: "dc1" };
  edge = createEdgeDns(() => ({
    ...{ cluster, settings, recursors: null, agent: "fuzz", clientAddress: "" },
    ...{ nowMs: Date.now, isPrivate: false },
  }));
  udp = createSocket("udp4");
});
afterAll(() => {
  server.close();
  udp.close();
});

const label = fc.oneof(
  fc.constantFrom("web", "n1", "service", "node", "query", "addr", "connect", "dc1", "_web", "_v1"),
  fc.constantFrom(
    "consul",
    "CONSUL",
    "in-addr",
    "arpa",
    "ip6",
    "0a000001",
    "1",
    "_tcp",
    "é",
    "a\0b",
  ),
  fc.string({ minLength: 1, maxLength: 63 }),
);
const name = fc.oneof(
  fc.constantFrom(good, "n1.node.consul", "consul", "", "1.0.0.10.in-addr.arpa", "example.com"),
  fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => `${labels.join(".")}.consul`),
  fc.array(label, { maxLength: 6 }).map((labels) => labels.join(".")),
);
const question = fc.record({
  name,
  type: fc.constantFrom("A", "AAAA", "SRV", "ANY", "TXT", "SOA", "NS", "PTR", "AXFR", "OPT"),
  class: fc.constantFrom("IN", "CH", "ANY"),
});
const option = fc.record({
  code: fc.constantFrom(3, 8, 10, 12, 65_001),
  data: fc.uint8Array({ maxLength: 24 }),
});
const opt = fc.record({
  ...{ type: fc.constant("OPT"), name: fc.constant(".") },
  udpPayloadSize: fc.constantFrom(0, 512, 1_232, 4_096, 65_535),
  ednsVersion: fc.constantFrom(0, 0, 1),
  flags: fc.constantFrom(0, 0x8000),
  options: fc.array(option, { maxLength: 3 }),
});
const query = fc
  .record({
    type: fc.constant("query"),
    id: fc.nat({ max: 65_535 }),
    flags: fc.oneof(fc.constantFrom(0, 0x100, 0x110), fc.nat({ max: 65_535 })),
    questions: fc.array(question, { minLength: 0, maxLength: 2 }),
    additionals: fc.array(opt, { maxLength: 2 }),
  })
  .map((packet) => {
    try {
      return codec.encode(packet as never);
    } catch {
      // Names that the library cannot write come in by damage.
      return Uint8Array.from(dnsQuestion(packet.id, good));
    }
  });
const message = fc.oneof(
  { weight: 3, arbitrary: query },
  { weight: 6, arbitrary: damaged(query) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) },
);

function isAnswer(reply: Uint8Array): void {
  expect(reply.length).toBeGreaterThanOrEqual(headerBytes);
  expect((reply[2] ?? 0) & 0x80).toBe(0x80);
  expect(() => codec.decode(reply)).not.toThrow();
}

/** A question that nobody else asks in this while. */
function ownQuestion(): { id: number; bytes: Buffer } {
  const id = (nextId = (nextId % 65_535) + 1);
  return { id, bytes: dnsQuestion(id, good) };
}

test("by UDP", { timeout: limitMs }, async () => {
  await fuzz("dns by UDP", fc.array(message, { minLength: 1, maxLength: 12 }), async (messages) => {
    const { id, bytes } = ownQuestion();
    const taken = new Set(messages.map((one) => ((one[0] ?? 0) << 8) | (one[1] ?? 0)));
    if (taken.has(id)) return;
    const answered = Promise.withResolvers<void>();
    const listener = (reply: Buffer): void => {
      isAnswer(reply);
      if (idOf(reply) === id) answered.resolve();
    };
    udp.on("message", listener);
    for (const one of [...messages, bytes]) udp.send(one, port, "127.0.0.1");
    await answered.promise;
    udp.off("message", listener);
  });
});

const framing = fc.oneof(
  { weight: 8, arbitrary: message.map((one) => framed(Buffer.from(one))) },
  { weight: 1, arbitrary: fc.constantFrom(Buffer.of(0, 0), Buffer.of(0, 1, 7)) },
);

test("by TCP", { timeout: limitMs }, async () => {
  const pieces = fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 6 });
  const stream = fc.tuple(fc.array(framing, { maxLength: 12 }), pieces);
  await fuzz("dns by TCP", stream, async ([frames, sizes]) => {
    const { id, bytes } = ownQuestion();
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const all = Buffer.concat([...frames, framed(bytes)]);
    for (let at = 0, turn = 0; at < all.length; turn++) {
      const size = 1 + (sizes[turn % sizes.length] ?? 0) * (1 + Math.floor(turn / 8));
      socket.write(all.subarray(at, at + size));
      at += size;
    }
    socket.end();
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const answers = Buffer.concat(chunks);
    const ids: number[] = [];
    for (let at = 0; at < answers.length; at += 2 + answers.readUInt16BE(at)) {
      const reply = answers.subarray(at + 2, at + 2 + answers.readUInt16BE(at));
      isAnswer(reply);
      ids.push(idOf(reply));
    }
    expect(ids).toContain(id);
  });
});

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  name,
  fc.constantFrom("1", "A", "true", "TYPE65"),
);
const header = fc.oneof(
  fc.constantFrom("application/dns-message", "application/dns-json", "text/html", "*/*;q=0", ""),
  fc.string({ maxLength: 20 }),
);
const parameter = fc.constantFrom("dns", "name", "type", "cd", "do", "edns_client_subnet", "x");
const request = fc.record({
  method: fc.constantFrom("GET", "GET", "POST", "POST", "HEAD", "PUT", "OPTIONS"),
  parameters: fc.array(fc.tuple(parameter, text), { maxLength: 4 }),
  message,
  isAsked: fc.boolean(),
  accept: header,
  contentType: fc.oneof(
    { weight: 3, arbitrary: fc.constant("application/dns-message") },
    { weight: 1, arbitrary: header },
  ),
});

test("over HTTPS", { timeout: limitMs }, async () => {
  await fuzz("dns over HTTPS", request, async ({ method, parameters, isAsked, ...rest }) => {
    const search = new URLSearchParams(parameters);
    if (isAsked) search.set("dns", Buffer.from(rest.message).toString("base64url"));
    const headers = new Headers();
    for (const [field, value] of Object.entries({
      accept: rest.accept,
      "content-type": rest.contentType,
    })) {
      if (/^[ -~]*$/.test(value)) headers.set(field, value);
    }
    const body = method === "POST" ? { body: Uint8Array.from(rest.message) } : {};
    const response = await edge.request(`/?${search.toString()}`, { method, headers, ...body });
    expect(goodStatuses).toContain(response.status);
    if (response.status !== 200 || method === "HEAD") return;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.headers.get("content-type") === "application/dns-message") isAnswer(bytes);
    else expect(JSON.parse(new TextDecoder().decode(bytes))).toHaveProperty("Status");
  });
});
