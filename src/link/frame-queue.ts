// What is waiting to leave on a link, in frames of bounded size. A frame costs both ends far more than a request in it,
// so the next one waits until the last one was answered, but no longer than `gapMs`: alone, a request leaves at once;
// under load, frames grow, up to the bound, so that no burst makes one that the far end's runtime refuses.

import { limits } from "../core/model/limits.ts";
import type { TimerHandle, Timers } from "../ports/timers.ts";
import type { LinkRequest } from "./protocol.ts";

/** While this much waits in the socket, frames wait here. */
const bufferedBytesMax = 4_000_000;
const bufferPollMs = 5;

export interface FrameQueueParts {
  timers: Timers;
  /** Runs `flush` after the current burst of requests was queued. */
  schedule(flush: () => void): void;
  /** How long a frame waits at most for an answer to the one before it; 0: not at all. */
  gapMs: number;
  /** Bytes that the socket holds back; null: there is no socket. */
  bufferedBytes(): number | null;
  send(frame: string, ids: readonly number[]): void;
}

export class FrameQueue {
  readonly #parts: FrameQueueParts;
  #waiting: { id: number; text: string }[] = [];
  #flushScheduled = false;
  /** Runs while a frame is out that nothing was heard of yet. */
  #gapTimer: TimerHandle = null;

  constructor(parts: FrameQueueParts) {
    this.#parts = parts;
  }

  push(request: LinkRequest): void {
    this.#waiting.push({ id: request.id, text: JSON.stringify(request) });
    this.#scheduleFlush();
  }

  /** An answer came: the next frame may go. */
  answered(): void {
    if (this.#gapTimer === null) return;
    this.#parts.timers.clear(this.#gapTimer);
    this.#gapTimer = null;
    this.#scheduleFlush();
  }

  /** Forgets everything that has not left. */
  clear(): void {
    this.#waiting = [];
    this.#parts.timers.clear(this.#gapTimer);
    this.#gapTimer = null;
  }

  remove(id: number): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((waiting) => waiting.id !== id);
    return this.#waiting.length < before;
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#gapTimer !== null || this.#waiting.length === 0) return;
    this.#flushScheduled = true;
    this.#parts.schedule(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    const buffered = this.#parts.bufferedBytes();
    if (buffered === null || this.#waiting.length === 0) return;
    if (buffered > bufferedBytesMax) return this.#wait(bufferPollMs);
    const taken = this.#takeFrame();
    if (this.#parts.gapMs > 0) this.#wait(this.#parts.gapMs);
    this.#parts.send(
      `[${taken.map(({ text }) => text).join(",")}]`,
      taken.map(({ id }) => id),
    );
    this.#scheduleFlush();
  }

  #wait(delayMs: number): void {
    this.#gapTimer = this.#parts.timers.set(() => {
      this.#gapTimer = null;
      this.#scheduleFlush();
    }, delayMs);
  }

  #takeFrame(): { id: number; text: string }[] {
    let size = 0;
    let count = 0;
    for (const { text } of this.#waiting) {
      if (count > 0 && size + text.length > limits.frameLengthMax) break;
      size += text.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
