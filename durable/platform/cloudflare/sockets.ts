// Hibernating WebSockets of a Durable Object.

import type { ObjectSocket, SocketAttachment, Sockets, SocketTerms } from "../platform.ts";

export class HibernatingSockets implements Sockets {
  readonly #state: DurableObjectState;
  readonly #known = new WeakMap<WebSocket, ObjectSocket>();

  constructor(state: DurableObjectState) {
    this.#state = state;
  }

  list(tag?: string): ObjectSocket[] {
    return this.#state.getWebSockets(tag).map((socket) => this.of(socket));
  }

  autoAnswer(ping: string, pong: string): void {
    this.#state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(ping, pong));
  }

  /** The same value for the same socket. */
  of(socket: WebSocket): ObjectSocket {
    const known = this.#known.get(socket) ?? new HibernatingSocket(this.#state, socket);
    this.#known.set(socket, known);
    return known;
  }

  /** Opens a pair and keeps one end. */
  accept({ tag, attachment }: SocketTerms): { client: WebSocket; socket: ObjectSocket } {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#state.acceptWebSocket(server, [tag]);
    const socket = this.of(server);
    if (attachment !== null) socket.attachment = attachment;
    return { client, socket };
  }
}

class HibernatingSocket implements ObjectSocket {
  readonly #state: DurableObjectState;
  readonly #socket: WebSocket;

  constructor(state: DurableObjectState, socket: WebSocket) {
    this.#state = state;
    this.#socket = socket;
  }

  send(frame: string): void {
    this.#socket.send(frame);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  get attachment(): SocketAttachment {
    return this.#socket.deserializeAttachment() as SocketAttachment;
  }

  set attachment(value: SocketAttachment) {
    this.#socket.serializeAttachment(value);
  }

  get autoAnsweredMs(): number | null {
    return this.#state.getWebSocketAutoResponseTimestamp(this.#socket)?.getTime() ?? null;
  }
}
