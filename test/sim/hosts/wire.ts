// What lies between simulated machines: a network that delays, and may be cut between any two. What travels is TCP's:
// nothing is lost or reordered in a connection; while the way is cut it waits, and arrives when it is healed, unless
// an end has given up. A machine without a process refuses at once.

import type { Random } from "../../../src/core/lib/random.ts";
import { LocalClientSocket } from "../../../durable/platform/host/host-socket.ts";
import type { SocketInput } from "../../../durable/platform/host/object-host.ts";
import type { EventQueue } from "../event-queue.ts";
import type { Machine } from "./machine.ts";

export interface WireFaults {
  delayMinMs: number;
  delayMaxMs: number;
}

const retransmitMs = 200;
/** A kernel gives up on a connection that long after the last sign of life. */
const patienceMs = 60_000;

export class Wire {
  readonly queue: EventQueue;
  readonly #random: Random;
  readonly #faults: WireFaults;
  readonly #cuts = new Set<string>();
  readonly connections = new Set<Connection>();
  /** When a machine was last on either side of a cut; Infinity while it is. */
  readonly lastCutMs = new Map<Machine, number>();

  constructor(queue: EventQueue, random: Random, faults: WireFaults) {
    this.queue = queue;
    this.#random = random;
    this.#faults = faults;
  }

  cut(from: Machine, to: Machine): void {
    this.#cuts.add(`${from.name}>${to.name}`);
    for (const machine of [from, to]) this.lastCutMs.set(machine, Number.POSITIVE_INFINITY);
  }

  isCut(from: Machine, to: Machine): boolean {
    return this.#cuts.has(`${from.name}>${to.name}`);
  }

  heal(): void {
    this.#cuts.clear();
    for (const machine of this.lastCutMs.keys()) this.lastCutMs.set(machine, this.queue.now);
  }

  delayMs(): number {
    const { delayMinMs, delayMaxMs } = this.#faults;
    return delayMinMs + this.#random.next() * (delayMaxMs - delayMinMs);
  }

  /** Takes one message of one request or answer to a process, however long that takes. */
  carry(from: Machine, to: Machine, life: number, arrive: () => void): void {
    const giveUpMs = this.queue.now + patienceMs;
    const attempt = (): void => {
      if (!this.isCut(from, to)) return to.enter(life, arrive);
      if (this.queue.now < giveUpMs) this.queue.after(retransmitMs, attempt);
    };
    this.queue.after(this.delayMs(), attempt);
  }

  /** All connections of a process that has ended. */
  sever(machine: Machine): void {
    for (const connection of [...this.connections]) connection.endOf(machine);
  }
}

/** A WebSocket from `near` to `far`: an asking end here, an object's socket there. */
export class Connection {
  readonly client: LocalClientSocket;
  readonly #wire: Wire;
  readonly #near: Machine;
  readonly #far: Machine;
  readonly #nearLife: number;
  readonly #farLife: number;
  #input: SocketInput | null = null;
  readonly #lanes = { near: [] as (() => void)[], far: [] as (() => void)[] };
  readonly #busy = { near: false, far: false };

  constructor(wire: Wire, near: Machine, far: Machine) {
    this.#wire = wire;
    this.#near = near;
    this.#far = far;
    this.#nearLife = near.life;
    this.#farLife = far.life;
    wire.connections.add(this);
    this.client = new LocalClientSocket({
      received: (frame) => this.#send("far", () => this.#input?.received(frame)),
      lost: () => this.#send("far", () => this.#ended(() => this.#input?.lost())),
    });
  }

  /** The far end: `send` and `close` of its socket go through here. */
  carrier(gate: (run: () => void) => void): { send(frame: string): void; close(): void } {
    return {
      send: (frame) => gate(() => this.#send("near", () => this.client.received(frame))),
      close: () => gate(() => this.#send("near", () => this.#ended(() => this.client.lost()))),
    };
  }

  opened(input: SocketInput): void {
    this.#input = input;
  }

  /** A kernel whose process has ended tells the other end, when the way is open. */
  endOf(machine: Machine): void {
    if (machine === this.#near) {
      this.#send("far", () => this.#ended(() => this.#input?.lost()));
    } else if (machine === this.#far) {
      this.#send("near", () => this.#ended(() => this.client.lost()));
    }
  }

  #ended(tell: () => void): void {
    this.#wire.connections.delete(this);
    tell();
  }

  /** In order: what waits holds up what comes after it. */
  #send(to: "near" | "far", arrive: () => void): void {
    this.#lanes[to].push(arrive);
    if (!this.#busy[to]) this.#next(to, this.#wire.delayMs());
  }

  #next(to: "near" | "far", delayMs: number): void {
    this.#busy[to] = true;
    this.#wire.queue.after(delayMs, () => {
      const [from, target] = to === "far" ? [this.#near, this.#far] : [this.#far, this.#near];
      if (this.#wire.isCut(from, target)) return this.#next(to, retransmitMs);
      const arrivals = this.#lanes[to];
      this.#lanes[to] = [];
      this.#busy[to] = false;
      const life = to === "far" ? this.#farLife : this.#nearLife;
      for (const arrive of arrivals) target.enter(life, arrive);
    });
  }
}
