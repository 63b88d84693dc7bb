// The second sign of a member's death (decision 22): three others, chosen at random, are asked whether they can reach
// it.

import {
  isDoubtful,
  reachAgainMaxMs,
  reachAnswerMs,
  reachAskers,
} from "../../src/core/gossip/liveness.ts";
import { encodePoolFrame, type GossipPeer, peersMax } from "../../src/link/pool-frames.ts";
import type { ObjectSocket, Platform } from "../platform/platform.ts";
import { heardMs, memberOf } from "./pool-member.ts";
import type { PoolQuestions } from "./pool-questions.ts";

/** `unknown`: nobody could be asked, or nobody has answered; then the socket's sign stands alone. */
export type Sign = "reached" | "unreached" | "unknown";

export class SecondSign {
  readonly #platform: Pick<Platform, "sockets" | "nowMs" | "random">;
  readonly #questions: PoolQuestions;
  /** Members without a socket whom others could reach, and how long the next verdict waits. */
  readonly #waits = new Map<string, number>();

  constructor(platform: Pick<Platform, "sockets" | "nowMs" | "random">, questions: PoolQuestions) {
    this.#platform = platform;
    this.#questions = questions;
  }

  /** Never rejects. */
  async of({
    name,
    address,
    port,
  }: {
    name: string;
    address: string;
    port: number | null;
  }): Promise<Sign> {
    if (port === null) return "unknown";
    const askers = this.#some(reachAskers, (socket) => {
      const isWell = !isDoubtful(heardMs(socket), this.#platform.nowMs());
      return isWell && memberOf(socket).name !== name;
    });
    if (askers.length === 0) return "unknown";
    const question = { reach: { name, host: address, port } };
    const told = await this.#questions.ask(askers, question, reachAnswerMs);
    const answers = [...told.values()];
    if (answers.includes(true)) return "reached";
    return answers.length > 0 ? "unreached" : "unknown";
  }

  /** It was reached: how long until it is asked about again, longer each time. */
  nextWaitMs(name: string, firstMs: number): number {
    const waitMs = Math.min(this.#waits.get(name) ?? firstMs, reachAgainMaxMs);
    this.#waits.set(name, waitMs * 2);
    return waitMs;
  }

  forget(name: string): void {
    this.#waits.delete(name);
  }

  /** Tells a member that listens for datagrams of some others that do. */
  introduce(socket: ObjectSocket): void {
    const { name: own, port: ownPort } = memberOf(socket);
    if (ownPort === undefined) return;
    const others = this.#some(peersMax, (other) => memberOf(other).name !== own);
    const peers = others.flatMap((other): GossipPeer[] => {
      const { name, address: host, port } = memberOf(other);
      return port === undefined ? [] : [{ name, host, port }];
    });
    if (peers.length > 0) socket.send(encodePoolFrame({ peers }));
  }

  /** At most `count` sockets of members that listen for datagrams, at random. */
  #some(count: number, accept: (socket: ObjectSocket) => boolean): ObjectSocket[] {
    const left = [...this.#platform.sockets.list()];
    const chosen: ObjectSocket[] = [];
    while (chosen.length < count) {
      const last = left.pop();
      if (!last) break;
      const at = Math.floor(this.#platform.random() * (left.length + 1));
      const socket = left[at] ?? last;
      if (at < left.length) left[at] = last;
      const { port, heldBy, left: hasLeft } = memberOf(socket);
      const isMember = port !== undefined && heldBy === null && hasLeft !== true;
      if (isMember && accept(socket)) chosen.push(socket);
    }
    return chosen;
  }
}
