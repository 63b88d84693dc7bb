// DNS over HTTPS as clients meet it: the three forms of a question, what is refused, and how long
// an answer may be kept.

import { env } from "cloudflare:workers";
import { decode, encode } from "@leichtgewicht/dns-packet";
import { beforeAll, describe, expect, test } from "vitest";

import { StubCluster } from "../../durable/edge/cluster-stub.ts";
import { StubObjects } from "../../durable/platform/cloudflare/objects.ts";
import { platformTimers } from "../../durable/platform/cloudflare/timers.ts";
import { createEdgeDns, type EdgeDnsParts } from "../../edge-dns/index.ts";
import { defaultDnsSettings } from "../../src/core/dns/settings.ts";
import main from "../../src/index.ts";
import { write } from "./datacenter.ts";

const messageType = "application/dns-message";
const deployment = env;

function question(name: string, type = "A"): Uint8Array<ArrayBuffer> {
  const questions = [{ name, type, class: "IN" }];
  const message = encode({ id: 7, type: "query", flags: 1 << 8, questions } as never);
  return Uint8Array.from(message);
}

function base64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const url = `https://registry.example/dns-query${path}`;
  return await main.fetch(new Request(url, init), deployment);
}

async function post(body: BodyInit, type = messageType): Promise<Response> {
  return await ask("", { method: "POST", body, headers: { "content-type": type } });
}

async function packetOf(response: Response): Promise<ReturnType<typeof decode>> {
  return decode(new Uint8Array(await response.arrayBuffer()));
}

beforeAll(async () => {
  const node = { ID: "", Node: "host", Address: "10.0.0.9", TaggedAddresses: null, NodeMeta: null };
  await write(0, {
    type: "catalog.register",
    registration: {
      ...node,
      Datacenter: "",
      Service: null,
      Check: null,
      Checks: [],
      SkipNodeUpdate: false,
    },
  });
});

