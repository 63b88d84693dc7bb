// What a hostile or broken neighbour may send to the sockets of a running agent. It may be refused, it may be ignored;
// the process stays up and goes on answering those who behave.

import { request as httpRequest, Agent as HttpAgent } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { askTcp, askUdp, dnsQuestion, framed, idOf, rcodeOf } from "../support/dns-wire.ts";
import { Proconsul, request, stopAll } from "../support/proconsul.ts";
import { freePort } from "../support/free-ports.ts";
import { rawHttp, rawRequest, statusOf, upgradeStatus } from "../support/raw-http.ts";

const goodId = 0xbeef;
const rcodes = { formErr: 1, notImp: 4, refused: 5 } as const;
const kvValueBytesMax = 512 * 1024;
const keepAliveClients = 150;

let agent: Proconsul;

beforeAll(async () => {
  agent = await Proconsul.start({ edge: true, args: ["-dev"] });
});
afterEach(async () => {
  const answer = await agent.put("/v1/kv/still-here", "1");
  expect(answer.text.trim()).toBe("true");
});
afterAll(stopAll);

function good(): Buffer {
  return dnsQuestion(goodId, "consul.service.consul");
}

/** A question whose name is these bytes. */
function withName(...name: number[]): Buffer {
  const header = Buffer.from([0x11, 0x11, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, Buffer.from(name), Buffer.of(0, 33, 0, 1)]);
}

const malformed: [string, Buffer][] = [
  ["a truncated header", Buffer.of(0x11, 0x11, 1)],
  ["a header that promises a question", Buffer.from([0x11, 0x11, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])],
  [
    "a header that promises 65,535 of everything",
    Buffer.from([0x11, 0x11, 1, 0, ...Array<number>(8).fill(255)]),
  ],
  ["a compression pointer to itself", withName(0xc0, 12)],
  ["two pointers that point at each other", withName(0xc0, 14, 0xc0, 12)],
  ["a pointer beyond the end", withName(0xff, 0xff)],
  ["a label longer than the message", withName(63, 1, 2, 3)],
  ["a label type that does not exist", withName(0x80, 1, 0)],
  [
    "a name of 300 bytes",
    withName(...Array.from({ length: 5 }, () => [60, ...Array<number>(60).fill(97)]).flat(), 0),
  ],
  ["4,096 zeros", Buffer.alloc(4_096)],
  ["noise", Buffer.from(Array.from({ length: 512 }, (_, n) => (n * 73 + 41) % 256))],
];

describe("DNS", () => {
  test.each(malformed)("%s is refused or ignored, by UDP and by TCP", async (_what, message) => {
    const byUdp = await askUdp(agent.ports.dns, [message, good()], goodId);
    const byTcp = await askTcp(
      agent.ports.dns,
      Buffer.concat([framed(message), framed(good())]),
      goodId,
    );
    for (const answers of [byUdp, byTcp]) {
      expect(answers.map(idOf)).toContain(goodId);
      for (const answer of answers.filter((one) => idOf(one) !== goodId)) {
        expect(Object.values(rcodes)).toContain(rcodeOf(answer));
      }
    }
  });

  test("a response is not answered: two servers must not talk for ever", async () => {
    const response = dnsQuestion(0x2222, "consul.service.consul");
    response.writeUInt8((response[2] ?? 0) | 0x80, 2);
    const answers = await askUdp(agent.ports.dns, [response, good()], goodId);
    expect(answers.map(idOf)).toEqual([goodId]);
  });

  test("64 KB of zeros over TCP, and a length that never comes true", async () => {
    await askTcp(agent.ports.dns, Buffer.alloc(65_536), goodId);
    const zeros = framed(Buffer.alloc(65_535));
    expect(
      (await askTcp(agent.ports.dns, Buffer.concat([zeros, framed(good())]), goodId)).map(idOf),
    ).toContain(goodId);
    const connections = Array.from({ length: 20 }, () => rawConnection(Buffer.of(255, 255, 1)));
    expect((await askTcp(agent.ports.dns, framed(good()), goodId)).map(idOf)).toEqual([goodId]);
    for (const close of await Promise.all(connections)) close();
  });

  test("the same at the edge, over HTTPS's framing", async () => {
    for (const [what, message] of malformed) {
      const response = await fetch(`${agent.workerUrl}/dns-query`, {
        method: "POST",
        headers: { "content-type": "application/dns-message" },
        body: new Uint8Array(message),
      });
      const body = Buffer.from(await response.arrayBuffer());
      const refused =
        response.status === 400 || Object.values<number>(rcodes).includes(rcodeOf(body));
      expect(refused, `${what}: ${response.status}`).toBe(true);
    }
  });
});

