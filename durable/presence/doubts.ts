// Members whose socket is open but has been silent for long, or whom another agent could not reach. Each is asked for a
// sign of life; who gives none is looked for by others; and only whom nobody reaches is gone (decision 22).

import { doubtAgainMs, doubtAnswerMs } from "../../src/core/gossip/liveness.ts";
import { encodePoolFrame } from "../../src/link/pool-frames.ts";
import type { ObjectSocket, Platform } from "../platform/platform.ts";
import { heardMs, memberOf } from "./pool-member.ts";
import type { Sign } from "./second-sign.ts";

export interface DoubtsParts {
  platform: Pick<Platform, "nowMs">;
  /** What others say of the member whose socket this is. */
  sign(socket: ObjectSocket): Promise<Sign>;
  /** The socket is silent, and nobody reaches its member. */
  gone(socket: ObjectSocket): void;
  /** Call {@link Doubts.check} then. */
  checkAt(atMs: number): void;
}

interface Doubt {
  sinceMs: number;
  dueMs: number;
}

export class Doubts {
  readonly #parts: DoubtsParts;
  readonly #doubts = new Map<ObjectSocket, Doubt>();

  constructor(parts: DoubtsParts) {
    this.#parts = parts;
  }

  doubt(socket: ObjectSocket): void {
    if (!this.#doubts.has(socket)) this.#ask(socket, doubtAnswerMs);
  }

  lost(socket: ObjectSocket): void {
    this.#doubts.delete(socket);
  }

  /** Never rejects. */
  async check(): Promise<void> {
    const nowMs = this.#parts.platform.nowMs();
    const due = [...this.#doubts].filter(([, { dueMs }]) => dueMs <= nowMs);
    await Promise.all(due.map(([socket, doubt]) => this.#check(socket, doubt)));
    const next = [...this.#doubts.values()].map(({ dueMs }) => dueMs);
    if (next.length > 0) this.#parts.checkAt(Math.min(...next));
  }

  async #check(socket: ObjectSocket, { sinceMs }: Doubt): Promise<void> {
    const isHeard = (): boolean => heardMs(socket) >= sinceMs;
    const sign = isHeard() ? "reached" : await this.#parts.sign(socket);
    // It may have closed while others were asked.
    if (!this.#doubts.delete(socket) || isHeard()) return;
    if (sign === "unreached") this.#parts.gone(socket);
    else this.#ask(socket, doubtAgainMs);
  }

  #ask(socket: ObjectSocket, answerMs: number): void {
    const sinceMs = this.#parts.platform.nowMs();
    const dueMs = sinceMs + answerMs;
    try {
      socket.send(encodePoolFrame({ doubt: true }));
    } catch {
      // Its close is on the way.
      return;
    }
    this.#doubts.set(socket, { sinceMs, dueMs });
    this.#parts.checkAt(dueMs);
  }
}

/** Who is asked about, from the socket that it has. */
export function askedAbout(socket: ObjectSocket): {
  name: string;
  address: string;
  port: number | null;
} {
  const { name, address, port } = memberOf(socket);
  return { name, address, port: port ?? null };
}
