// Replies on their way to links. Those of one turn leave together, in frames of bounded length: a frame costs both ends
// more than a reply in it, but the far end's runtime refuses one that is too long. While the network takes no more,
// they wait here; a link that lets too many wait is closed, and its asker asks again elsewhere.

import { limits } from "../../src/core/model/limits.ts";
import { encodeReplies, type LinkReply } from "../../src/link/protocol.ts";
import type { TimerHandle, Timers } from "../../src/ports/timers.ts";
import type { ObjectSocket } from "../platform/platform.ts";

const pollMs = 5;
/** What a reply takes beside its body, about. */
const headLength = 150;
const tooSlowCode = 1013;

interface Outbox {
  replies: LinkReply[];
  length: number;
  /** Runs while the network holds too much back. */
  timer: TimerHandle;
  scheduled: boolean;
}

export interface OutboxesParts {
  timers: Timers;
  /** The socket closed, or was closed here. */
  closed(socket: ObjectSocket): void;
}

export class Outboxes {
  readonly #parts: OutboxesParts;
  readonly #outboxes = new Map<ObjectSocket, Outbox>();

  constructor(parts: OutboxesParts) {
    this.#parts = parts;
  }

  push(socket: ObjectSocket, reply: LinkReply): void {
    const empty = { replies: [], length: 0, timer: null, scheduled: false };
    const outbox: Outbox = this.#outboxes.get(socket) ?? empty;
    this.#outboxes.set(socket, outbox);
    outbox.replies.push(reply);
    outbox.length += lengthOf(reply);
    if (outbox.length > limits.outboxLengthMax && outbox.replies.length > 1) {
      socket.close(tooSlowCode, "too many replies wait for this link");
      this.#parts.closed(socket);
      return;
    }
    if (outbox.scheduled || outbox.timer !== null) return;
    outbox.scheduled = true;
    queueMicrotask(() => {
      outbox.scheduled = false;
      this.#flush(socket, outbox);
    });
  }

  forget(socket: ObjectSocket): void {
    this.#parts.timers.clear(this.#outboxes.get(socket)?.timer ?? null);
    this.#outboxes.delete(socket);
  }

  #flush(socket: ObjectSocket, outbox: Outbox): void {
    while (this.#outboxes.get(socket) === outbox) {
      if ((socket.bufferedBytes ?? 0) > limits.socketBufferBytesMax) {
        outbox.timer = this.#parts.timers.set(() => {
          outbox.timer = null;
          this.#flush(socket, outbox);
        }, pollMs);
        return;
      }
      const replies = takeFrame(outbox);
      if (outbox.replies.length === 0) this.#outboxes.delete(socket);
      this.send(socket, encodeReplies(replies));
    }
  }

  send(socket: ObjectSocket, frame: string): void {
    try {
      socket.send(frame);
    } catch {
      // The socket closed in between; its close event is on the way or already came.
      this.#parts.closed(socket);
    }
  }
}

function takeFrame(outbox: Outbox): LinkReply[] {
  let length = 0;
  let count = 0;
  for (const reply of outbox.replies) {
    const next = lengthOf(reply);
    if (count > 0 && length + next > limits.frameLengthMax) break;
    length += next;
    count += 1;
  }
  outbox.length -= length;
  return outbox.replies.splice(0, count);
}

function lengthOf(reply: LinkReply): number {
  if ("body" in reply) return headLength + (reply.body?.length ?? 0);
  // The value of a write: short, but for a transaction's results.
  return headLength + ("value" in reply ? JSON.stringify(reply.value).length : 0);
}