async function rawConnection(bytes: Buffer): Promise<() => void> {
  const { connect } = await import("node:net");
  const socket = connect(agent.ports.dns, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.on("error", () => undefined);
  socket.write(bytes);
  return () => socket.destroy();
}

describe("the link", () => {
  const frames: [string, string | Uint8Array][] = [
    ["binary", new Uint8Array([1, 2, 3])],
    ["not JSON", "{"],
    ["no list", '{"id":1,"status":true}'],
    ["a list of nothing", "[null]"],
    ["no id", '[{"status":true}]'],
    ["an id that is no integer", '[{"id":1.5,"status":true}]'],
    ["nothing asked", '[{"id":1}]'],
    ["10,000 brackets", "[".repeat(10_000)],
  ];
  test.each(frames)("a frame that is %s closes it", async (_what, frame) => {
    const socket = new WebSocket(`ws://127.0.0.1:${agent.ports.server}/link`);
    const closed = new Promise<number>((resolve) => {
      socket.addEventListener("close", ({ code }) => resolve(code));
    });
    socket.addEventListener("open", () => socket.send(frame));
    expect(await closed).toBe(1007);
  });

  const requests: [string, object][] = [
    ["a read that does not exist", { read: "no.such", args: {} }],
    ["a read named like a property of every object", { read: "constructor", args: {} }],
    ["a write that does not exist", { write: { type: "no.such" } }],
    ["a write named like a property of every object", { write: { type: "__proto__" } }],
    ["a write without its fields", { write: { type: "kv.set" } }],
    ["a registration that is none", { write: { type: "catalog.register", registration: 7 } }],
    ["a session that is none", { write: { type: "session.create", session: [] } }],
    ["a transaction that is none", { write: { type: "txn", operations: "all" } }],
    ["a renewal of nothing", { renew: "" }],
    ["another datacenter", { read: "kv.get", args: {}, dc: "elsewhere" }],
  ];
  test("requests of the wrong shape get an error each, and the link lives on", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${agent.ports.server}/link`);
    const replies = new Map<number, string>();
    const answered = new Promise<void>((resolve, reject) => {
      socket.addEventListener("close", ({ code }) => reject(new Error(`closed with ${code}`)));
      socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(String(data).split("\n")[0] ?? "") as {
          replies?: { id: number; error?: { code: string } }[];
        };
        for (const { id, error } of frame.replies ?? []) replies.set(id, error?.code ?? "answered");
        if (replies.size === requests.length + 1) resolve();
      });
    });
    socket.addEventListener("open", () => {
      const all = [...requests.map(([, one]) => one), { status: true }];
      socket.send(JSON.stringify(all.map((one, id) => ({ ...one, id }))));
    });
    await answered;
    for (const [id, [what]] of requests.entries()) {
      expect(replies.get(id), what).not.toBe("answered");
    }
    expect(replies.get(requests.length)).toBe("answered");
    socket.close();
  });
});

describe("paths of servers", () => {
  test("/rpc is for those who know the key: an agent alone knows its own", async () => {
    for (const op of [
      "raft",
      "forward",
      "introduce",
      "join",
      "members",
      "requests",
      "status",
      "held",
    ]) {
      const answer = await request(`${agent.workerUrl}/rpc/${op}`, {
        method: "POST",
        body: "\u0001\u0002{",
      });
      expect(answer.status, op).toBe(403);
    }
  });

  test("a gossip socket without a name, or with too long a one, is refused", async () => {
    const long = { name: "x".repeat(5_000), id: "", address: "" };
    for (const member of ["", "{", '{"name":""}', "[]", "null", JSON.stringify(long)]) {
      const url = `${agent.serverUrl}/gossip?member=${encodeURIComponent(member)}`;
      expect(await upgradeStatus(url), member.slice(0, 20)).toBe(400);
    }
  });

  test("who wants no WebSocket is told that one was expected", async () => {
    for (const path of ["/link", "/gossip?member={}"]) {
      expect((await request(agent.serverUrl + path)).status).toBe(426);
      expect((await request(agent.workerUrl + path)).status).toBe(403);
    }
  });

  test("the server port and the gossip port have no API, whoever asks and however", async () => {
    for (const port of [agent.ports.server, agent.ports.serf_lan]) {
      const url = `http://127.0.0.1:${port}`;
      const paths = [
        "/v1/kv/?recurse",
        "/v1/status/leader",
        "/dns-query?name=a.consul",
        "/",
        "/link/../v1/agent/self",
      ];
      for (const path of paths) expect((await request(url + path)).status, path).toBe(404);
      const write = { method: "PUT", body: "x" };
      expect((await request(`${url}/v1/kv/door`, write)).status).toBe(404);
      const deletion = rawRequest("DELETE //v1/kv/?recurse", ["host: localhost"]);
      expect(statusOf(await rawHttp(port, deletion))).toBe(404);
    }
    expect((await agent.get("/v1/kv/door")).status).toBe(404);
  });
});

