// Servers elsewhere, from Node: whom a request trusts, how long it waits, how much it takes.

import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { nodeOutside } from "../../../durable/platform/node/outside.ts";
import type { OutsideRequest } from "../../../durable/platform/platform.ts";
import { outsideContract, probeOf } from "../../contract/outside.ts";
import { type OutsideServer, serveOutside } from "../../support/outside-server.ts";
import { type Authority, makeAuthority } from "../../support/tls.ts";

let ours: Authority;
let others: Authority;
const servers: Server[] = [];

let served: OutsideServer;

beforeAll(async () => {
  served = await serveOutside();
  [ours, others] = await Promise.all([makeAuthority(), makeAuthority()]);
});
afterAll(() => served.close());
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listening(server: Server, scheme: string): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function plain(listener: RequestListener): Promise<string> {
  return await listening(createServer(listener), "http");
}

async function secure(listener: RequestListener): Promise<string> {
  const { key, cert } = ours.server;
  return await listening(createSecureServer({ key, cert }, listener), "https");
}

const request = (url: string, more: Partial<OutsideRequest> = {}): OutsideRequest => ({
  ...{ method: "GET", url, headers: {}, timeoutMs: 5_000, bytesMax: 100 },
  ...more,
});

const hello: RequestListener = (_request, response) => {
  response.setHeader("content-type", "text/x").end("hello");
};

test("an answer is its status, its type and its text", async () => {
  const url = await plain(hello);
  const answer = { status: 200, contentType: "text/x", location: "", body: "hello" };
  expect(await nodeOutside.ask(request(url))).toEqual(answer);
});

test("what is sent arrives, and no redirect is followed", async () => {
  const url = await plain((incoming, response) => {
    let body = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    incoming.on("end", () => {
      const said = `${incoming.method} ${incoming.headers["x-a"]?.toString()} ${body}`;
      response.writeHead(302, { location: "/there" }).end(said);
    });
  });
  const posted = { method: "POST", headers: { "x-a": "b" }, body: "é" } as const;
  const answer = await nodeOutside.ask(request(url, posted));
  expect(answer).toMatchObject({ status: 302, location: "/there", body: "POST b é" });
});

test("only the authorities that a request names are trusted by it", async () => {
  const url = await secure(hello);
  expect((await nodeOutside.ask(request(url, { ca: ours.pem }))).body).toBe("hello");
  const unknown = "x509: certificate signed by unknown authority";
  await expect(nodeOutside.ask(request(url, { ca: others.pem }))).rejects.toThrow(unknown);
  await expect(nodeOutside.ask(request(url))).rejects.toThrow(unknown);
  // One that trusted it before makes no difference to the next.
  expect((await nodeOutside.ask(request(url, { ca: ours.pem }))).body).toBe("hello");
  await expect(nodeOutside.ask(request(url))).rejects.toThrow(unknown);
});

test("a server by another name than its certificate's is not it", async () => {
  const url = (await secure(hello)).replace("127.0.0.1", "localhost");
  await expect(nodeOutside.ask(request(url, { ca: ours.pem }))).rejects.toThrow("localhost");
});

test("a longer answer is none, however it comes", async () => {
  const url = await plain((_request, response) => {
    const more = (): void => void (response.write("x".repeat(50)) && setImmediate(more));
    more();
  });
  await expect(nodeOutside.ask(request(url))).rejects.toThrow("longer than 100 bytes");
});

test("who does not answer, or not to the end, is not waited for", async () => {
  const silent = await plain(() => undefined);
  const half = await plain((_request, response) => void response.write("x"));
  for (const url of [silent, half]) {
    const asked = nodeOutside.ask(request(url, { timeoutMs: 50 }));
    await expect(asked).rejects.toThrow(/deadline exceeded|aborted/);
  }
});

test("who is not there is said in Go's words", async () => {
  const url = "http://127.0.0.1:1/";
  const words = "dial tcp 127.0.0.1:1: connect: connection refused";
  await expect(nodeOutside.ask(request(url))).rejects.toThrow(words);
  await expect(nodeOutside.ask(request("nonsense"))).rejects.toThrow();
});

outsideContract(
  () => nodeOutside,
  () => served.port,
);

test("a probe takes a certificate of nobody only when it is told to", async () => {
  const url = await secure(hello);
  await expect(nodeOutside.probe(probeOf(url))).rejects.toThrow("x509");
  expect((await nodeOutside.probe(probeOf(url, { skipsVerification: true }))).body).toBe("hello");
});
