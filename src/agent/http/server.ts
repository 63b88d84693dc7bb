// The agent's HTTP listener: the API app on Node, behind what the configuration refuses (`gate.ts`).

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { getRequestListener } from "@hono/node-server";

import type { Surroundings } from "../../api/endpoint.ts";
import { cleanTarget, moved } from "../../api/paths.ts";
import { type ListenAddress, listening } from "../listening.ts";
import { type DoorParts, putTlsBefore } from "../tls/door.ts";
import type { Metric } from "../../core/lib/interval-metrics.ts";
import type { HttpAnswers } from "./answers.ts";
import { Gate, type GateParts } from "./gate.ts";

/** Consul's Go server refuses more with 431. */
const headerBytesMax = 1_048_576;
const closeGraceMs = 200;

export interface HttpParts extends GateParts {
  fetch(request: Request, surroundings: Surroundings): Response | Promise<Response>;
  /** Answers that need not be made again. */
  kept: HttpAnswers;
  /** Requests, whatever came of them. */
  requests: Metric;
  limits: HttpLimits;
}

/** May change while the listener is open. */
export interface HttpLimits {
  /** Of one client; 0: as many as there are. */
  connectionsMax: number;
}

/** By TLS only, in front of the same server. */
export type HttpsParts = Omit<DoorParts, "plain" | "asks" | "demands" | "believesAgents">;

/** Listens where `address` says, for HTTPS when there is `tls`. Rejects with Go's text when it cannot. */
export async function listenHttp(
  parts: HttpParts,
  address: ListenAddress,
  tls: HttpsParts | null = null,
): Promise<Server> {
  // The adapter's light Request and Response replace the global ones: Node's own cost more than all
  // else that a request needs here.
  const listener = getRequestListener((request, { incoming }) =>
    parts.fetch(request, { peer: incoming.socket }),
  );
  const gate = new Gate(parts);
  const { responseHeaders, translatesAddresses } = parts.config;
  const extraHeaders = Object.entries({
    ...(translatesAddresses && { "X-Consul-Translate-Addresses": "true" }),
    ...responseHeaders,
  });
  const server = createServer({ maxHeaderSize: headerBytesMax }, (request, response) => {
    parts.requests.add(1, Date.now());
    for (const [name, value] of extraHeaders) response.setHeader(name, value);
    const refusal = gate.refusal(request);
    if (refusal !== null) return refuse(response, refusal);
    // The adapter's URL has no dots any more, and who asks would get what he did not name.
    const location = cleanTarget(request.url ?? "/");
    if (location !== null) return redirect(request, response, location);
    if (!parts.kept.send(request, response)) void listener(request, response);
  });
  if (tls) {
    const { refused } = tls;
    putTlsBefore(server, {
      ...tls,
      // Services have certificates of Connect, too, and have no business here.
      believesAgents: false,
      asks: () => false,
      demands: ({ config }) => config.verifyIncomingHttps,
      plain: (socket) => refusePlain(socket, refused),
    });
  }
  limitConnections(server, parts.limits);
  // A blocking query may take longer than any of Node's own limits; keep-alive like Go's two minutes.
  server.requestTimeout = 0;
  server.headersTimeout = 60_000;
  server.keepAliveTimeout = 120_000;
  await listening(server, address);
  return server;
}

/** Answers on their way still go out, such as that to the request to leave; who waits for longer is cut off. */
export async function closeHttp(server: Server): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(timer);
}

const plainAnswer =
  "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/** Go's answer to those who do not begin with a handshake. */
function refusePlain(socket: Socket, refused: HttpsParts["refused"]): void {
  refused(socket.remoteAddress ?? "", "the client does not speak TLS");
  socket.end(plainAnswer, () => socket.destroy());
}

/** More connections of one address than this are closed at once; 0: any number. */
function limitConnections(server: Server, limits: HttpLimits): void {
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const from = socket.remoteAddress ?? "";
    const count = (open.get(from) ?? 0) + 1;
    if (limits.connectionsMax > 0 && count > limits.connectionsMax) {
      socket.destroy();
      return;
    }
    open.set(from, count);
    socket.on("close", () => {
      const left = (open.get(from) ?? 1) - 1;
      if (left === 0) open.delete(from);
      else open.set(from, left);
    });
  });
}

function refuse(response: ServerResponse, text: string): void {
  response.writeHead(403, { "content-type": "text/plain; charset=utf-8" });
  response.end(text);
}

function redirect({ method }: IncomingMessage, response: ServerResponse, location: string): void {
  const { headers, body } = moved(method, location);
  response.writeHead(301, headers).end(body ?? undefined);
}
