// Names that are not ours, passed on over HTTPS: to whom, what is taken for an answer, and what is told of failures.

import { decode, encode } from "@leichtgewicht/dns-packet";
import { describe, expect, test } from "vitest";

import { lifetimeSeconds } from "../../edge-dns/lifetime.ts";
import { HttpsRecursors } from "../../edge-dns/recursors.ts";
import { edgeDnsSettings } from "../../src/core/dns/given-settings.ts";

const messageType = "application/dns-message";
const questions = [{ name: "example.com", type: "A" }];

function query(id = 4_660): Uint8Array {
  return encode({ type: "query", id, flags: 0x100, questions } as never);
}

function reply(changed: object = {}): Uint8Array<ArrayBuffer> {
  const answers = [{ name: "example.com", type: "A", ttl: 60, data: "192.0.2.1" }];
  const packet = { type: "response", id: 0, flags: 0x180, questions, answers, ...changed };
  return Uint8Array.from(encode(packet as never));
}

function dns(body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Response {
  return new Response(body, { headers: { "content-type": messageType, ...headers } });
}

interface Tried {
  requests: Request[];
  lines: string[];
  recursors: HttpsRecursors;
}

function recursors(...answers: (() => Response | Promise<Response>)[]): Tried {
  const requests: Request[] = [];
  const lines: string[] = [];
  const made = new HttpsRecursors({
    urls: answers.map((_, at) => `https://resolver-${at}.example/secret-key`),
    timeoutMs: 1_000,
    fetch: async (request) => {
      requests.push(request);
      const answer = answers[requests.length - 1];
      if (!answer) throw new Error("nobody is left");
      return await answer();
    },
    log: (line) => lines.push(line),
  });
  return { requests, lines, recursors: made };
}

describe("a question that is passed on", () => {
  test("goes with id 0, and comes back with its own", async () => {
    const { requests, recursors: asked } = recursors(() => dns(reply(), { age: "7" }));
    const { message, ageSeconds } = await asked.forward(query());
    expect(decode(message)).toMatchObject({ id: 4_660, answers: [{ data: "192.0.2.1" }] });
    expect(ageSeconds).toBe(7);
    const [request] = requests;
    expect([request?.method, request?.redirect]).toEqual(["POST", "manual"]);
    expect(request?.headers.get("content-type")).toBe(messageType);
    const sent = new Uint8Array((await request?.arrayBuffer()) ?? new ArrayBuffer());
    expect([...sent.subarray(0, 2)]).toEqual([0, 0]);
    expect([...sent.subarray(2)]).toEqual([...query().subarray(2)]);
  });

  test.each<[string, () => Response]>([
    ["an error", () => new Response("no", { status: 500 })],
    ["a redirect", () => Response.redirect("https://127.0.0.1/", 302)],
    ["something else", () => new Response("<html>")],
    ["no message", () => dns(Uint8Array.of(1, 2, 3))],
    ["a query", () => dns(Uint8Array.from(query(0)))],
    [
      "an answer to another question",
      () => dns(reply({ questions: [{ name: "a.b", type: "A" }] })),
    ],
    ["a refusal", () => dns(reply({ flags: 0x185 }))],
    ["too much", () => dns(new Uint8Array(65_536))],
    [
      "nothing, in time",
      () => {
        throw new DOMException("The operation was aborted due to timeout", "TimeoutError");
      },
    ],
  ])("to one that says %s goes to the next, with a line about it", async (_what, answer) => {
    const { lines, recursors: asked } = recursors(answer, () => dns(reply()));
    expect(decode((await asked.forward(query())).message).answers).toHaveLength(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("https://resolver-0.example gave no answer: ");
    expect(lines[0]).not.toContain("secret");
  });

  test("that nobody answers is SERVFAIL, with recursion available", async () => {
    const no = (): Response => new Response("", { status: 404 });
    const { message } = await recursors(no, no).recursors.forward(query());
    expect([message[0], message[1], message[3]]).toEqual([0x12, 0x34, 0x82]);
  });

  test("whose name does not exist is answered so", async () => {
    const { recursors: asked } = recursors(() => dns(reply({ flags: 0x183, answers: [] })));
    expect((await asked.forward(query())).message[3]).toBe(0x83);
  });

  test("about a host that an instance is called after", async () => {
    const { recursors: asked } = recursors(() => dns(reply()));
    expect(await asked.addresses("example.com")).toEqual([
      { name: "example.com", type: "A", ttl: 60, data: "192.0.2.1" },
    ]);
    expect(await recursors().recursors.addresses("example.com")).toEqual([]);
  });
});

describe("how long a reply lives", () => {
  const soa = {
    ...{ mname: "a.b", rname: "c.d", serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 20 },
  };
  const authorities = [{ name: "com", type: "SOA", ttl: 900, data: soa }];
  const none = { answers: [], authorities };
  test.each<[string, object, number]>([
    ["the smallest TTL", { answers: ttls(300, 60, 90) }, 60],
    ["one that is 0", { answers: ttls(300, 0) }, 0],
    ["no such name: the SOA's minimum", { ...none, flags: 0x183 }, 20],
    ["nothing of that type: the same", none, 20],
    ["the SOA's own TTL, where that is less", { ...none, authorities: soaWith(5) }, 5],
    ["an alias to nowhere", { answers: ttls(10), authorities, flags: 0x183 }, 10],
    ["an answer beside an SOA", { answers: ttls(300), authorities }, 300],
    ["nothing at all", { answers: [] }, 0],
    ["a failure", { ...none, flags: 0x182 }, 0],
  ])("%s", (_what, changed, seconds) => {
    expect(lifetimeSeconds(reply(changed))).toBe(seconds);
  });

  function ttls(...values: number[]): object[] {
    return values.map((ttl) => ({ name: "example.com", type: "A", ttl, data: "192.0.2.1" }));
  }

  function soaWith(ttl: number): object[] {
    return authorities.map((record) => ({ ...record, ttl }));
  }
});

describe("settings", () => {
  test("in words", () => {
    const { settings, recursors: urls } = edgeDnsSettings(
      {
        ...{ domain: ".Corp.", nodeTtl: "30s", negativeTtl: "1m", serviceTtl: { "*": "5s" } },
        recursors: ["https://1.1.1.1/dns-query", "http://127.0.0.1:8053/dns-query"],
      },
      "dc1",
    );
    expect(settings).toMatchObject({
      ...{ domain: "corp", nodeTtlMs: 30_000, serviceTtlMs: { "*": 5_000 }, hasRecursors: true },
      soa: { minTtlSeconds: 60 },
    });
    expect(urls).toHaveLength(2);
  });

  test.each([
    [{ nodeTtl: "30" }, 'DNS.nodeTtl is "30"'],
    [{ negativeTtl: "-1s" }, 'DNS.negativeTtl is "-1s"'],
    [{ serviceTtl: { web: "soon" } }, 'DNS.serviceTtl is "soon"'],
    [{ recursors: ["http://10.0.0.1/"] }, "DNS.recursors names"],
    [{ recursors: ["1.1.1.1"] }, "DNS.recursors names"],
    [{ recursors: ["https://"] }, "DNS.recursors names"],
  ])("%o is refused", (given, text) => {
    expect(() => edgeDnsSettings(given, "dc1")).toThrow(text);
  });
});
