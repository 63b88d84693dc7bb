// The HTTP listener around the API: headers that every answer gets, and connections of one client.

import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";

import type { Surroundings } from "../../src/api/endpoint.ts";
import { IntervalMetrics } from "../../src/core/lib/interval-metrics.ts";
import { HttpAnswers } from "../../src/agent/http/answers.ts";
import { listenHttp } from "../../src/agent/http/server.ts";
import { freePort } from "../support/free-ports.ts";
import { rawHttp } from "../support/raw-http.ts";

const config = {
  allowedHosts: [],
  blockEndpoints: ["/v1/session"],
  allowWriteHttpFrom: [],
  responseHeaders: { "X-Powered": "me" },
  translatesAddresses: true,
  maxConnectionsPerClient: 5,
  usesCache: true,
  refusesUnprintable: true,
};

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const requests = new IntervalMetrics().counter("http.requests");
const counted = (): number => requests.row(0).total.count;

async function listen(): Promise<number> {
  const port = await freePort();
  const parts = {
    fetch: (_request: Request, { peer }: Surroundings) =>
      new Response("fine", { headers: { "x-own": "1", "x-peer": peer?.remoteAddress ?? "" } }),
    kept: new HttpAnswers(),
    requests,
    config,
    nodeName: "n",
    domain: "consul",
    loopbackOnly: true,
  };
  server = await listenHttp(parts, { host: "127.0.0.1", port, flag: "-http-port" });
  return port;
}

test("response_headers are on answers, refusals and redirects alike, and all are counted", async () => {
  const port = await listen();
  const before = counted();
  for (const [path, status] of [
    ["/v1/kv/a", 200],
    ["/v1/session/list", 403],
    ["/v1/kv/../a", 301],
  ] as const) {
    const answer = await rawHttp(
      port,
      `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain("X-Powered: me\r\n");
  }
  expect(counted() - before).toBe(3);
});

test("whom a request comes from is told along with it", async () => {
  const port = await listen();
  const answer = await rawHttp(port, "GET /v1/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  expect(answer).toContain("x-peer: 127.0.0.1\r\n");
});

test("a client gets as many connections as it may have, and those that it closes back", async () => {
  const port = await listen();
  const open = (): ReturnType<typeof connect> => connect(port, "127.0.0.1");
  const sockets = Array.from({ length: 12 }, open);
  let closed = 0;
  for (const socket of sockets) {
    socket.resume();
    socket.on("error", () => undefined);
    socket.on("close", () => (closed += 1));
  }
  await expect.poll(() => closed).toBe(7);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => closed).toBe(12);
  const again = open();
  again.on("error", () => undefined);
  again.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await once(again, "data");
  again.destroy();
});
