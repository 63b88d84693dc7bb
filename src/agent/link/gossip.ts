// This agent as a member of its datacenter: a socket to a pool, whose auto-answered pings are the sign of life, and
// the word to say when leaving.

import { gossipPingIntervalMs } from "../../core/gossip/liveness.ts";
import type { UserEvents } from "../../core/gossip/user-events.ts";
import type { LinkSocket } from "../../link/client.ts";
import {
  type AgentFrame,
  decodePoolFrame,
  encodeAgentFrame,
  type GossipPeer,
  namesMax,
  type PoolFrame,
  type RelayedAnswer,
} from "../../link/pool-frames.ts";
import { Liveness } from "../../link/liveness.ts";
import {
  decodePoolEvents,
  decodePoolHello,
  linkPing,
  memberRefusedCode,
} from "../../link/protocol.ts";
import { type TimerHandle, type Timers, withTimeout } from "../../ports/timers.ts";

const reconnectMinMs = 100;
/** Until a pool has told better. */
const reconnectSpreadMs = 1_000;
const leaveTimeoutMs = 5_000;
/** Longer than pools wait for each other. */
const relayTimeoutMs = 8_000;
/** A pool that does not answer a ping is left for another one before it is our silence that counts. */
const pingTiming = {
  quietMs: gossipPingIntervalMs,
  idlePingMs: gossipPingIntervalMs,
  answerMs: 3_000,
};

export interface GossipMember {
  name: string;
  id: string;
  address: string;
}

/** How this agent speaks to others by itself. */
export interface Prober {
  /** Where it listens for datagrams; null: nowhere, and then it is not asked anything. */
  readonly port: number | null;
  introduce(peers: readonly GossipPeer[]): void;
  /** Null when that cannot be found out now. */
  reach(peer: GossipPeer): Promise<{ isReached: boolean } | null>;
  /** What this agent answers when another one asks all of them; null for nothing. */
  answer(relayed: string): Promise<string | null>;
  /** Whether there is a socket to a pool. */
  connected(isConnected: boolean): void;
}

export interface GossipParts {
  member: GossipMember;
  timers: Timers;
  nowMs(): number;
  random(): number;
  /** Opens a socket to a pool at `pathAndQuery`; asked anew for each attempt. */
  dial(pathAndQuery: string): Promise<LinkSocket>;
  /** Where user events go, and what is known of them. */
  events: Pick<UserEvents, "known" | "greeted" | "take">;
  /** The pool does not take this member in. */
  refused?(reason: string): void;
  /** Absent where agents do not speak to each other. */
  prober?: Prober;
}

export class GossipClient {
  readonly #parts: GossipParts;
  #socket: LinkSocket | null = null;
  #liveness: Liveness | null = null;
  #stopped = false;
  #reconnectSpreadMs = reconnectSpreadMs;
  #timer: TimerHandle = null;
  readonly #relays = new Map<number, (answers: RelayedAnswer[]) => void>();
  #relayId = 0;

