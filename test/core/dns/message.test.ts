// DNS messages as bytes: whatever arrives is answered or ignored, and never by an exception; what
// is answered can be read, repeats the question, and is an answer.

import * as codec from "@leichtgewicht/dns-packet";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerMessage } from "../../../src/core/dns/message.ts";
import type { DnsTransport } from "../../../src/core/dns/message.ts";
import type { Found, Need } from "../../../src/core/dns/needs.ts";
import { defaultDnsSettings } from "../../../src/core/dns/settings.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import type { CheckServiceNode, Node } from "../../../src/core/model/types.ts";

const settings = { ...defaultDnsSettings, datacenter: "dc1", altDomain: "test" };

const node = {
  ID: "",
  Node: "n1",
  Address: "10.0.0.1",
  Datacenter: "dc1",
  TaggedAddresses: { lan: "10.0.0.1", wan: "192.0.2.1" },
  Meta: { "rfc1035-key": "any text", rack: "r1" },
} as unknown as Node;

function instance(number: number): CheckServiceNode {
  const addresses = ["10.1.0.1", "", "2001:db8::1", "db.example.com", "n1.node.consul"];
  const Service = {
    ID: `web-${number}`,
    Service: "web",
    Tags: ["v1"],
    Address: addresses[number % addresses.length],
    Port: 8000 + number,
    Meta: {},
    Weights: { Passing: 1, Warning: 1 },
    TaggedAddresses: {},
  };
  return { Node: node, Service, Checks: [] } as unknown as CheckServiceNode;
}

/** A catalog that has whatever is asked for, except in every third case. */
function found(need: Need, luck: number): Found {
  if (luck % 3 === 0) return { failure: luck % 2 === 0 ? "absent" : "unreachable" };
  const answers: Record<Need["need"], Found> = {
    node: { node: luck % 5 === 0 ? null : node },
    service: { instances: Array.from({ length: luck % 40 }, (_, at) => instance(at)) },
    reverse: { reverse: luck % 2 === 0 ? { node: "n1" } : { service: "web" } },
    host: { records: [{ name: "away.example.com", type: "A", ttl: 0, data: "192.0.2.7" }] },
  };
  return answers[need.need];
}

function answer(message: Uint8Array, transport: DnsTransport, luck: number): Uint8Array | null {
  const context = { settings, random: seededRandom(luck), nowSeconds: 1_700_000_000 };
  const resolution = answerMessage(message, transport, context);
  let step = resolution.next();
  for (let needs = 0; !step.done; needs += 1) {
    if (needs > 100) throw new Error("the resolver asks without end");
    step = resolution.next(found(step.value, luck + needs));
  }
  return step.value;
}

const types = ["A", "AAAA", "SRV", "ANY", "TXT", "PTR", "NS", "SOA", "CNAME", "AXFR", "MX", "CAA"];

const label = fc.oneof(
  fc.constantFrom("web", "n1", "service", "node", "addr", "query", "connect", "dc1", "v1", "_tcp"),
  fc.constantFrom("_web", "consul", "test", "0a000001", "in-addr", "arpa", "ip6", "1", "10"),
  fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 63 }).map((text) => {
    return text.replaceAll(".", "-");
  }),
);

const name = fc.oneof(
  fc.constantFrom(
    "",
    "consul",
    "web.service.consul",
    "v1.web.service.dc1.consul",
    "_web._tcp.service.consul",
    "n1.node.consul",
    "0a000001.addr.consul",
    "1.0.0.10.in-addr.arpa",
    "ns.consul",
    "web.service.dc2.test",
  ),
  fc.array(label, { maxLength: 6 }).map((labels) => labels.join(".").slice(0, 240)),
);

/** The library writes a size of 0 as 4096. */
const edns = fc.option(
  fc.record({ udpPayloadSize: fc.integer({ min: 1, max: 65_535 }), subnet: fc.boolean() }),
);

interface Asked {
  name: string;
  type: string;
  id: number;
  recursionDesired: boolean;
  edns: { udpPayloadSize: number; subnet: boolean } | null;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  name,
  type: fc.constantFrom(...types),
  id: fc.integer({ min: 0, max: 65_535 }),
  recursionDesired: fc.boolean(),
  edns,
});

const subnet = { code: 8, family: 1, sourcePrefixLength: 24, scopePrefixLength: 0, ip: "10.1.2.0" };

