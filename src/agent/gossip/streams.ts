// Gossip over TCP, for when datagrams do not come through: one connection carries one message and its answer, each
// after its length in two bytes. No length begins like a request of HTTP or a handshake of TLS, so that on a server
// all of them come in at one port.

import { connect, createServer, type Server, type Socket } from "node:net";

import { datagramBytesMax } from "./datagrams.ts";

const lengthBytes = 2;
/** From the connection to the answer. */
const patienceMs = 5_000;
const connectionsMax = 128;

/** Whether the first byte of a connection is that of a length. */
export function beginsStream(first: number): boolean {
  return first <= datagramBytesMax >> 8;
}

export interface StreamsParts {
  /** A message came over a connection, at which {@link Streams.answer} answers. */
  received(message: Buffer, from: { address: string; port: number; stream: number }): void;
  /** Why a connection was of no use. */
  refused(from: string, why: string): void;
}

export class Streams {
  readonly #parts: StreamsParts;
  readonly #sockets = new Map<number, Socket>();
  #server: Server | null = null;
  #last = 0;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
  }

  /** Rejects when the port cannot be had. */
  async listen(host: string, port: number): Promise<void> {
    const server = createServer((socket) => this.accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    this.#server = server;
  }

  /** Takes over a connection that came in here or at the port of a server. */
  accept(socket: Socket): void {
    const from = socket.remoteAddress ?? "";
    if (this.#sockets.size >= connectionsMax) {
      socket.destroy();
      return this.#parts.refused(from, "too many connections at once");
    }
    this.#read(socket, this.#keep(socket));
  }

  /** Opens a connection, sends a message and hears the answer like any other message. */
  send(message: Uint8Array, host: string, port: number): void {
    if (this.#sockets.size >= connectionsMax) return;
    const socket = connect({ host, port }, () => socket.write(framed(message)));
    this.#read(socket, this.#keep(socket));
  }

  answer(stream: number, message: Uint8Array): void {
    this.#sockets.get(stream)?.end(framed(message));
  }

  close(): void {
    this.#server?.close();
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #keep(socket: Socket): number {
    const stream = ++this.#last;
    this.#sockets.set(stream, socket);
    const timer = setTimeout(() => socket.destroy(), patienceMs);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(timer);
      this.#sockets.delete(stream);
    });
    return stream;
  }

  /** One message: what comes after it is not read. */
  #read(socket: Socket, stream: number): void {
    const address = socket.remoteAddress ?? "";
    let read: Buffer = Buffer.alloc(0);
    const more = (chunk: Buffer): void => {
      read = Buffer.concat([read, chunk]);
      if (read.length < lengthBytes) return;
      const length = read.readUInt16BE(0);
      if (length > datagramBytesMax) {
        this.#parts.refused(socket.remoteAddress ?? address, "it is too long");
        return void socket.destroy();
      }
      if (read.length < lengthBytes + length) return;
      socket.off("data", more);
      socket.resume();
      const message = read.subarray(lengthBytes, lengthBytes + length);
      const { remoteAddress = address, remotePort: port = 0 } = socket;
      this.#parts.received(message, { address: remoteAddress, port, stream });
    };
    socket.on("data", more);
  }
}

function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
