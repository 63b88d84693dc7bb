// The doors of a host: what the server port and the gossip port let through, from where, and with which key.

import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";

import { Forwarder } from "../../src/agent/servers/forwarder.ts";
import { type Listener, listenServerPort } from "../../src/agent/servers/server-port.ts";
import { type Asked, Trust } from "../../src/agent/servers/trust.ts";
import { gossipProof, GossipProofs } from "../../src/agent/link/gossip-proof.ts";
import { agentKeyHeader, gossipProofHeader, serverKeyHeader } from "../../src/link/protocol.ts";
import { noTls } from "../support/agent-tls.ts";
import { freePort } from "../support/free-ports.ts";
import { rawHttp, statusOf } from "../support/raw-http.ts";

const keyless = {
  gossipKey: "",
  serverKey: "",
  gossipNetworks: null,
  advertiseAddress: "10.0.0.1",
  bindAddress: "0.0.0.0",
  datacenter: "dc1",
  dns: { domain: "consul" },
  tls: noTls,
  gossip: { verifyIncoming: true },
};

function status(config: Partial<typeof keyless>, asked: Partial<Asked>): number {
  const trust = new Trust({ ...keyless, ...config });
  const plain = { certificate: null, secure: false };
  const request = { target: "/link", method: "GET", headers: {}, from: "127.0.0.1", upgrade: true };
  const whole: Asked = { ...request, ...plain };
  return trust.refusal({ ...whole, ...asked })?.status ?? 200;
}

const call = { target: "/rpc/raft", method: "POST", upgrade: false };

describe("trust", () => {
  test("nothing but links, gossip and calls between servers", () => {
    for (const path of [
      "/",
      "/v1/kv/?recurse",
      "/v1/agent/self",
      "/dns-query",
      "/links",
      "/rpc",
      "/rpc/",
      "/rpc/a/b",
    ]) {
      for (const upgrade of [true, false]) {
        expect(status({}, { target: path, upgrade }), path).toBe(404);
        expect(status({}, { target: path, upgrade, method: "POST" }), path).toBe(404);
      }
    }
    expect(status({}, { target: "/link", upgrade: false })).toBe(426);
    expect(status({}, { target: "/rpc/raft", method: "GET", upgrade: false })).toBe(404);
    expect(status({}, call)).toBe(200);
    expect(status({}, { target: "/gossip" })).toBe(200);
    expect(status({}, { target: "/rpc/link" })).toBe(200);
    expect(status({}, { target: "/rpc/link", upgrade: false })).toBe(404);
    expect(status({ serverKey: "known" }, { target: "/rpc/link" })).toBe(403);
  });

  test("a page in a browser, which always tells its origin, is refused whatever it asks", () => {
    const headers = { origin: "http://127.0.0.1:8300" };
    expect(status({}, { ...call, headers })).toBe(403);
    expect(status({}, { target: "/gossip", headers })).toBe(403);
  });

  test.each([
    "127.0.0.1",
    "::1",
    "10.2.3.4",
    "::ffff:192.168.1.9",
    "172.31.0.1",
    "fd12::1",
    "fe80::1%eth0",
    "100.64.0.9",
    "169.254.1.1",
    "192.0.2.2",
  ])("without keys %s is near enough", (from) => {
    expect(status({}, { from })).toBe(200);
    expect(status({}, { ...call, from })).toBe(200);
  });

  test.each(["8.8.8.8", "::ffff:8.8.8.8", "172.32.0.1", "2001:4860::8888", "198.51.100.1", ""])(
    "without keys %j is too far",
    (from) => {
      expect(status({}, { from })).toBe(403);
      expect(status({}, { ...call, from })).toBe(403);
    },
  );

  test.each(["join", "leave", "federate-join"])("/rpc/%s is the own agent's alone", (op) => {
    const target = `/rpc/${op}`;
    expect(status({}, { ...call, target, from: "127.0.0.1" })).toBe(403);
    const headers = { [serverKeyHeader]: "server key" };
    expect(status({ serverKey: "server key" }, { ...call, target, headers })).toBe(403);
  });

  test("each door has its own key, and no key opens another", () => {
    const keys = { gossipKey: "gossip key", serverKey: "server key" };
    const far = "8.8.8.8";
    const shown = (gossip: string, server: string): Asked["headers"] => ({
      [gossipProofHeader]: gossipProof(gossip, "/link", Date.now()),
      [serverKeyHeader]: server,
    });
    expect(status(keys, { from: far, headers: shown("gossip key", "") })).toBe(200);
    expect(status(keys, { ...call, from: far, headers: shown("", "server key") })).toBe(200);
    for (const headers of [
      {},
      shown("server key", "gossip key"),
      shown("Gossip key", "server ke"),
    ]) {
      expect(status(keys, { headers })).toBe(403);
      expect(status(keys, { ...call, headers })).toBe(403);
    }
  });

  test("a public server without a server_key takes calls from this host only", () => {
    const config = { gossipKey: "gossip key", advertiseAddress: "8.8.4.4" };
    expect(status(config, { ...call, from: "10.0.0.9" })).toBe(403);
    expect(status(config, { ...call, from: "127.0.0.1" })).toBe(200);
  });

  test("serf_lan_allowed_cidrs holds for agents, key or not", () => {
    const config = { gossipNetworks: ["10.1.0.0/16"] as never, gossipKey: "k" };
    const headers = { [gossipProofHeader]: gossipProof("k", "/link", Date.now()) };
    expect(status(config, { from: "10.1.2.3", headers })).toBe(200);
    expect(status(config, { from: "10.2.2.3", headers })).toBe(403);
  });
});

