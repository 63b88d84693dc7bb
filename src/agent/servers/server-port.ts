// The listeners at the server port and the gossip port. The agent's own process holds them, whatever runs the servers,
// because only it sees who asks: workerd does not tell its Worker the address of the other end. What passes
// `trust.ts` goes to a `ServerHost`; everything else is answered here and its connection closed.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

import { dnsNames, isOfService } from "../../link/peer-tls.ts";
import { autoEncryptPath, questionBytesMax } from "../auto-encrypt/protocol.ts";
import type { AutoEncryptServer } from "../auto-encrypt/server.ts";
import { listening } from "../listening.ts";
import type { AgentLog } from "../log.ts";
import { RefusalLog } from "../rare-log.ts";
import { beginsStream } from "../gossip/streams.ts";
import { begins, putTlsBefore } from "../tls/door.ts";
import type { TlsMaterial } from "../tls/material.ts";
import { type Asked, type Refusal, Trust } from "./trust.ts";

const headerBytesMax = 16_384;
/** From the first byte of a request to the last of its head, and of its body. */
const headTimeoutMs = 10_000;
const bodyTimeoutMs = 30_000;
/** Longer than workerd keeps an idle connection to a peer, so that it is never this end that closes one in use. */
const idleTimeoutMs = 120_000;
/** Whatever runs the servers of this process: requests that were found to be allowed come here. */
export interface ServerHost {
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface ServerPortParts {
  /** Null: in clear text only. */
  tls: TlsMaterial | null;
  /** Null until the servers have started. */
  host(): ServerHost | null;
  trust: Trust;
  log: Pick<AgentLog, "warn">;
  /** Gives certificates to agents; null where none are given. */
  autoEncrypt: Pick<AutoEncryptServer, "answer"> | null;
  /** Takes over the connections by which agents speak to each other; they come to the gossip port. */
  gossip: { accept(socket: Socket): void } | null;
}

export interface Listener {
  close(): Promise<void>;
}

/** Listens on `host:port`; `flag` names what to change when it cannot. Rejects with Go's text. */
export async function listenServerPort(
  parts: ServerPortParts,
  address: { host: string; port: number; flag: string },
): Promise<Listener> {
  const refusals = new RefusalLog(parts.log, "agent.server", "refused a peer or agent");
  const note = (request: IncomingMessage, { why }: Refusal): void => {
    if (why !== null) refusals.note(request.socket.remoteAddress ?? "", why);
  };
  const server = createServer({ maxHeaderSize: headerBytesMax }, (request, response) => {
    const refusal = parts.trust.refusal(asked(request, false));
    if (refusal) {
      note(request, refusal);
      return refuse(response, refusal.status, refusal.text);
    }
    if (parts.autoEncrypt && request.url === autoEncryptPath) {
      return void answerNewcomer(parts.autoEncrypt, request, response);
    }
    const host = parts.host();
    if (host) host.handle(request, response);
    else refuse(response, 503, "the servers are starting");
  });
  const sockets = new Set<Duplex>();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const refusal = parts.trust.refusal(asked(request, true));
    if (refusal) note(request, refusal);
    const host = parts.host();
    if (refusal) endRaw(socket, refusal.status, refusal.text);
    else if (host) host.upgrade(request, socket, head);
    else endRaw(socket, 503, "the servers are starting");
  });
  if (parts.tls) {
    const handshakes = new RefusalLog(parts.log, "agent.server", "refused a TLS connection");
    const told = (from: string, reason: string): void => handshakes.note(from, reason);
    secured(server, parts.tls, told);
  }
  if (parts.gossip) putGossipBefore(server, parts.gossip, sockets);
  server.headersTimeout = headTimeoutMs;
  server.requestTimeout = bodyTimeoutMs;
  server.keepAliveTimeout = idleTimeoutMs;
  await listening(server, address);
  return { close: () => closed(server, sockets) };
}

/** TLS and clear text at one port, until certificates are demanded. */
function secured(
  server: Server,
  material: TlsMaterial,
  refused: (from: string, reason: string) => void,
): void {
  putTlsBefore(server, {
    ...{ material, refused, handshakeMs: material.current.config.rpcHandshakeMs },
    believesAgents: true,
    asks: ({ authorities }) => authorities.length > 0,
    demands: ({ config }) => config.verifyIncomingRpc && !config.autoEncrypt.allowTls,
    plain: (socket, serve) => {
      if (!material.current.config.verifyIncomingRpc) return serve();
      refused(socket.remoteAddress ?? "", "it does not speak TLS, which verify_incoming demands");
      socket.destroy();
    },
  });
}

/** What does not begin like gossip goes on to whatever served connections before. */
function putGossipBefore(
  server: Server,
  gossip: { accept(socket: Socket): void },
  sockets: Set<Duplex>,
): void {
  const serve = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    const done = (): void => void sockets.delete(socket);
    const late = (): void => void socket.destroy();
    socket.on("close", done);
    socket.on("error", late);
    socket.setTimeout(headTimeoutMs, late);
    begins(socket, (first) => {
      socket.setTimeout(0);
      socket.off("timeout", late);
      socket.off("error", late);
      socket.off("close", done);
      done();
      if (beginsStream(first)) return gossip.accept(socket);
      for (const each of serve) each.call(server, socket);
    });
  });
}

function asked(request: IncomingMessage, upgrade: boolean): Asked {
  const isWebSocket = request.headers.upgrade?.toLowerCase() === "websocket";
  return {
    target: request.url ?? "",
    method: request.method ?? "",
    headers: request.headers,
    from: request.socket.remoteAddress ?? "",
    upgrade: upgrade && isWebSocket,
    ...shownBy(request.socket),
  };
}

type Shown = Pick<Asked, "certificate" | "secure">;

/** A connection is kept for many calls, and reading a certificate costs more than one of them. */
const shown = new WeakMap<Socket, Shown>();

function shownBy(socket: Socket): Shown {
  if (!(socket instanceof TLSSocket)) return { certificate: null, secure: false };
  const known = shown.get(socket);
  if (known) return known;
  const { subjectaltname: alternatives } = socket.getPeerCertificate();
  const isMember = socket.authorized && !isOfService(alternatives);
  const found = { certificate: isMember ? dnsNames(alternatives) : null, secure: true };
  shown.set(socket, found);
  return found;
}

async function answerNewcomer(
  autoEncrypt: Pick<AutoEncryptServer, "answer">,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += (chunk as Buffer).length;
      if (length > questionBytesMax) return refuse(response, 413, "the request is too long");
      chunks.push(chunk as Buffer);
    }
  } catch {
    // Whoever asked has gone.
    return;
  }
  const token = request.headers["x-consul-token"];
  const shown = typeof token === "string" ? token : "";
  const { status, text } = await autoEncrypt.answer(Buffer.concat(chunks).toString(), shown);
  if (status !== 200) return refuse(response, status, text);
  response.writeHead(200, { "content-type": "application/json", connection: "close" });
  response.end(text);
}

/** Nobody who is refused gets to keep a connection, or to have a body read. */
function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(text);
}

/** The answer to an upgrade that is not to be. */
export function endRaw(socket: Duplex, status: number, text: string): void {
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

async function closed(server: Server, sockets: ReadonlySet<Duplex>): Promise<void> {
  const done = new Promise((resolve) => server.close(resolve));
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  await done;
}
