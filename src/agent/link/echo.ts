// Datagrams between agents, only to measure how long they take. A ping names the node it is meant for and a number that
// nobody can guess; the pong repeats the number. Both carry a code over all of that, made with the gossip key where
// there is one; without one, only addresses are answered that nobody far away can have. A pong is never longer than its
// ping, so that nothing is gained by asking in somebody else's name.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { type BlockList, isIPv4, isIPv6 } from "node:net";

import { isNear } from "../config/addresses.ts";
import { networkList, within } from "../config/networks.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import { nodeTimers } from "../timers.ts";

const pingMark = Buffer.from("PCP1");
const pongMark = Buffer.from("PCO1");
const markBytes = 4;
const nonceBytes = 16;
const codeBytes = 32;
const nameAt = markBytes + nonceBytes + codeBytes;
const timeoutMs = 3_000;
/** Pings that wait for their pongs; an agent sends one at a time. */
const waitingMax = 16;

type EchoConfig = Pick<ResolvedAgentConfig, "nodeName" | "gossipKey" | "gossipNetworks">;

interface Waiting {
  startedMs: number;
  done(tookMs: number | null): void;
}

export class EchoPort {
  readonly #config: EchoConfig;
  readonly #networks: BlockList | null;
  readonly #waiting = new Map<string, Waiting>();
  #socket: Socket | null = null;
  #closed = false;

  constructor(config: EchoConfig) {
    this.#config = config;
    this.#networks = config.gossipNetworks && networkList(config.gossipNetworks);
  }

  /** Rejects when the port cannot be had. */
  async listen(host: string, port: number): Promise<void> {
    const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4" });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, host, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    if (this.#closed) return void socket.close();
    socket.on("error", () => undefined);
    socket.on("message", (message, from) => this.#received(message, from));
    this.#socket = socket;
  }

  /** Ms until the agent of `node` has answered; null when it does not, or this one cannot ask. */
  roundTripMs(node: string, host: string, port: number): Promise<number | null> {
    const socket = this.#socket;
    if (!socket || this.#waiting.size >= waitingMax) return Promise.resolve(null);
    const nonce = randomBytes(nonceBytes);
    const id = nonce.toString("hex");
    return new Promise((resolve) => {
      const done = (tookMs: number | null): void => {
        nodeTimers.clear(timer);
        this.#waiting.delete(id);
        resolve(tookMs);
      };
      const timer = nodeTimers.set(() => done(null), timeoutMs);
      this.#waiting.set(id, { startedMs: performance.now(), done });
      // A socket of both families writes addresses of the older one as if they were of the newer.
      const isOlder = socket.address().family === "IPv6" && isIPv4(host);
      const to = isOlder ? `::ffff:${host}` : host;
      socket.send(this.#datagram(pingMark, nonce, node), port, to, (failure) => {
        if (failure) done(null);
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
    this.#socket = null;
    for (const { done } of [...this.#waiting.values()]) done(null);
  }

  #datagram(mark: Buffer, nonce: Uint8Array, node: string): Buffer {
    // Only the ping needs a name: whoever gets the pong knows it by its number.
    const name = mark === pingMark ? Buffer.from(node) : Buffer.alloc(0);
    return Buffer.concat([mark, nonce, this.#code(mark, nonce, node), name]);
  }

  #code(mark: Buffer, nonce: Uint8Array, node: string): Buffer {
    const { gossipKey } = this.#config;
    return createHmac("sha256", gossipKey).update(mark).update(nonce).update(node).digest();
  }

  #received(message: Buffer, from: RemoteInfo): void {
    if (message.length < nameAt || !this.#trusts(from.address)) return;
    const mark = message.subarray(0, markBytes);
    const nonce = message.subarray(markBytes, markBytes + nonceBytes);
    const code = message.subarray(markBytes + nonceBytes, nameAt);
    const name = message.subarray(nameAt);
    if (mark.equals(pingMark)) this.#pinged({ nonce, code, name }, from);
    else if (mark.equals(pongMark) && name.length === 0) this.#ponged(nonce, code);
  }

  #pinged(
    ping: { nonce: Buffer; code: Buffer; name: Buffer },
    { address, port }: RemoteInfo,
  ): void {
    const { nodeName } = this.#config;
    if (!ping.name.equals(Buffer.from(nodeName))) return;
    if (!timingSafeEqual(ping.code, this.#code(pingMark, ping.nonce, nodeName))) return;
    this.#socket?.send(this.#datagram(pongMark, ping.nonce, ""), port, address, () => undefined);
  }

  #ponged(nonce: Buffer, code: Buffer): void {
    const waiting = this.#waiting.get(nonce.toString("hex"));
    if (!waiting || !timingSafeEqual(code, this.#code(pongMark, nonce, ""))) return;
    waiting.done(performance.now() - waiting.startedMs);
  }

  #trusts(address: string): boolean {
    if (this.#networks && !within(this.#networks, address)) return false;
    return this.#config.gossipKey !== "" || isNear(address);
  }
}
