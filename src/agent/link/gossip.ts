// This agent as a member of its datacenter: a socket to a pool, whose auto-answered pings are the sign of life, and
// the word to say when leaving.

import { gossipPingIntervalMs } from "../../core/gossip/liveness.ts";
import { openSocket } from "./socket.ts";
import type { LinkSocket } from "../../link/client.ts";

const reconnectMinMs = 100;
const reconnectSpreadMs = 1_000;
const leaveTimeoutMs = 5_000;

export interface GossipMember {
  name: string;
  id: string;
  address: string;
}

export interface GossipParts {
  member: GossipMember;
  /** Where a pool can be reached, as `ws://host:port`; asked anew for each attempt. */
  poolUrl(): string;
  headers: Record<string, string>;
}

export class GossipClient {
  readonly #parts: GossipParts;
  #socket: LinkSocket | null = null;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: GossipParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const member = encodeURIComponent(JSON.stringify(this.#parts.member));
    const url = `${this.#parts.poolUrl()}/gossip?member=${member}`;
    try {
      const socket = await openSocket({ url, headers: this.#parts.headers }, gossipPingIntervalMs);
      if (this.#stopped) return socket.close(1000, "stopped");
      this.#socket = socket;
      socket.addEventListener("close", () => this.#lost());
      socket.accept?.();
    } catch {
      this.#lost();
    }
  }

  /** Tells the pool that this member leaves; resolves when it was heard, or after a few seconds. */
  async leave(): Promise<void> {
    const socket = this.#socket;
    if (!socket) return;
    const heard = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leaveTimeoutMs);
      socket.addEventListener("message", ({ data }) => {
        if (data !== "left") return;
        clearTimeout(timer);
        resolve();
      });
    });
    socket.send("leave");
    await heard;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#socket?.close(1000, "stopped");
  }

  #lost(): void {
    this.#socket = null;
    if (this.#stopped) return;
    const delayMs = reconnectMinMs + Math.random() * reconnectSpreadMs;
    this.#timer = setTimeout(() => void this.start(), delayMs);
  }
}
