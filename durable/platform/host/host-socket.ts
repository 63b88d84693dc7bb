// Sockets of objects where no platform keeps them: an object's end, and what carries frames to the other one.

import type { LinkSocket } from "../../../src/link/client.ts";
import type { ObjectSocket, SocketAttachment } from "../platform.ts";

/** Takes frames to the other end, in order; a close comes after what was sent before it. */
export interface FrameCarrier {
  send(frame: string): void;
  close(code: number, reason: string): void;
  /** See {@link ObjectSocket.bufferedBytes}. */
  readonly bufferedBytes?: number;
}

/** As on the platform, overhead included. */
const attachmentBytesMax = 16_384;

export class HostSocket implements ObjectSocket {
  readonly tag: string;
  readonly #carrier: FrameCarrier;
  readonly #closed: (socket: HostSocket) => void;
  #attachment: string;
  #open = true;
  autoAnsweredMs: number | null = null;

  /** `closed` is told when the object itself closes it. */
  constructor(
    terms: { tag: string; attachment: SocketAttachment },
    carrier: FrameCarrier,
    closed: (socket: HostSocket) => void,
  ) {
    const { tag, attachment } = terms;
    this.tag = tag;
    this.#carrier = carrier;
    this.#closed = closed;
    this.#attachment = JSON.stringify(attachment);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get bufferedBytes(): number {
    return this.#carrier.bufferedBytes ?? 0;
  }

  send(frame: string): void {
    if (!this.#open) throw new TypeError("the socket is closed");
    this.#carrier.send(frame);
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closed(this);
    this.#carrier.close(code, reason);
  }

  /** The other end closed it, or the network did. False when it was closed already. */
  lost(): boolean {
    const wasOpen = this.#open;
    this.#open = false;
    return wasOpen;
  }

  get attachment(): SocketAttachment {
    return JSON.parse(this.#attachment) as SocketAttachment;
  }

  set attachment(value: SocketAttachment) {
    const text = JSON.stringify(value);
    if (text.length > attachmentBytesMax) {
      throw new RangeError(`an attachment of ${text.length} bytes is too large`);
    }
    this.#attachment = text;
  }
}

type FrameListener = (event: { data: unknown }) => void;

/** The asking end of a socket within one process. Frames that come before `accept` are kept. */
export class LocalClientSocket implements LinkSocket {
  readonly #toObject: { received(frame: string): void; lost(): void };
  readonly #messages: FrameListener[] = [];
  readonly #ends: (() => void)[] = [];
  #early: string[] | null = [];
  #open = true;

  /** `toObject`: takes what is sent here to the object's end. */
  constructor(toObject: { received(frame: string): void; lost(): void }) {
    this.#toObject = toObject;
  }

  send(frame: string): void {
    if (!this.#open) throw new TypeError("the socket is closed");
    this.#toObject.received(frame);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#toObject.lost();
    this.#ended();
  }

  accept(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const frame of early) this.#deliver(frame);
  }

  addEventListener(
    type: "message" | "close" | "error",
    listener: FrameListener | (() => void),
  ): void {
    if (type === "message") this.#messages.push(listener);
    else if (type === "close" && this.#open) this.#ends.push(listener as () => void);
    // It ended before anybody listened: who listens then is told all the same.
    else if (type === "close") queueMicrotask(listener as () => void);
  }

  /** A frame of the object has arrived. */
  received(frame: string): void {
    if (!this.#open) return;
    if (this.#early) this.#early.push(frame);
    else this.#deliver(frame);
  }

  /** The object's end, or the network, closed it. */
  lost(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ended();
  }

  #deliver(frame: string): void {
    for (const listener of this.#messages) listener({ data: frame });
  }

  #ended(): void {
    for (const listener of this.#ends) listener();
  }
}
