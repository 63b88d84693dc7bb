// Replies as bytes: the same bytes as Consul 1.8.7 sent for the same records, and for any records bytes that another
// implementation reads back as they were.

import * as codec from "@leichtgewicht/dns-packet";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  encodeReply,
  plainEdns,
  isWritableName,
  messageBytesMax,
  type Reply,
} from "../../../src/core/dns/encode.ts";
import type { DnsRecord } from "../../../src/core/dns/records.ts";

const whole = { compress: true, bytesMax: messageBytesMax };

/** As Consul 1.8.7 sent them, with the names of their questions. */
const captured: Record<string, [question: string, hex: string]> = {
  "an SRV target is written out, pointed at, and keeps its case": [
    "ONE.service.consul",
    "000785000001000100000003034f4e45077365727669636506636f6e73756c0000210001c00c0021000100000000001b00010001005003646e31046e6f64650364633106636f6e73756c00c036000100010000000000040a000301c03600100001000000000004036b3d76c0360010000100000000000f0e61603d626060633d786060793d7a",
  ],
  "another name points at the end of an SRV target": [
    "own.service.consul",
    "000785000001000100000003036f776e077365727669636506636f6e73756c0000210001c00c0021000100000000002000010001005008306130393039303904616464720364633106636f6e73756c00c036000100010000000000040a09090903646e31046e6f6465c0440010000100000000000f0e61603d626060633d786060793d7ac06000100001000000000004036b3d76",
  ],
  "names that differ in case do not share": [
    "inner.SERVICE.CONSUL",
    "00078500000100020000000005696e6e6572075345525649434506434f4e53554c0000050001c00c00050001000000000014036f6e65077365727669636506636f6e73756c00c032000100010000000000040a000301",
  ],
  "a CNAME's content is compressed": [
    "inner.service.consul",
    "00078500000100020000000005696e6e6572077365727669636506636f6e73756c0000050001c00c00050001000000000006036f6e65c012c032000100010000000000040a000301",
  ],
  "and a SOA's, and a name server's": [
    "consul",
    "00078500000100010001000106636f6e73756c0000060001c00c00060001000000000026026e73c00c0a686f73746d6173746572c00c6b079e4b00000e10000002580001518000000000c00c0002000100000000000e026e30046e6f646503646331c00cc056000100010000000000047f000001",
  ],
  "and a reverse name's": [
    "1.3.0.10.in-addr.arpa",
    "0007850000010001000000000131013301300231300769" +
      "6e2d61646472046172706100000c0001c00c000c000100000000001503646e31046e6f64650364633106636f6e73756c00",
  ],
  "an OPT record ends it": [
    "dn1.node.consul",
    "00078500000100030000000103646e31046e6f646506636f6e73756c0000ff0001c00c000100010000000000040a000301c00c0010000100000000000f0e61603d626060633d786060793d7ac00c00100001000000000004036b3d7600002904d0000000000000",
  ],
};

interface WireRecord extends DnsRecord {
  udpPayloadSize?: number;
}

/** The reply that a message stands for, with its records in our form. */
function replyOf(message: Uint8Array, questionName: string): Reply {
  const packet = codec.decode(message);
  const records = (section: unknown): WireRecord[] =>
    ((section ?? []) as WireRecord[]).map(({ data, ...record }) => ({
      ...record,
      data: Array.isArray(data)
        ? data.map((part) => new TextDecoder().decode(part)).join("")
        : data,
    }));
  const additionals = records(packet.additionals);
  const opt = additionals.find(({ type }) => type === ("OPT" as string));
  return {
    id: packet.id ?? 0,
    flags: (packet.flags ?? 0) | (1 << 15),
    question: message.slice(12, 12 + questionName.length + 2 + 4),
    questionName,
    answers: records(packet.answers),
    authorities: records(packet.authorities),
    additionals: additionals.filter((record) => record !== opt),
    edns: opt ? { ...plainEdns, payloadBytes: opt.udpPayloadSize ?? 0 } : null,
  };
}

describe("bytes that Consul sent", () => {
  test.each(Object.entries(captured))("%s", (_, [question, hex]) => {
    const message = Uint8Array.from(Buffer.from(hex, "hex"));
    const encoded = encodeReply(replyOf(message, question), whole);
    expect(Buffer.from(encoded ?? []).toString("hex")).toBe(hex);
  });
});

const label = fc.oneof(
  fc.constantFrom("web", "WEB", "service", "node", "dc1", "consul", "ü", "日本", "😀", "a b"),
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .map((text) => text.replaceAll(".", "-")),
);
/** What cannot be a name is left out of answers before they are encoded. */
const name = fc
  .array(label, { minLength: 1, maxLength: 6 })
  .map((labels) => labels.join("."))
  .filter(isWritableName);
const uint16 = fc.nat(65_535);
const uint32 = fc.nat(0xff_ff_ff_ff);
const text = fc.string({ unit: "grapheme", maxLength: 600 });