describe("HTTP", () => {
  test("bytes that are no HTTP get 400", async () => {
    for (const noise of ["\0\0\0\r\n\r\n", "GET\r\n\r\n", "PUT /v1/kv/a HTTP/9.9\r\n\r\n"]) {
      expect(statusOf(await rawHttp(agent.ports.http, noise))).toBe(400);
    }
  });

  test("headers beyond 1 MB get 431", async () => {
    const answer = await rawHttp(
      agent.ports.http,
      rawRequest("GET /v1/status/leader", ["host: localhost", `x-long: ${"a".repeat(1_100_000)}`]),
    );
    expect(statusOf(answer)).toBe(431);
  });

  test("wrong methods get 405 with those that are allowed", async () => {
    for (const [method, path] of [
      ["POST", "/v1/kv/a"],
      ["DELETE", "/v1/catalog/nodes"],
      ["GET", "/v1/agent/service/register"],
      ["PATCH", "/v1/session/create"],
    ] as const) {
      const answer = await agent.get(path, { method });
      expect(answer.status, path).toBe(405);
      expect(answer.headers.get("allow"), path).not.toBeNull();
    }
  });

  test("hosts and origins of strangers get 403, with the setting that would allow them", async () => {
    const line = "GET /v1/status/leader";
    const cases: [string[], number][] = [
      [["host: localhost"], 200],
      [["host: 127.0.0.1:8500"], 200],
      [["host: consul.service.consul"], 200],
      [["host: evil.example"], 200],
      [["host: evil.example", "accept-language:"], 403],
      [["host: localhost.evil.example", "referer: http://localhost.evil.example/"], 403],
      [["host: 10.1.2.3", "user-agent: Mozilla/5.0"], 200],
      [["host: localhost", "origin: http://localhost:3000"], 200],
      [["host: localhost", "origin: https://evil.example"], 403],
      [["host: localhost", "origin: null"], 403],
    ];
    for (const [headers, status] of cases) {
      const answer = await rawHttp(agent.ports.http, rawRequest(line, headers));
      expect(statusOf(answer), headers.join()).toBe(status);
      if (status === 403) expect(answer).toContain("http_config.allowed_hosts");
    }
  });

  test("whom no datacenter can be joined by is told of, with the reason", async () => {
    const answer = await agent.put(`/v1/agent/join/127.0.0.1:${await freePort()}?wan=1`);
    expect([answer.status, answer.text]).toEqual([
      500,
      expect.stringMatching(
        /^1 error occurred:\n\t\* Failed to join 127.0.0.1: dial tcp .*refused\n\n$/,
      ),
    ]);
  });

  test("dots in a path are answered with the clean path, and nothing is written", async () => {
    for (const path of ["/v1/kv/a/../dotted", "/v1/kv/a/%2e%2e/dotted", "/v1/kv/a/.%2E/dotted"]) {
      const answer = await rawHttp(
        agent.ports.http,
        rawRequest(`PUT ${path}?x=1`, ["host: a"], "v"),
      );
      expect(statusOf(answer)).toBe(301);
      expect(answer.toLowerCase()).toContain("location: /v1/kv/dotted?x=1\r\n");
    }
    expect((await agent.get("/v1/kv/dotted")).status).toBe(404);
  });

  test("a body without length is cut off at the limit, long before its end", async () => {
    const chunk = Buffer.alloc(1_048_576, 118);
    let given = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        given += 1;
        if (given > 400) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const put = fetch(`${agent.url}/v1/kv/endless`, {
      method: "PUT",
      body,
      duplex: "half",
    });
    const status = await put.then((response) => response.status).catch(() => 413);
    expect(status).toBe(413);
    expect(given).toBeLessThan(100);
    expect((await agent.get("/v1/kv/endless")).status).toBe(404);
  });

  test("a value of 512 KB is kept, one byte more is 413", async () => {
    const value = "v".repeat(kvValueBytesMax);
    for (const url of [agent.url, agent.workerUrl]) {
      const put = (body: string) => request(`${url}/v1/kv/large`, { method: "PUT", body });
      expect((await put(value)).text.trim()).toBe("true");
      expect((await request(`${url}/v1/kv/large?raw`)).text).toBe(value);
      expect((await put(`${value}v`)).status).toBe(413);
    }
  });

  test("a body in chunks, without its length, is read to its end; a broken one is not kept", async () => {
    const head = ["host: localhost", "transfer-encoding: chunked"];
    const chunks = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    const answer = await rawHttp(agent.ports.http, rawRequest("PUT /v1/kv/chunked", head, chunks));
    expect(statusOf(answer)).toBe(200);
    expect((await agent.get("/v1/kv/chunked?raw")).text).toBe("hello world");
    const broken = rawRequest("PUT /v1/kv/broken", head, "zz\r\nhello\r\n0\r\n\r\n");
    expect(statusOf(await rawHttp(agent.ports.http, broken))).toBe(400);
    expect((await agent.get("/v1/kv/broken")).status).toBe(404);
    const endless = Array.from({ length: 80 }, () => `2000\r\n${"x".repeat(8_192)}\r\n`).join("");
    const tooLong = rawRequest("PUT /v1/kv/endless", head, `${endless}0\r\n\r\n`);
    expect(statusOf(await rawHttp(agent.ports.http, tooLong))).toBe(413);
  });

  test("bodies and queries that mean nothing get 400", async () => {
    const register = "/v1/agent/service/register";
    for (const body of ["{", "[]", '{"Name": 7}', '{"Name":"a","Port":"x"}', "[".repeat(100_000)]) {
      expect((await agent.put(register, body)).status, body.slice(0, 30)).toBe(400);
    }
    for (const query of ["index=x", "wait=x", "index=-1"]) {
      expect((await agent.get(`/v1/kv/still-here?${query}`)).status, query).toBe(400);
    }
    for (const path of ["/v1/kv/%", "/v1/kv/%ff", "/v1/health/service/%00"]) {
      const answer = await rawHttp(
        agent.ports.http,
        rawRequest(`GET ${path}`, ["host: localhost"]),
      );
      expect([200, 400, 404], path).toContain(statusOf(answer));
    }
  });

  test("150 clients that keep their connections are all answered, again and again", async () => {
    const pool = new HttpAgent({ keepAlive: true, maxSockets: keepAliveClients });
    for (let round = 0; round < 3; round++) {
      const statuses = await Promise.all(
        Array.from({ length: keepAliveClients }, () => statusWith(pool, "/v1/kv/still-here")),
      );
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
    const sockets = Object.values(pool.freeSockets).flat().length;
    expect(sockets).toBe(keepAliveClients);
    pool.destroy();
  });
});

function statusWith(pool: HttpAgent, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(agent.url + path, { agent: pool }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    asked.on("error", reject);
    asked.end();
  });
}
