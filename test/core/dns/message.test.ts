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
    query: {
      executed: {
        service: "web",
        ttl: luck % 2 === 0 ? "" : "7s",
        datacenter: "dc1",
        instances: Array.from({ length: luck % 40 }, (_, at) => instance(at)),
      },
    },
    host: { records: [{ name: "away.example.com", type: "A", ttl: 0, data: "192.0.2.7" }] },
    recursion: { failure: "unreachable" },
  };
  return answers[need.need];
}

function answer(message: Uint8Array, transport: DnsTransport, luck: number): Uint8Array | null {
  const context = {
    settings,
    random: seededRandom(luck),
    nowSeconds: 1_700_000_000,
    clientAddress: "",
  };
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
        expect((packet.answers?.length ?? 0) + (packet.authorities?.length ?? 0)).toBe(
          ((reply[6] ?? 0) << 8) + (reply[7] ?? 0) + (reply[9] ?? 0),
        );
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

const plain = { recursionDesired: false, edns: null };

function sixty(need: Need): Found {
  if (need.need !== "service") return { failure: "absent" };
  const instances = Array.from({ length: 60 }, (_, at) => ({
    Node: { ...node, Node: `node-${at}`, Address: `10.0.1.${at + 1}`, Meta: {} },
    Service: { ...instance(1).Service, Address: "", Port: 8000 + at },
    Checks: [],
  }));
  return { instances: instances as unknown as CheckServiceNode[] };
}

function answeredBy(
  view: (need: Need) => Found,
  message: Uint8Array,
  transport: DnsTransport,
  changed: Partial<typeof settings> = {},
): Uint8Array {
  const random = seededRandom(1);
  const context = {
    settings: { ...settings, ...changed },
    random,
    nowSeconds: 1_700_000_000,
    clientAddress: "",
  };
  const resolution = answerMessage(message, transport, context);
  let step = resolution.next();
  while (!step.done) step = resolution.next(view(step.value));
  return step.value ?? new Uint8Array();
}

/** Answers, additionals (without OPT) and bytes. */
function counts(type: string, by: DnsTransport, edns: number | null, plainNames = false): number[] {
  const opt = edns === null ? null : { udpPayloadSize: edns, subnet: false };
  const asks = { name: "web.service.consul", type, id: 7, recursionDesired: false, edns: opt };
  const reply = answeredBy(sixty, query(asks), by, { disableCompression: plainNames });
  const { answers = [], additionals = [] } = codec.decode(reply);
  return [answers.length, additionals.length - (edns === null ? 0 : 1), reply.length];
}

describe("sixty instances", () => {
  test("are answered in as many bytes as Consul 1.8.7 takes", () => {
    expect(counts("A", "datagram", null)).toEqual([3, 0, 84]);
    expect(counts("A", "datagram", 600)).toEqual([34, 0, 591]);
    expect(counts("A", "datagram", 1232)).toEqual([60, 0, 1007]);
    expect(counts("A", "stream", null)).toEqual([60, 0, 996]);
    expect(counts("SRV", "datagram", 1232).slice(0, 2)).toEqual([20, 20]);
    expect(counts("SRV", "datagram", 4096)).toEqual([60, 60, 3577]);
    expect(counts("SRV", "stream", null)).toEqual([60, 60, 3566]);
  });

  test("never in more than the client takes, at any size", () => {
    for (let size = 513; size < 1100; size++) {
      for (const type of ["A", "SRV"]) {
        const [answers = 0, , bytes] = counts(type, "datagram", size);
        expect(bytes).toBeLessThanOrEqual(size);
        // Nothing that would fit is left out: an answer takes 16 bytes, a server and its address at most 59.
        if (answers < 60) expect(bytes).toBeGreaterThan(size - (type === "A" ? 16 : 59));
      }
    }
  });

  test("a node whose name is no name in DNS hides none of the others", () => {
    const view = (need: Need): Found => {
      const found = sixty(need) as { instances: CheckServiceNode[] };
      const bad = ["x".repeat(64), "a..b"].map((Node) => ({ ...found.instances[0]?.Node, Node }));
      const instances = bad.map((Node) => ({ ...found.instances[0], Node }) as CheckServiceNode);
      return { instances: [...instances, ...found.instances.slice(0, 2)] };
    };
    const message = query({ name: "web.service.consul", type: "SRV", id: 7, ...plain });
    const { answers = [], additionals = [] } = codec.decode(answeredBy(view, message, "stream"));
    expect([answers.length, additionals.length]).toEqual([2, 2]);
  });

  test("with names written out, as disable_compression has it, take more", () => {
    expect(counts("A", "stream", null, true)).toEqual([60, 0, 2076]);
    expect(counts("A", "datagram", 1232, true)[0]).toBe(34);
  });
});

describe("the question", () => {
  test("is answered with its own class, whatever that is", () => {
    for (const questionClass of [1, 3, 255]) {
      const message = query({ name: "WEB.service.consul", type: "A", id: 7, ...plain });
      message[message.length - 1] = questionClass;
      const reply = answeredBy(sixty, message, "datagram");
      expect(reply.slice(12, message.length)).toEqual(message.slice(12));
      // The record's own class is always IN.
      expect([...reply.slice(message.length, message.length + 6)]).toEqual([0xc0, 12, 0, 1, 0, 1]);
    }
  });

  test("of a name that is not ours is passed on as it came, and the reply taken as it is", () => {
    const passedOn = Uint8Array.of(1, 2, 3);
    const view = (need: Need): Found => {
      return need.need === "recursion" ? { message: passedOn } : { reverse: null };
    };
    const ask = (name: string, type: string, hasRecursors: boolean): Uint8Array => {
      return answeredBy(view, query({ name, type, id: 7, ...plain }), "datagram", { hasRecursors });
    };
    expect(ask("www.example.com", "A", true)).toEqual(passedOn);
    expect(ask("9.9.9.9.in-addr.arpa", "PTR", true)).toEqual(passedOn);
    expect(ask("x.y.arpa", "PTR", true)).toEqual(passedOn);
    expect((ask("www.example.com", "A", false)[3] ?? 0) & 15).toBe(5);
    expect((ask("9.9.9.9.in-addr.arpa", "PTR", false)[3] ?? 0) & 15).toBe(2);
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

  test("a question that ends too early is refused", () => {
    const whole = query({ name: "web.service.consul", type: "A", id: 7, ...plain });
    const cut = whole.slice(0, -1);
    expect((answer(cut, "datagram", 1)?.[3] ?? 0) & 15).toBe(1);
  });

  test("names that point at themselves or far away end", () => {
    const looping = Uint8Array.of(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1);
    const beyond = Uint8Array.of(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 1, 0, 1);
    for (const message of [looping, beyond]) {
      expect((answer(message, "datagram", 1)?.[3] ?? 0) & 15).toBe(1);
    }
  });
});
