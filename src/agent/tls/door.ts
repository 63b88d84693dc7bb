// TLS in front of an HTTP server: the first byte of a connection says whether it begins with a handshake. What it does
// not let pass never reaches the server; handshakes that do not end are ended.

import type { Server } from "node:http";
import type { Socket } from "node:net";
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TLSSocket,
} from "node:tls";

import type { TlsMaterial, TlsState } from "./material.ts";
import { secureOptions } from "./options.ts";
import { handshakeProblem } from "./problems.ts";

/** A TLS record that holds a handshake. */
const handshakeRecord = 0x16;
/** Connections whose handshake is not over: of all, and of one address, which is not to keep out the others. */
const pendingMax = 1_024;
const pendingOfOneMax = 128;

export interface DoorParts {
  material: TlsMaterial;
  /** Whether clients are asked for a certificate, and whether they must show one; it may change with the material. */
  asks(state: TlsState): boolean;
  demands(state: TlsState): boolean;
  /** Certificates of Connect let in, too, which agents have by `auto_encrypt`. */
  believesAgents: boolean;
  /** From the connection to the end of its handshake. */
  handshakeMs: number;
  /** Does with a connection what is to be done when it does not begin with a handshake. */
  plain(socket: Socket, serve: () => void): void;
  refused(from: string, reason: string): void;
}

/** From now on the server sees only connections whose handshake succeeded, and those that `plain` lets pass. */
export function putTlsBefore(server: Server, parts: DoorParts): void {
  const [serve] = server.listeners("connection") as ((socket: Socket) => void)[];
  if (!serve) throw new Error("the server serves no connections");
  const serveSocket = serve.bind(server);
  server.removeListener("connection", serve);
  const make = (state: TlsState): TlsServer => handshakes(state, parts, serveSocket);
  // Another one with each certificate: its tickets resume no session that was begun with the one before.
  let current = make(parts.material.current);
  parts.material.listen((state) => (current = make(state)));
  const pending = new Set<Socket>();
  const pendingOf = new Map<string, number>();
  const closeServed = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    closeServed();
    for (const socket of pending) socket.destroy();
  };
  server.on("connection", (socket: Socket) => {
    socket.on("error", () => socket.destroy());
    const from = socket.remoteAddress ?? "";
    const before = pendingOf.get(from) ?? 0;
    const refuse = (reason: string): void => {
      parts.refused(from, reason);
      socket.destroy();
    };
    if (pending.size >= pendingMax || before >= pendingOfOneMax) {
      refuse("too many handshakes at once");
      return;
    }
    pending.add(socket);
    pendingOf.set(from, before + 1);
    const timer = setTimeout(() => refuse("the handshake took too long"), parts.handshakeMs);
    const done = (): void => {
      clearTimeout(timer);
      if (!pending.delete(socket)) return;
      const left = (pendingOf.get(from) ?? 1) - 1;
      if (left === 0) pendingOf.delete(from);
      else pendingOf.set(from, left);
    };
    socket.once("close", done);
    // Whoever only looks whether somebody listens has nothing to say, and is no trouble.
    socket.once("end", () => {
      if (pending.has(socket)) socket.destroy();
    });
    begins(socket, (first) => {
      if (first === handshakeRecord) {
        afterHandshake.set(socket, done);
        current.emit("connection", socket);
        return;
      }
      done();
      parts.plain(socket, () => serveSocket(socket));
    });
  });
}

/** What is to be done with a connection when its handshake has succeeded. */
const afterHandshake = new WeakMap<Socket, () => void>();

function handshakes(state: TlsState, parts: DoorParts, serve: (socket: Socket) => void): TlsServer {
  const demands = parts.demands(state);
  const server = createTlsServer({
    ...secureOptions(parts.believesAgents ? state : { ...state, vouched: [] }),
    requestCert: demands || parts.asks(state),
    rejectUnauthorized: demands,
    // This door's own timer counts from the connection.
    handshakeTimeout: parts.handshakeMs * 2 + 1_000,
    ALPNProtocols: ["http/1.1"],
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const raw = rawOf(socket);
    if (raw) afterHandshake.get(raw)?.();
    serve(socket);
  });
  server.on("tlsClientError", (failure: Error, socket: TLSSocket) => {
    const from = socket.remoteAddress ?? rawOf(socket)?.remoteAddress ?? "";
    // Node ends a connection whose certificate it refuses as if the other end had gone away.
    const reason = handshakeProblem(failure, socket.authorizationError);
    if (reason !== null) parts.refused(from, reason);
    socket.destroy();
  });
  return server;
}

/** The socket that a TLS socket is around, for which Node has no public name. */
function rawOf(socket: TLSSocket): Socket | undefined {
  return Reflect.get(socket, "_parent") as Socket | undefined;
}

/** Looks at the first byte and leaves it where it is. */
export function begins(socket: Socket, then: (first: number) => void): void {
  socket.once("data", (chunk: Buffer) => {
    socket.pause();
    socket.unshift(chunk);
    then(chunk[0] ?? 0);
    process.nextTick(() => socket.resume());
  });
}