function query({ name: asks, type, id, recursionDesired, edns: opt }: Asked): Uint8Array {
  const additionals = opt && [
    {
      type: "OPT",
      name: ".",
      udpPayloadSize: opt.udpPayloadSize,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: opt.subnet ? [subnet] : [],
    },
  ];
  return codec.encode({
    id,
    type: "query",
    flags: recursionDesired ? 1 << 8 : 0,
    questions: [{ name: asks || ".", type, class: "IN" }],
    additionals: additionals ?? [],
  } as unknown as Parameters<typeof codec.encode>[0]);
}

const transport = fc.constantFrom<DnsTransport>("datagram", "stream");
const luck = fc.nat(1000);

/** Messages with some bytes changed, and perhaps an end too early or garbage behind. */
const mutated = fc
  .tuple(
    asked.map(query),
    fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 5 }),
    fc.integer({ min: -20, max: 20 }),
  )
  .map(([message, changes, grow]) => {
    const copy = new Uint8Array(Math.max(0, message.length + grow));
    copy.set(message.subarray(0, copy.length));
    for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte;
    return copy;
  });

/** The header of any message, with a question of any bytes. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.uint8Array({ minLength: 1, maxLength: 80 }).map((tail) => {
    return Uint8Array.of(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...tail);
  }),
);

function isReply(message: Uint8Array): boolean {
  return ((message[2] ?? 0) & 0x80) !== 0;
}

describe("queries", () => {
  test("are answered with their id and question", () => {
    fc.assert(
      fc.property(asked, transport, luck, (question, by, chance) => {
        const reply = answer(query(question), by, chance) ?? new Uint8Array();
        const packet = codec.decode(reply);
        expect(packet.type).toBe("response");
        expect(packet.id).toBe(question.id);
        expect(((packet.flags ?? 0) & (1 << 8)) !== 0).toBe(question.recursionDesired);
        if (reply.length > 12) expect(packet.questions?.[0]?.type).toBe(question.type);
      }),
      { numRuns: 1000 },
    );
  });

  test("by datagram are answered within the client's size", () => {
    fc.assert(
      fc.property(asked, luck, (question, chance) => {
        const reply = answer(query(question), "datagram", chance) ?? new Uint8Array();
        const { answers = [] } = reply.length > 12 ? codec.decode(reply) : {};
        const bytesMax = Math.max(512, question.edns?.udpPayloadSize ?? 0);
        // Negative answers and referrals are never cut.
        if (answers.length > 0) expect(reply.length).toBeLessThanOrEqual(bytesMax);
      }),
      { numRuns: 500 },
    );
  });
});

describe("whatever else arrives", () => {
  test("no bytes break the resolver, and what it says is an answer", () => {
    fc.assert(
      fc.property(fc.oneof(mutated, anyBytes), transport, luck, (message, by, chance) => {
        const reply = answer(message, by, chance);
        if (reply === null) return;
        expect(isReply(reply)).toBe(true);
        expect(reply.subarray(0, 2)).toEqual(message.subarray(0, 2));
        expect(() => codec.decode(reply)).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  test("answers are never answered", () => {
    fc.assert(
      fc.property(fc.oneof(mutated, anyBytes), transport, (message, by) => {
        if (message.length > 2) message[2] = (message[2] ?? 0) | 0x80;
        expect(answer(message, by, 1)).toBeNull();
      }),
      { numRuns: 1000 },
    );
  });

  test("an answer of our own is not answered", () => {
    fc.assert(
      fc.property(asked, luck, (question, chance) => {
        const reply = answer(query(question), "stream", chance) ?? new Uint8Array();
        expect(answer(reply, "stream", chance)).toBeNull();
      }),
    );
  });

  test("a name that is no text is refused", () => {
    const ask = (...label: number[]): Uint8Array => {
      const name = [label.length, ...label, 6, 99, 111, 110, 115, 117, 108, 0];
      return Uint8Array.of(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 1, 0, 1);
    };
    const rcode = (message: Uint8Array): number => {
      return (answer(message, "stream", 1)?.[3] ?? 0) & 15;
    };
    expect(rcode(ask(97, 98))).toBe(3);
    expect(rcode(ask(0xc3, 0xa9))).toBe(3);
    expect(rcode(ask(97, 0x2e, 98))).toBe(1);
    expect(rcode(ask(0xff, 0x80))).toBe(1);
  });

  test("names that point at themselves or far away end", () => {
    const looping = Uint8Array.of(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1);
    const beyond = Uint8Array.of(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 1, 0, 1);
    for (const message of [looping, beyond]) {
      expect((answer(message, "datagram", 1)?.[3] ?? 0) & 15).toBe(1);
    }
  });
});