describe("a question", () => {
  test("by GET, in base64url", async () => {
    const response = await ask(`?dns=${base64Url(question("host.node.consul"))}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(messageType);
    const { id, answers } = await packetOf(response);
    expect(id).toBe(7);
    expect(answers).toMatchObject([{ name: "host.node.consul", type: "A", data: "10.0.0.9" }]);
  });

  test("by POST", async () => {
    const response = await post(question("host.node.consul"));
    expect(response.status).toBe(200);
    expect((await packetOf(response)).answers).toMatchObject([{ data: "10.0.0.9" }]);
  });

  test("by POST, with a media type in capitals and a parameter", async () => {
    const response = await post(question("host.node.consul"), "Application/DNS-Message; x=y");
    expect(response.status).toBe(200);
  });

  test("in the JSON form", async () => {
    const response = await ask("?name=host.node.consul&type=1");
    expect(response.headers.get("content-type")).toBe("application/dns-json");
    expect(await response.json()).toMatchObject({
      Status: 0,
      RD: true,
      Question: [{ name: "host.node.consul.", type: 1 }],
      Answer: [{ name: "host.node.consul.", type: 1, TTL: 0, data: "10.0.0.9" }],
    });
  });

  test("about what does not exist is answered with the zone's SOA", async () => {
    const { flags = 0, authorities } = await packetOf(await post(question("no.node.consul")));
    expect(flags & 15).toBe(3);
    expect(authorities).toMatchObject([{ type: "SOA" }]);
    const json = await ask("?name=no.node.consul");
    expect(await json.json()).toMatchObject({ Status: 3, Authority: [{ type: 6 }] });
  });

  test("that nobody can read is answered FORMERR", async () => {
    const garbage = new Uint8Array(12).fill(255);
    garbage.set([0, 7, 1, 0]);
    const { flags = 0 } = await packetOf(await post(garbage));
    expect(flags & 15).toBe(1);
  });
});

describe("what is refused", () => {
  test.each([
    ["no question at all", ""],
    ["an empty one", "?dns="],
    ["base64 that is not base64url", "?dns=AAAB%2FA%3D%3D"],
    ["a message that is too short", `?dns=${base64Url(new Uint8Array(11))}`],
    [
      "a message that is an answer",
      `?dns=${base64Url(Uint8Array.of(0, 7, 0x80, ...new Uint8Array(9)))}`,
    ],
    ["a name with an empty label", "?name=a..consul"],
    ["no name", "?name="],
    [
      "a name that is too long",
      `?name=${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.${"e".repeat(60)}`,
    ],
    ["a type that nobody knows", "?name=a.consul&type=NOPE"],
    ["a type beyond all numbers", "?name=a.consul&type=65536"],
  ])("400: %s", async (_what, path) => {
    const response = await ask(path);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toContain("text/plain");
  });

  test("400: a POST of nothing", async () => {
    expect((await post(new Uint8Array())).status).toBe(400);
  });

  test("413: more than a message can hold, whatever its length says", async () => {
    expect((await post(new Uint8Array(65_536))).status).toBe(413);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    // Nobody reads the rest.
    const written = writer.write(new Uint8Array(65_536)).catch(() => undefined);
    const streamed = await post(readable as ReadableStream<Uint8Array<ArrayBuffer>>);
    await written;
    expect(streamed.status).toBe(413);
  });

  test("415: another media type, or none", async () => {
    const text = await post("host.node.consul", "text/plain");
    expect(text.status).toBe(415);
    const bare = await ask("", { method: "POST", body: question("host.node.consul") });
    expect(bare.status).toBe(415);
  });

  test("405: another method", async () => {
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      const response = await ask("", { method });
      expect([method, response.status, response.headers.get("allow")]).toEqual([
        method,
        405,
        "GET, HEAD, POST, OPTIONS",
      ]);
    }
  });
});

describe("what a client takes", () => {
  const asked = `?dns=${base64Url(question("host.node.consul"))}`;
  test.each([
    [asked, "application/dns-message", 200],
    [asked, "text/html, application/*;q=0.9", 200],
    [asked, "*/*", 200],
    [asked, "application/dns-json", 406],
    [asked, "*/*, application/dns-message;q=0", 406],
    ["?name=host.node.consul", "application/dns-json", 200],
    ["?name=host.node.consul", "application/dns-message", 406],
  ])("%s as %s: %i", async (path, accept, status) => {
    expect((await ask(path, { headers: { accept } })).status).toBe(status);
  });

  test("JSON under its plain name, for who knows no other", async () => {
    const headers = { accept: "application/json" };
    const response = await ask("?name=host.node.consul", { headers });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("vary")).toBe("Accept");
  });

  test("a HEAD is answered like its GET, without the body", async () => {
    const response = await ask(asked, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(messageType);
    expect((await response.arrayBuffer()).byteLength).toBe(0);
  });

  test("no body in a coding, and no question longer than a message", async () => {
    const headers = { "content-type": messageType, "content-encoding": "gzip" };
    const body = question("host.node.consul");
    expect((await ask("", { method: "POST", body, headers })).status).toBe(415);
    expect((await ask(`?dns=${"A".repeat(90_000)}`)).status).toBe(414);
  });

  test("pages of other origins may ask, after a preflight", async () => {
    const preflight = await ask("", {
      method: "OPTIONS",
      headers: { origin: "https://a.example" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Content-Type");
    for (const response of [await ask(asked), await ask("?dns="), await ask("?name=a.consul")]) {
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
    }
  });
});

describe("a message", () => {
  test.each([
    ["with an id of 0", { id: 0 }, 0],
    ["without a question", { questions: [] }, 1],
    [
      "with two",
      {
        questions: [
          { name: "a.consul", type: "A" },
          { name: "b.consul", type: "A" },
        ],
      },
      1,
    ],
    ["that is an update", { opcode: "UPDATE", flags: 5 << 11 }, 4],
    ["of another class", { questions: [{ name: "host.node.consul", type: "A", class: "CH" }] }, 5],
    ["about a name elsewhere", { questions: [{ name: "example.com", type: "A" }] }, 5],
    [
      "about an address elsewhere",
      { questions: [{ name: "1.2.0.192.in-addr.arpa", type: "A" }] },
      2,
    ],
  ])("%s", async (_what, changed, rcode) => {
    const plain = { questions: [{ name: "host.node.consul", type: "A" }], flags: 0 };
    const message = encode({ type: "query", id: 9, ...plain, ...changed } as never);
    const response = await post(Uint8Array.from(message));
    expect(response.status).toBe(200);
    const { id, flags = 0 } = await packetOf(response);
    expect([id, flags & 15]).toEqual([(changed as { id?: number }).id ?? 9, rcode]);
  });

  test("with padding is answered with padding", async () => {
    const options = [{ code: 12, data: new Uint8Array(20) }];
    const opt = { type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0, options };
    const questions = [{ name: "host.node.consul", type: "A" }];
    const message = encode({ type: "query", id: 0, questions, additionals: [opt] } as never);
    const reply = await (await post(Uint8Array.from(message))).arrayBuffer();
    expect(reply.byteLength).toBe(468);
  });
});

describe("the JSON form", () => {
  test.each([
    ["?name=host.node.consul.&type=TYPE1", { Status: 0, Answer: [{ type: 1 }] }],
    ["?name=host.node.consul&cd=1", { CD: true }],
    ["?name=host.node.consul&cd=false&do=true&random_padding=xxxx", { CD: false, Status: 0 }],
    [
      "?name=host.node.consul&edns_client_subnet=192.0.2.77",
      { edns_client_subnet: "192.0.2.0/24/0" },
    ],
    [
      "?name=host.node.consul&edns_client_subnet=2001:db8:ffff::/33",
      { edns_client_subnet: "2001:db8:8000::/33/0" },
    ],
    ["?name=.&type=NS", { Status: 5, Question: [{ name: ".", type: 2 }] }],
    ["?name=host.node.consul&type=HTTPS", { Status: 0, Question: [{ type: 65 }] }],
  ])("%s", async (path, expected) => {
    expect(await (await ask(path)).json()).toMatchObject(expected);
  });

  test.each([
    "?name=a.consul&cd=2",
    "?name=a.consul&do=yes",
    "?name=a.consul&type=0",
    "?name=a.consul&type=UNKNOWN_1",
    "?name=a.consul&edns_client_subnet=elsewhere",
    "?name=a.consul&edns_client_subnet=192.0.2.0/33",
    "?name=a.consul&edns_client_subnet=192.0.2.0/24/0",
  ])("400: %s", async (path) => {
    expect((await ask(path)).status).toBe(400);
  });
});

describe("how long an answer may be kept", () => {
  const access = {
    objects: new StubObjects(env),
    timers: platformTimers,
    nowMs: Date.now,
    random: Math.random,
  };

  function app(
    seconds: { node: number; negative: number },
    changed: Partial<EdgeDnsParts> = {},
  ): ReturnType<typeof createEdgeDns> {
    const soa = { ...defaultDnsSettings.soa, minTtlSeconds: seconds.negative };
    const settings = { ...defaultDnsSettings, datacenter: env.DEFAULT_DC, soa };
    return createEdgeDns(() => ({
      cluster: new StubCluster({ ...access, settings: env }, ""),
      settings: { ...settings, nodeTtlMs: seconds.node * 1000 },
      agent: "edge",
      clientAddress: "",
      nowMs: Date.now,
      recursors: null,
      isPrivate: false,
      ...changed,
    }));
  }

  test.each([
    ["host.node.consul", { node: 30, negative: 5 }, "max-age=30"],
    ["host.node.consul", { node: 0, negative: 5 }, "no-store"],
    ["no.node.consul", { node: 30, negative: 5 }, "max-age=5"],
    ["no.node.consul", { node: 30, negative: 0 }, "no-store"],
    ["elsewhere.example", { node: 30, negative: 5 }, "no-store"],
  ])("%s with %o: %s", async (name, seconds, expected) => {
    const edge = app(seconds);
    const message = await edge.request(`/?dns=${base64Url(question(name))}`);
    expect(message.headers.get("cache-control")).toBe(expected);
    const json = await edge.request(`/?name=${name}`);
    expect(json.headers.get("cache-control")).toBe(expected);
  });

  test("only by who asked, when a key or a token decided, or where the client is", async () => {
    const seconds = { node: 30, negative: 5 };
    const of = async (name: string, changed: Partial<EdgeDnsParts>): Promise<string | null> =>
      (await app(seconds, changed).request(`/?name=${name}`)).headers.get("cache-control");
    expect(await of("host.node.consul", { isPrivate: true })).toBe("private, max-age=30");
    expect(await of("host.node.consul", {})).toBe("max-age=30");
    expect(await of("nobody.query.consul", {})).toBe("private, max-age=5");
  });

  test("a deployment's own DNS settings count, for whoever knows its key", async () => {
    const url = `https://registry.example/dns-query?name=host.node.corp`;
    const settings = { ...deployment, DNS: { nodeTtl: "1m30s", domain: "corp." } };
    const response = await main.fetch(new Request(url), settings);
    expect(response.headers.get("cache-control")).toBe("private, max-age=90");
    expect(await response.json()).toMatchObject({
      Status: 0,
      Answer: [{ data: "10.0.0.9", TTL: 90 }],
    });
  });

  test("a deployment's own settings are Consul's: nothing is kept", async () => {
    const response = await post(question("host.node.consul"));
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});
