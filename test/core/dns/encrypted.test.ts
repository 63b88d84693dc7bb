// What differs over TLS and HTTPS, where the RFCs decide, from what Consul does over UDP and TCP.

import * as codec from "@leichtgewicht/dns-packet";
import { describe, expect, test } from "vitest";

import { answerMessage, type DnsTransport } from "../../../src/core/dns/message.ts";
import type { Found, Need } from "../../../src/core/dns/needs.ts";
import { type DnsSettings, defaultDnsSettings } from "../../../src/core/dns/settings.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import type { CheckServiceNode } from "../../../src/core/model/types.ts";

interface EdnsRecord {
  extendedRcode: number;
  ednsVersion: number;
  flag_do: boolean;
  options: { code: number }[];
}

function sixty(need: Need): Found {
  if (need.need !== "service") return { failure: "absent" };
  const instances = Array.from({ length: 60 }, (_, at) => ({
    Node: { Node: `node-${at}`, Address: `10.0.1.${at + 1}`, Datacenter: "dc1", Meta: {} },
    Service: { ID: "web", Service: "web", Address: "", Port: 8_000 + at, Tags: [], Meta: {} },
    Checks: [],
  }));
  return { instances: instances as unknown as CheckServiceNode[] };
}

function answeredBy(
  view: (need: Need) => Found,
  message: Uint8Array,
  transport: DnsTransport,
  changed: Partial<DnsSettings> = {},
): Uint8Array {
  const settings = { ...defaultDnsSettings, datacenter: "dc1", ...changed };
  const context = { settings, random: seededRandom(1), nowSeconds: 1, clientAddress: "" };
  const resolution = answerMessage(message, transport, context);
  let step = resolution.next();
  while (!step.done) step = resolution.next(view(step.value));
  return step.value ?? new Uint8Array();
}

function optOf(reply: Uint8Array): EdnsRecord {
  const [opt] = (codec.decode(reply).additionals ?? []) as unknown as EdnsRecord[];
  return opt as EdnsRecord;
}

describe("over TLS and HTTPS", () => {
  const opt = (changed: object = {}): object => ({
    ...{ type: "OPT", name: ".", udpPayloadSize: 1_232, flags: 0, options: [], ednsVersion: 0 },
    ...changed,
  });
  const ask = (additionals: object[], changed: object = {}): Uint8Array =>
    codec.encode({
      ...{ type: "query", id: 7, flags: 0x110, additionals },
      questions: [{ name: "web.service.consul", type: "A" }],
      ...changed,
    } as never);
  const padding = { code: 12, data: new Uint8Array(10) };
  const isPadded = (reply: Uint8Array): boolean =>
    (codec.decode(reply).additionals ?? []).some((record) =>
      ((record as { options?: { code: number }[] }).options ?? []).some(({ code }) => code === 12),
    );

  test.each([1, 2, 5, 10, 28, 60])("%i answers are padded to blocks of 468 bytes", (count) => {
    const view = (need: Need): Found => {
      const found = sixty(need);
      return "instances" in found ? { instances: found.instances.slice(0, count) } : found;
    };
    const asked = ask([opt({ options: [padding] })]);
    const reply = answeredBy(view, asked, "encrypted");
    expect(reply.length % 468).toBe(0);
    expect(isPadded(reply)).toBe(true);
    expect(codec.decode(reply).answers).toHaveLength(count);
    expect(isPadded(answeredBy(view, asked, "stream"))).toBe(false);
  });

  test("who does not pad gets no padding", () => {
    expect(isPadded(answeredBy(sixty, ask([opt()]), "encrypted"))).toBe(false);
    const bare = answeredBy(sixty, ask([]), "encrypted");
    expect(codec.decode(bare).additionals).toEqual([]);
  });

  test("nothing says that it was cut, although it was", () => {
    const many = (need: Need): Found => {
      const { instances } = sixty(need) as { instances: CheckServiceNode[] };
      return {
        instances: Array.from({ length: 30 }, (_, port) =>
          instances.map((one) => ({ ...one, Service: { ...one.Service, Port: port + 1 } })),
        ).flat(),
      };
    };
    const asked = codec.encode({
      ...{ type: "query", id: 7, flags: 0 },
      questions: [{ name: "web.service.consul", type: "SRV" }],
    } as never);
    const truncated = (transport: DnsTransport): boolean =>
      ((answeredBy(many, asked, transport, { enableTruncate: true })[2] ?? 0) & 2) !== 0;
    expect([truncated("stream"), truncated("encrypted")]).toEqual([true, false]);
  });

  test("another version of EDNS is told which one is spoken; Consul does not look at it", () => {
    const asked = ask([opt({ ednsVersion: 1 })]);
    const reply = codec.decode(answeredBy(sixty, asked, "encrypted"));
    const [told] = reply.additionals as unknown as EdnsRecord[];
    expect([(reply.flags ?? 0) & 15, told?.extendedRcode, told?.ednsVersion]).toEqual([0, 1, 0]);
    expect(reply.answers).toEqual([]);
    expect(codec.decode(answeredBy(sixty, asked, "stream")).answers).toHaveLength(60);
  });

  test("two records of EDNS are one too many; Consul does not mind", () => {
    const asked = ask([opt(), opt()]);
    expect((answeredBy(sixty, asked, "encrypted")[3] ?? 0) & 15).toBe(1);
    expect((answeredBy(sixty, asked, "stream")[3] ?? 0) & 15).toBe(0);
  });

  test("another class is refused; Consul answers it", () => {
    const questions = [{ name: "web.service.consul", type: "A", class: "CH" }];
    const reply = codec.decode(answeredBy(sixty, ask([], { questions }), "encrypted"));
    expect((reply.flags ?? 0) & 15).toBe(5);
    expect(reply.questions).toMatchObject([{ name: "web.service.consul", class: "CH" }]);
    const { answers } = codec.decode(answeredBy(sixty, ask([], { questions }), "stream"));
    expect(answers).toHaveLength(60);
  });

  test("the client's DO comes back", () => {
    const asked = ask([opt({ flags: 0x8000 })]);
    const told = (transport: DnsTransport): unknown =>
      optOf(answeredBy(sixty, asked, transport)).flag_do;
    expect([told("encrypted"), told("stream")]).toEqual([true, false]);
  });
});

test("CD comes back, as Consul does it", () => {
  const asked = codec.encode({
    ...{ type: "query", id: 7, flags: 0x110 },
    questions: [{ name: "web.service.consul", type: "A" }],
  } as never);
  expect((answeredBy(sixty, asked, "datagram")[3] ?? 0) & 0x10).toBe(0x10);
});
