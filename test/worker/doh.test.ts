// DNS over HTTPS as clients meet it: the three forms of a question, what is refused, and how long
// an answer may be kept.

import { env } from "cloudflare:workers";
import { decode, encode } from "@leichtgewicht/dns-packet";
import { beforeAll, describe, expect, test } from "vitest";

import { StubCluster } from "../../durable/edge/cluster-stub.ts";
import { StubObjects } from "../../durable/platform/cloudflare/objects.ts";
import { platformTimers } from "../../durable/platform/cloudflare/timers.ts";
import { createEdgeDns } from "../../edge-dns/index.ts";
import { defaultDnsSettings } from "../../src/core/dns/settings.ts";
import main from "../../src/index.ts";
import { write } from "./datacenter.ts";

const secret = "open sesame/äö";
const messageType = "application/dns-message";
const deployment = { ...env, DEPLOY_SECRET: secret };

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
  const url = `https://registry.example/dns-query/${encodeURIComponent(secret)}${path}`;
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
    const written = writer.write(new Uint8Array(65_536)).then(() => writer.close());
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
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await ask("", { method });
      expect([method, response.status, response.headers.get("allow")]).toEqual([
        method,
        405,
        "GET,POST",
      ]);
    }
  });
});

describe("how long an answer may be kept", () => {
  const access = {
    objects: new StubObjects(env),
    timers: platformTimers,
    nowMs: Date.now,
    random: Math.random,
  };

  function app(seconds: { node: number; negative: number }): ReturnType<typeof createEdgeDns> {
    const soa = { ...defaultDnsSettings.soa, minTtlSeconds: seconds.negative };
    const settings = { ...defaultDnsSettings, datacenter: env.DEFAULT_DC, soa };
    return createEdgeDns(() => ({
      cluster: new StubCluster({ ...access, settings: env }, ""),
      settings: { ...settings, nodeTtlMs: seconds.node * 1000 },
      agent: "edge",
      clientAddress: "",
      nowMs: Date.now,
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

  test("a deployment's own settings are Consul's: nothing is kept", async () => {
    const response = await post(question("host.node.consul"));
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});
