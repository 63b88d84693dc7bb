// What one agent asks of all: every member of this pool is asked, and every other pool asks its own.

import { encodePoolFrame, type RelayedAnswer } from "../../src/link/pool-frames.ts";
import type { ObjectSocket } from "../platform/platform.ts";
import { nameOf } from "./pool-member.ts";
import type { PoolPeers } from "./pool-peers.ts";
import type { PoolQuestions } from "./pool-questions.ts";

const answerTimeoutMs = 4_000;
/** Each is as many frames as there are members. */
const atOnceMax = 4;

export interface RelaysParts {
  questions: PoolQuestions;
  peers: Pick<PoolPeers, "relay">;
  /** Sockets of members. */
  members(): ObjectSocket[];
}

export class Relays {
  readonly #parts: RelaysParts;
  #running = 0;

  constructor(parts: RelaysParts) {
    this.#parts = parts;
  }

  /** Everybody is asked, and the asker is told what they said. Never rejects. */
  async start(asker: ObjectSocket, { id, text }: { id: number; text: string }): Promise<void> {
    const isRefused = this.#running >= atOnceMax;
    this.#running += 1;
    const [own, others] = isRefused
      ? [[], []]
      : await Promise.all([this.ask(text), this.#parts.peers.relay(text)]);
    this.#running -= 1;
    try {
      asker.send(encodePoolFrame({ relayed: { id, answers: [...own, ...others] } }));
    } catch {
      // It has gone: nobody wants to know any more.
    }
  }

  /** What the members of this pool say. Never rejects. */
  async ask(text: string): Promise<RelayedAnswer[]> {
    const sockets = this.#parts.members();
    const answers = await this.#parts.questions.ask(sockets, { relayed: text }, answerTimeoutMs);
    return sockets.map((socket) => {
      const answer = answers.get(socket);
      return [nameOf(socket), typeof answer === "string" ? answer : null];
    });
  }
}
