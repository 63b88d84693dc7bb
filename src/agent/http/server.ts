// The agent's HTTP listener: the API app on Node, guarded against browsers that were lured here (DNS rebinding and
// cross-site requests), which Consul 1.8 is not.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { getRequestListener } from "@hono/node-server";

import type { HttpConfig } from "../config/types.ts";
import type { HttpAnswers } from "./answers.ts";

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);
/** Consul's Go server refuses more with 431. */
const headerBytesMax = 1_048_576;

export interface HttpParts {
  fetch(request: Request): Response | Promise<Response>;
  /** Answers that need not be made again. */
  kept: HttpAnswers;
  config: HttpConfig;
  nodeName: string;
  /** Without dots at the ends. */
  domain: string;
  /** Only requests that reached a loopback-only listener are held to known host names. */
  loopbackOnly: boolean;
}

/** Listens on `host:port`. Rejects with Go's text when it cannot. */
export async function listenHttp(parts: HttpParts, host: string, port: number): Promise<Server> {
  // The adapter's light Request and Response replace the global ones: Node's own cost more than all
  // else that a request needs here.
  const listener = getRequestListener(parts.fetch);
  const server = createServer({ maxHeaderSize: headerBytesMax }, (request, response) => {
    const refusal = refusalOf(request, parts);
    if (refusal !== null) refuse(response, refusal);
    else if (!parts.kept.send(request, response)) void listener(request, response);
  });
  // A blocking query may take longer than any of Node's own limits; keep-alive like Go's two minutes.
  server.requestTimeout = 0;
  server.headersTimeout = 60_000;
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (failure: NodeJS.ErrnoException) => {
      reject(new Error(`listen tcp ${host}:${port}: bind: ${reason(failure)}`));
    });
    server.listen(port, host, resolve);
  });
  return server;
}

function reason(failure: NodeJS.ErrnoException): string {
  const texts: Record<string, string> = {
    EADDRINUSE: "address already in use",
    EACCES: "permission denied",
    EADDRNOTAVAIL: "cannot assign requested address",
  };
  return texts[failure.code ?? ""] ?? failure.message;
}

/** Why a request must not reach the API; null when it may. */
export function refusalOf(
  { headers }: Pick<IncomingMessage, "headers">,
  { config, nodeName, domain, loopbackOnly }: Omit<HttpParts, "fetch" | "kept">,
): string | null {
  if (!loopbackOnly) return null;
  const known = (name: string): boolean => {
    const host = name.toLowerCase();
    return (
      loopbackHosts.has(host) ||
      host === nodeName.toLowerCase() ||
      host.endsWith(`.${domain}`) ||
      config.allowedHosts.includes(host)
    );
  };
  const host = headers.host === undefined ? null : hostName(headers.host);
  if (host !== null && !known(host)) {
    return `Host "${host}" is not known here; to allow it, add it to http_config.allowed_hosts`;
  }
  const { origin } = headers;
  if (origin === undefined || origin === "null")
    return origin === undefined ? null : foreign(origin);
  if (!URL.canParse(origin)) return foreign(origin);
  return known(new URL(origin).hostname) ? null : foreign(origin);
}

function foreign(origin: string): string {
  return `Origin "${origin}" is foreign; to allow its host, add it to http_config.allowed_hosts`;
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, "");
}

function refuse(response: ServerResponse, text: string): void {
  response.writeHead(403, { "content-type": "text/plain; charset=utf-8" });
  response.end(text);
}
