// Who waits on which socket, and the copy of it in the sockets' attachments, which is brought up to date at the end of
// each turn.

import type { Topic } from "../../src/core/state/watch.ts";
import type { ReadRequest } from "../../src/link/protocol.ts";
import type { ObjectSocket } from "../platform/platform.ts";
import {
  attachmentOf,
  bytesOf,
  pack,
  type Packed,
  type QuestionOf,
  registrationBytesMax,
} from "./registrations.ts";

export interface Question {
  key: string;
  asked: QuestionOf;
  topics: readonly Topic[];
  waiters: Set<Waiter>;
  /** Something was touched since it was evaluated. */
  due: boolean;
  /** The state was replaced since: everybody is answered, even with a lower index. */
  replaced: boolean;
  /** As last evaluated. */
  answerLength: number;
}

export interface Waiter extends Pick<ReadRequest, "id" | "minIndex" | "follows"> {
  socket: ObjectSocket;
  question: Question;
}

interface Kept {
  packed: Packed;
  bytes: number;
}

interface OnSocket {
  waiters: Map<number, Waiter>;
  /** Entries as they are kept, together. */
  bytes: number;
  /** The attachment says only that the socket has to be greeted. */
  greets: boolean;
  /** Something waits on it that cannot be kept. */
  holdsMore: boolean;
}

export class SocketWaits {
  readonly #sockets = new Map<ObjectSocket, OnSocket>();
  readonly #kept = new Map<Waiter, Kept>();
  readonly #changed = new Set<ObjectSocket>();

  get size(): number {
    return this.#kept.size;
  }

  countOn(socket: ObjectSocket): number {
    return this.#sockets.get(socket)?.waiters.size ?? 0;
  }

  find(socket: ObjectSocket, id: number): Waiter | undefined {
    return this.#sockets.get(socket)?.waiters.get(id);
  }

  join(waiter: Waiter): void {
    const { socket, id, question } = waiter;
    const on = this.#on(socket);
    on.waiters.set(id, waiter);
    question.waiters.add(waiter);
    this.#keep(on, waiter);
  }

  /** Whether something waits on a socket that cannot be kept in its attachment: then it has to be greeted. */
  holdsMore(socket: ObjectSocket, holds: boolean): void {
    this.#on(socket).holdsMore = holds;
    this.changed(socket);
  }

  #on(socket: ObjectSocket): OnSocket {
    const known = this.#sockets.get(socket);
    if (known) return known;
    const on = { waiters: new Map(), bytes: 0, greets: false, holdsMore: false };
    this.#sockets.set(socket, on);
    return on;
  }

  /** What its answer depends on is not what it was. */
  repack(waiter: Waiter): void {
    const on = this.#sockets.get(waiter.socket);
    if (!on) return;
    this.#keep(on, waiter);
    this.changed(waiter.socket);
  }

  leave(waiter: Waiter): void {
    const on = this.#sockets.get(waiter.socket);
    if (!on?.waiters.delete(waiter.id)) return;
    this.#drop(on, waiter);
    this.changed(waiter.socket);
  }

  /** The socket is gone. Gives back who waited on it. */
  closed(socket: ObjectSocket): Waiter[] {
    const on = this.#sockets.get(socket);
    this.#sockets.delete(socket);
    this.#changed.delete(socket);
    const waiters = [...(on?.waiters.values() ?? [])];
    for (const waiter of waiters) this.#kept.delete(waiter);
    return waiters;
  }

  /** Its attachment is written at the end of this turn: within it, nobody can lose the memory of this object. */
  changed(socket: ObjectSocket): void {
    if (this.#changed.size === 0) queueMicrotask(() => this.#writeAll());
    this.#changed.add(socket);
  }

  #keep(on: OnSocket, waiter: Waiter): void {
    this.#drop(on, waiter);
    const { id, minIndex, follows, question } = waiter;
    const held = { id, ...(minIndex !== undefined && { minIndex }), ...(follows && { follows }) };
    const packed = pack({ ...held, question: question.asked, topics: question.topics });
    const bytes = bytesOf(packed);
    this.#kept.set(waiter, { packed, bytes });
    on.bytes += bytes;
  }

  #drop(on: OnSocket, waiter: Waiter): void {
    on.bytes -= this.#kept.get(waiter)?.bytes ?? 0;
    this.#kept.delete(waiter);
  }

  #writeAll(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const socket of changed) this.#write(socket);
  }

  #write(socket: ObjectSocket): void {
    const on = this.#sockets.get(socket);
    if (!on) return;
    const waiters = [...on.waiters.values()];
    const greets = on.holdsMore || on.bytes > registrationBytesMax || waiters.some(isDue);
    if (greets && on.greets) return;
    on.greets = greets;
    const kept = waiters.flatMap((waiter) => this.#kept.get(waiter) ?? []);
    socket.attachment = attachmentOf(greets ? null : kept.map(({ packed }) => packed));
  }
}

function isDue({ question }: { question: Question }): boolean {
  return question.due;
}