  constructor(parts: GossipParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    // As a URL holds it, because what is dialled may be signed.
    const port = this.#parts.prober?.port ?? null;
    const told = { ...this.#parts.member, ...(port !== null && { port }) };
    const member = encodeURIComponent(JSON.stringify(told)).replaceAll("'", "%27");
    try {
      const { known } = this.#parts.events;
      const more = known === "" ? "" : `&known=${known}`;
      const socket = await this.#parts.dial(`/gossip?member=${member}${more}`);
      if (this.#stopped) return socket.close(1000, "stopped");
      this.#opened(socket);
    } catch {
      this.#retryLater();
    }
  }

  /** Tells the pool that this member leaves; resolves when it was heard, or after a few seconds. */
  async leave(): Promise<void> {
    const socket = this.#socket;
    if (!socket) return;
    const heard = new Promise<void>((resolve) => {
      socket.addEventListener("message", ({ data }) => {
        if (data === "left") resolve();
      });
    });
    try {
      socket.send("leave");
    } catch {
      return;
    }
    const late = (): Error => new Error("the pool did not answer");
    await withTimeout(this.#parts.timers, heard, leaveTimeoutMs, late).catch(() => undefined);
  }

  /** Tells the pool of members that do not answer; without a socket nobody is told. */
  report(names: readonly string[]): void {
    this.#say({ unreachable: names.slice(0, namesMax) });
  }

  /** A server has gone silent on the link: this socket may lead to the same one, and its next ping is far away. */
  doubt(): void {
    this.#liveness?.doubt();
  }

  stop(): void {
    this.#stopped = true;
    this.#parts.timers.clear(this.#timer);
    this.#liveness?.stop();
    this.#socket?.close(1000, "stopped");
  }

  #opened(socket: LinkSocket): void {
    const { timers, nowMs } = this.#parts;
    this.#socket = socket;
    this.#connected(true);
    socket.addEventListener("message", ({ data }) => {
      this.#liveness?.heard();
      this.#heard(data);
    });
    // Where the close has a code, as on every host, the event tells it.
    socket.addEventListener("close", (event?: { code: number; reason: string }) => {
      if (event?.code === memberRefusedCode) this.#parts.refused?.(event.reason);
      this.#lost(socket);
    });
    socket.addEventListener("error", () => this.#lost(socket));
    this.#liveness = new Liveness({
      timers,
      nowMs,
      timing: pingTiming,
      owed: () => false,
      ping: () => socket.send(linkPing),
      dead: () => {
        this.#lost(socket);
        socket.close(1000, "no sign of life");
      },
    });
    socket.accept?.();
    try {
      // The first sign of life: a pool counts from it.
      socket.send(linkPing);
    } catch {
      this.#lost(socket);
    }
  }

  #heard(frame: unknown): void {
    const { events } = this.#parts;
    const hello = decodePoolHello(frame);
    if (hello) {
      this.#reconnectSpreadMs = hello.reconnectSpreadMs;
      events.greeted(hello.clock);
    }
    const heard = decodePoolEvents(frame);
    if (heard) events.take(heard);
    const told = decodePoolFrame(frame);
    if (told) this.#told(told);
  }

  #told(frame: PoolFrame): void {
    const { prober } = this.#parts;
    if ("peers" in frame) return prober?.introduce(frame.peers);
    if ("doubt" in frame) return this.#send(linkPing);
    if ("relayed" in frame) return this.#relays.get(frame.relayed.id)?.(frame.relayed.answers);
    const { id, question } = frame.ask;
    const answer =
      "reach" in question
        ? prober?.reach(question.reach).then((reached) => reached?.isReached ?? null)
        : prober?.answer(question.relayed);
    void answer?.then((value) => {
      if (value !== null) this.#say({ answer: { id, value } });
    });
  }

  /** What all members answer to `text`. Rejects without a socket, and when the pool says nothing. */
  async relay(text: string): Promise<RelayedAnswer[]> {
    if (!this.#socket) throw new Error("there is no socket to a pool");
    const id = ++this.#relayId;
    const told = new Promise<RelayedAnswer[]>((resolve) => this.#relays.set(id, resolve));
    this.#say({ relay: { id, text } });
    const late = (): Error => new Error("the pool did not answer");
    try {
      return await withTimeout(this.#parts.timers, told, relayTimeoutMs, late);
    } finally {
      this.#relays.delete(id);
    }
  }

  #say(frame: AgentFrame): void {
    this.#send(encodeAgentFrame(frame));
  }

  /** What cannot be sent any more is not missed: the socket's end is on the way. */
  #send(frame: string): void {
    try {
      this.#socket?.send(frame);
    } catch {
      this.#liveness?.doubt();
    }
  }

  #lost(socket: LinkSocket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#connected(false);
    this.#liveness?.stop();
    this.#liveness = null;
    this.#retryLater();
  }

  #connected(isConnected: boolean): void {
    this.#parts.prober?.connected(isConnected);
  }

  #retryLater(): void {
    if (this.#stopped) return;
    const delayMs = reconnectMinMs + this.#parts.random() * this.#reconnectSpreadMs;
    this.#timer = this.#parts.timers.set(() => void this.start(), delayMs);
  }
}