test("any installed key opens; without encrypt_verify_incoming, nothing does for those who are near", () => {
  const keys = (): string[] => ["new", "old"];
  const shown = (key: string): Partial<Asked> => ({
    headers: { [gossipProofHeader]: gossipProof(key, "/link", Date.now()) },
  });
  const answer = (verifyIncoming: boolean, asked: Partial<Asked>): number => {
    const trust = new Trust({ ...keyless, gossip: { verifyIncoming } }, keys);
    const request = { target: "/link", method: "GET", headers: {}, from: "127.0.0.1" };
    const whole = { ...request, upgrade: true, certificate: null, secure: false };
    return trust.refusal({ ...whole, ...asked })?.status ?? 200;
  };
  expect(["new", "old", "gone"].map((key) => answer(true, shown(key)))).toEqual([200, 200, 403]);
  expect(answer(true, {})).toBe(403);
  expect(answer(false, {})).toBe(200);
  expect(answer(false, { from: "198.51.100.7" })).toBe(403);
  // Whoever shows a key shows one that is known.
  expect(answer(false, shown("gone"))).toBe(403);
});

test("a proof of the gossip key opens what it was made for, once, and for a few minutes", () => {
  const proofs = new GossipProofs(() => ["old", "key"]);
  const nowMs = 1_000_000;
  const target = "/gossip?member=a";
  const proof = gossipProof("key", target, nowMs);
  expect(proof).not.toContain("key");
  expect(proofs.refusal(proof, "/gossip?member=b", nowMs)).toContain("wrong");
  expect(proofs.refusal(proof, "/link", nowMs)).toContain("wrong");
  expect(proofs.refusal(proof.replace(/^1/, "2"), target, nowMs)).toContain("wrong");
  expect(proofs.refusal(proof, target, nowMs + 300_001)).toContain("clocks");
  expect(proofs.refusal(proof, target, nowMs + 300_000)).toBeNull();
  expect(proofs.refusal(proof, target, nowMs)).toContain("before");
  expect(proofs.refusal(undefined, target, nowMs)).toContain("missing");
  expect(proofs.refusal("..", target, nowMs)).toContain("wrong");
});