const data: fc.Arbitrary<Pick<DnsRecord, "type" | "data">> = fc.oneof(
  fc.record({ type: fc.constantFrom("CNAME", "PTR", "NS"), data: name }),
  fc.record({ type: fc.constant("A" as const), data: fc.ipV4() }),
  fc.record({
    type: fc.constant("AAAA" as const),
    data: fc.constantFrom("2001:db8::1", "::1", "fe80::1:2"),
  }),
  fc.record({ type: fc.constant("TXT" as const), data: text }),
  fc.record({
    type: fc.constant("SRV" as const),
    data: fc.record({ priority: uint16, weight: uint16, port: uint16, target: name }),
  }),
  fc.record({
    type: fc.constant("SOA" as const),
    data: fc.record({
      ...{ mname: name, rname: name, serial: uint32, refresh: uint32 },
      ...{ retry: uint32, expire: uint32, minimum: uint32 },
    }),
  }),
) as fc.Arbitrary<Pick<DnsRecord, "type" | "data">>;

const record: fc.Arbitrary<DnsRecord> = fc
  .record({ name, ttl: fc.nat(0x7f_ff_ff_ff), rest: data })
  .map(({ name: owner, ttl, rest }) => ({ name: owner, ttl, ...rest }));

/** By hand: a codec may normalize names, and so lengthen their labels. */
function questionOf(questionName: string): Uint8Array {
  const labels = questionName === "" ? [] : questionName.split(".");
  const bytes = labels.flatMap((label) => {
    const text = new TextEncoder().encode(label);
    return [text.length, ...text];
  });
  return Uint8Array.from([...bytes, 0, 0, 1, 0, 1]);
}

function plainReply(questionName: string, answers: readonly DnsRecord[]): Reply {
  const question = questionOf(questionName);
  const sections = { answers, authorities: [], additionals: [] };
  return { id: 1, flags: 1 << 15, question, questionName, ...sections, edns: null };
}

describe("any records", () => {
  test("are read back as they were, compressed or not", () => {
    fc.assert(
      fc.property(
        name,
        fc.array(record, { maxLength: 20 }),
        fc.boolean(),
        (asked, answers, compress) => {
          const reply = plainReply(asked, answers);
          const message = encodeReply(reply, { compress, bytesMax: messageBytesMax });
          const read = replyOf(message ?? new Uint8Array(), "");
          expect(
            read.answers.map(({ name: owner, type, ttl, data: content }) => [
              owner,
              type,
              ttl,
              content,
            ]),
          ).toEqual(
            answers.map(({ name: owner, type, ttl, data: content }) => [owner, type, ttl, content]),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test("take no more bytes compressed", () => {
    fc.assert(
      fc.property(name, fc.array(record, { maxLength: 20 }), (asked, answers) => {
        const reply = plainReply(asked, answers);
        const plain = encodeReply(reply, { compress: false, bytesMax: messageBytesMax });
        const compressed = encodeReply(reply, whole);
        expect(compressed?.length).toBeLessThanOrEqual(plain?.length ?? 0);
      }),
    );
  });
});

describe("limits", () => {
  const many = (count: number): DnsRecord[] =>
    Array.from({ length: count }, (_, at) => ({
      name: "web.service.consul",
      type: "CNAME",
      ttl: 0,
      data: `host-${at % 900}.${"far-away".repeat(4)}.example.com`,
    }));

  test("nothing points where 14 bits do not reach", () => {
    const answers = many(1_500);
    const message = encodeReply(plainReply("web.service.consul", answers), whole);
    expect(message?.length).toBeGreaterThan(1 << 14);
    expect(
      replyOf(message ?? new Uint8Array(), "").answers.map(({ data: content }) => content),
    ).toEqual(answers.map(({ data: content }) => content));
  });

  test("a message is null beyond its bytes, to the byte, and beyond the length of any", () => {
    const reply = plainReply("web.service.consul", many(3));
    const { length } = encodeReply(reply, whole) ?? new Uint8Array();
    expect(encodeReply(reply, { compress: true, bytesMax: length })?.length).toBe(length);
    expect(encodeReply(reply, { compress: true, bytesMax: length - 1 })).toBeNull();
    expect(encodeReply(plainReply("a", many(5_000)), { ...whole, compress: false })).toBeNull();
  });

  test("what is no name is known", () => {
    for (const good of ["", "a", "a.b", "x".repeat(63), "日".repeat(21), "ab.".repeat(80) + "a"]) {
      expect([good, isWritableName(good)]).toEqual([good, true]);
    }
    for (const bad of [
      "a..b",
      ".a",
      "a.",
      "x".repeat(64),
      "日".repeat(22),
      "ab.".repeat(85) + "a",
    ]) {
      expect([bad, isWritableName(bad)]).toEqual([bad, false]);
    }
  });
});
