// TLS in front of something that speaks plain HTTP, as Cloudflare's network is in front of a Worker: HTTP/2 and 1.1.

import { once } from "node:events";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** Headers that belong to one connection, or are HTTP/2's own. */
const hopHeaders = /^(:.*|connection|keep-alive|transfer-encoding|host|upgrade|content-length)$/;

export interface TlsFront {
  port: number;
  close(): void;
}

export async function startTlsFront(
  behind: string,
  pair: { key: string; cert: string },
): Promise<TlsFront> {
  const server: Http2SecureServer = createSecureServer({ ...pair, allowHTTP1: true });
  server.on("request", (request, response) => {
    passOn(behind, request, response).catch(() => response.stream?.close());
  });
  server.on("sessionError", () => undefined);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

async function passOn(
  behind: string,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = Object.entries(request.headers).filter(([name]) => !hopHeaders.test(name));
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const answer = await fetch(behind + request.url, {
    method: request.method,
    headers: headers.map(([name, value]): [string, string] => [name, String(value)]),
    redirect: "manual",
    ...(hasBody && { body: Buffer.concat(chunks) }),
  });
  const kept = [...answer.headers].filter(([name]) => !hopHeaders.test(name));
  response.writeHead(answer.status, Object.fromEntries(kept));
  response.end(Buffer.from(await answer.arrayBuffer()));
}
