// DNS messages on a stream (RFC 7766; over TLS, RFC 7858): each with two bytes of length before it. Many may be asked
// before the first is answered, and answers may overtake each other. What a client can make us hold is bounded: its
// connections, its questions that are being answered, and the answers that it does not read.

import type { Socket } from "node:net";

import { joinBytes } from "../../core/lib/bytes.ts";

const lengthBytes = 2;

export interface StreamLimits {
  idleMs: number;
  connectionsMax: number;
  /** From one address. */
  connectionsPerClientMax: number;
  /** Of one connection that are being answered; whoever asks more is not read until then. */
  queriesMax: number;
  /** Of one connection; the same. */
  unsentBytesMax: number;
}

export const streamLimits: StreamLimits = {
  idleMs: 8_000,
  connectionsMax: 4_096,
  connectionsPerClientMax: 512,
  queriesMax: 128,
  unsentBytesMax: 1_048_576,
};

/** Null for what deserves no answer. Never rejects. */
export type AnswerStream = (message: Uint8Array, client: string) => Promise<Uint8Array | null>;

export class DnsStreams {
  readonly #answer: AnswerStream;
  readonly #limits: StreamLimits;
  readonly #sockets = new Set<Socket>();
  readonly #byClient = new Map<string, number>();

  constructor(answer: AnswerStream, limits: StreamLimits = streamLimits) {
    this.#answer = answer;
    this.#limits = limits;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Counts a connection before anything is read from it; false, and closed, when there are too many. */
  admit(socket: Socket): boolean {
    const client = socket.remoteAddress ?? "";
    const own = this.#byClient.get(client) ?? 0;
    const { connectionsMax, connectionsPerClientMax } = this.#limits;
    if (this.#sockets.size >= connectionsMax || own >= connectionsPerClientMax) {
      socket.destroy();
      return false;
    }
    this.#sockets.add(socket);
    this.#byClient.set(client, own + 1);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      const left = (this.#byClient.get(client) ?? 1) - 1;
      if (left === 0) this.#byClient.delete(client);
      else this.#byClient.set(client, left);
    });
    return true;
  }

  /** Answers what comes. */
  serve(socket: Socket): void {
    new Connection(socket, this.#answer, this.#limits).start();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #answer: AnswerStream;
  readonly #limits: StreamLimits;
  readonly #client: string;
  #received: Uint8Array = new Uint8Array();
  #pending = 0;
  #ended = false;

  constructor(socket: Socket, answer: AnswerStream, limits: StreamLimits) {
    this.#socket = socket;
    this.#answer = answer;
    this.#limits = limits;
    this.#client = socket.remoteAddress ?? "";
  }

  start(): void {
    const socket = this.#socket;
    socket.setTimeout(this.#limits.idleMs, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("drain", () => this.#take());
    socket.on("end", () => {
      this.#ended = true;
      this.#take();
    });
    socket.on("data", (chunk: Uint8Array) => {
      this.#received = this.#received.length === 0 ? chunk : joinBytes([this.#received, chunk]);
      this.#take();
    });
  }

  get #isFull(): boolean {
    const { queriesMax, unsentBytesMax } = this.#limits;
    return this.#pending >= queriesMax || this.#socket.writableLength > unsentBytesMax;
  }

  /** Begins to answer whatever has come whole, as much as may be. */
  #take(): void {
    let at = 0;
    while (!this.#isFull) {
      const end = endOfMessage(this.#received, at);
      if (end === null) break;
      this.#begin(Uint8Array.from(this.#received.subarray(at + lengthBytes, end)));
      at = end;
    }
    this.#received = this.#received.subarray(at);
    if (this.#isFull) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
    // Who has said everything still gets all its answers.
    if (this.#ended && this.#pending === 0 && !this.#isFull) this.#socket.end();
  }

  #begin(message: Uint8Array): void {
    this.#pending += 1;
    void this.#answer(message, this.#client).then((reply) => {
      this.#pending -= 1;
      if (reply && this.#socket.writable) this.#socket.write(framed(reply));
      this.#take();
    });
  }
}

/** Null while there is none. */
function endOfMessage(bytes: Uint8Array, at: number): number | null {
  if (bytes.length < at + lengthBytes) return null;
  const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const end = at + lengthBytes + length;
  return end <= bytes.length ? end : null;
}

function framed(reply: Uint8Array): Uint8Array {
  return joinBytes([Uint8Array.of(reply.length >> 8, reply.length & 255), reply]);
}