describe("the listener", () => {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const one of cleanUp.splice(0)) await one();
  });

  interface Door {
    port: number;
    listener: Listener;
    logged: string[];
    heard: { url: string; headers: IncomingMessage["headers"]; body: string }[];
  }

  async function open(config: Partial<typeof keyless> = {}, isStarted = true): Promise<Door> {
    const heard: Door["heard"] = [];
    const servers: Server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        heard.push({ url: request.url ?? "", headers: request.headers, body });
        response.writeHead(200, { "x-inner": "secret" }).end("answer");
      });
    });
    servers.on("upgrade", (request, socket, head) => {
      heard.push({ url: request.url ?? "", headers: request.headers, body: "" });
      socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n");
      socket.write(head);
      socket.pipe(socket);
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => servers.listen(0, "127.0.0.1", resolve));
    const forwarder = new Forwarder((servers.address() as AddressInfo).port, "agent key");
    const logged: string[] = [];
    const log = { warn: (_name: string, text: string) => void logged.push(text) };
    const port = await freePort();
    const trust = new Trust({ ...keyless, ...config });
    const listener = await listenServerPort(
      {
        tls: null,
        host: () => (isStarted ? forwarder : null),
        trust,
        log,
        gossip: null,
        autoEncrypt: null,
      },
      { host: "127.0.0.1", port, flag: "-server-port" },
    );
    cleanUp.push(
      () => listener.close(),
      () => forwarder.close(),
      () => {
        servers.closeAllConnections();
        servers.close();
      },
    );
    return { port, listener, logged, heard };
  }

  const post = (path: string, headers = "", body = "hello"): string =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`;

  test("passes a call on with the agent's key and without anything else that was sent", async () => {
    const { port, heard } = await open({ serverKey: "server key" });
    const headers = `${serverKeyHeader}: server key\r\n${agentKeyHeader}: forged\r\nx-other: 1\r\n`;
    const answer = await rawHttp(port, post("/rpc/forward?x=1", headers));
    expect(statusOf(answer)).toBe(200);
    expect(answer).toContain("answer");
    expect(answer).not.toContain("x-inner");
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({ url: "/rpc/forward?x=1", body: "hello" });
    expect(heard[0]?.headers[agentKeyHeader]).toBe("agent key");
    expect(heard[0]?.headers["x-other"]).toBeUndefined();
    expect(heard[0]?.headers[serverKeyHeader]).toBeUndefined();
  });

  test("answers what is refused itself, closes, and logs each address once", async () => {
    const { port, heard, logged } = await open({ serverKey: "server key", gossipKey: "gossip" });
    for (let n = 0; n < 3; n++) expect(statusOf(await rawHttp(port, post("/rpc/raft")))).toBe(403);
    expect(statusOf(await rawHttp(port, post("/v1/kv/a")))).toBe(404);
    const upgrade = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: aaaa\r\n\r\n";
    const answer = await rawHttp(port, `GET /gossip?member={} HTTP/1.1\r\nhost: x\r\n${upgrade}`);
    expect(statusOf(answer)).toBe(403);
    expect(heard).toEqual([]);
    expect(logged).toEqual(["refused a peer or agent"]);
  });

  test("a second request of a connection is judged like the first", async () => {
    const { port, heard } = await open();
    const first = post("/rpc/raft").replace("connection: close\r\n", "");
    const answer = await rawHttp(port, first + post("/v1/kv/secret"));
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 404"]);
    expect(heard.map(({ url }) => url)).toEqual(["/rpc/raft"]);
  });

  test("splices a WebSocket, and cuts it off when it closes", async () => {
    const { port, listener, heard } = await open();
    const socket = connect(port, "127.0.0.1");
    let received = "";
    socket.on("data", (chunk) => (received += chunk.toString()));
    socket.on("error", () => undefined);
    const ended = new Promise((resolve) => socket.on("close", resolve));
    socket.write(
      "GET /link?server=0 HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n" +
        "sec-websocket-key: abc\r\nsec-websocket-version: 13\r\n\r\n",
    );
    await expect.poll(() => received).toContain("101");
    socket.write("frame");
    await expect.poll(() => received).toContain("frame");
    expect(heard[0]).toMatchObject({
      url: "/link?server=0",
      headers: { "sec-websocket-key": "abc" },
    });
    await listener.close();
    await ended;
  });

  test("a body beyond the limit is cut off while it comes", async () => {
    const { port } = await open();
    const head = "POST /rpc/raft HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    const ended = new Promise((resolve) => socket.on("close", resolve));
    let sent = 0;
    const chunk = Buffer.alloc(1_048_576, 1);
    const send = (): void => {
      while (!socket.destroyed && sent < 200) {
        sent += 1;
        if (!socket.write(Buffer.concat([Buffer.from("100000\r\n"), chunk, Buffer.from("\r\n")]))) {
          socket.once("drain", send);
          return;
        }
      }
    };
    socket.write(head);
    socket.resume();
    send();
    await ended;
    expect(sent).toBeLessThan(150);
  });

  test("says that the servers are starting, and why it cannot listen", async () => {
    const { port } = await open({}, false);
    expect(statusOf(await rawHttp(port, post("/rpc/raft")))).toBe(503);
    const trust = new Trust(keyless);
    const address = { host: "127.0.0.1", port, flag: "-server-port" };
    const again = listenServerPort(
      {
        tls: null,
        host: () => null,
        trust,
        log: { warn: () => {} },
        gossip: null,
        autoEncrypt: null,
      },
      address,
    );
    await expect(again).rejects.toThrow(
      `listen tcp 127.0.0.1:${port}: bind: address already in use (choose another with -server-port)`,
    );
  });
});
