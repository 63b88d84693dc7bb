// What a pool asks its members over their sockets. Whoever does not answer in time has not answered.

import { encodePoolFrame, type PoolAnswer, type PoolQuestion } from "../../src/link/pool-frames.ts";
import type { Timers } from "../../src/ports/timers.ts";
import type { ObjectSocket } from "../platform/platform.ts";

interface Asked {
  waiting: Set<ObjectSocket>;
  answers: Map<ObjectSocket, PoolAnswer>;
  done(): void;
}

export class PoolQuestions {
  readonly #timers: Timers;
  readonly #asked = new Map<number, Asked>();
  #id = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** What those who answered said. Never rejects. */
  async ask(
    sockets: readonly ObjectSocket[],
    question: PoolQuestion,
    timeoutMs: number,
  ): Promise<Map<ObjectSocket, PoolAnswer>> {
    const id = ++this.#id;
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked: Asked = { waiting: new Set(), answers: new Map(), done: resolve };
    this.#asked.set(id, asked);
    for (const socket of sockets) {
      try {
        socket.send(encodePoolFrame({ ask: { id, question } }));
        asked.waiting.add(socket);
      } catch {
        // It has just closed: nobody answers there.
      }
    }
    if (asked.waiting.size === 0) resolve();
    const timer = this.#timers.set(resolve, timeoutMs);
    await promise;
    this.#timers.clear(timer);
    this.#asked.delete(id);
    return asked.answers;
  }

  /** An answer counts once, and only from whom was asked. */
  answered(socket: ObjectSocket, { id, value }: { id: number; value: PoolAnswer }): void {
    const asked = this.#asked.get(id);
    if (!asked?.waiting.delete(socket)) return;
    asked.answers.set(socket, value);
    if (asked.waiting.size === 0) asked.done();
  }

  /** The socket has closed, so that nobody waits for its answers. */
  lost(socket: ObjectSocket): void {
    for (const asked of this.#asked.values()) {
      if (asked.waiting.delete(socket) && asked.waiting.size === 0) asked.done();
    }
  }
}
