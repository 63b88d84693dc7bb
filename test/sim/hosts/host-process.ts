// A process, on a machine of its own, that hosts objects: the real host, with the machine's timers, disk and network.
// What objects it has, and how they reach others, is up to whoever extends it.

import type { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import type { Answer, ObjectAddress } from "../../../durable/platform/platform.ts";
import type { Random } from "../../../src/core/lib/random.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import { withTimeout } from "../../../src/ports/timers.ts";
import type { EventQueue } from "../event-queue.ts";
import { SimDisk } from "./disk.ts";
import type { Machine } from "./machine.ts";
import { Connection, type Wire } from "./wire.ts";

/** What processes see of the world that they are in. */
export interface HostScene {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly wire: Wire;
  diskLatencyMs(host: HostProcess): number;
  note(who: string, what: string): void;
}

export abstract class HostProcess {
  readonly machine: Machine;
  readonly disk: SimDisk;
  /** The server, or whatever it is that this process is for. */
  abstract readonly object: ObjectAddress;
  readonly #scene: HostScene;
  #host: ObjectHost | null = null;

  constructor(scene: HostScene, machine: Machine) {
    this.#scene = scene;
    this.machine = machine;
    this.disk = new SimDisk(scene.queue, () => scene.diskLatencyMs(this));
  }

  /** As its peers know it. */
  abstract get id(): string;
  abstract start(): void;
  protected abstract targetOf(path: string): ObjectAddress;

  get host(): ObjectHost | null {
    return this.#host;
  }

  protected started(host: ObjectHost): void {
    this.#host = host;
  }

  /** Memory is lost, and what was not durable yet. */
  crash(): void {
    this.end("crash");
  }

  /** The data directory is lost, too. */
  wipe(): void {
    this.end("crash and loss of its disk");
    this.disk.wipe();
  }

  /** What one object forgets when its platform takes its memory. */
  forget(address: ObjectAddress): void {
    this.#host?.forget(address);
  }

  close(): void {
    this.end("end");
    this.disk.close();
  }

  /** A request that has arrived. Rejects as a broken connection does. */
  async serve(path: string, body: Uint8Array | string): Promise<Answer> {
    const host = this.#host;
    if (!host) throw new Error("connection reset");
    return await host.handle(this.targetOf(path), path, body);
  }

  /** A process on another machine dials; resolves when the socket is open. */
  dial(from: Machine, pathAndQuery: string, timeoutMs: number): Promise<LinkSocket> {
    const opened = new Promise<LinkSocket>((resolve, reject) => {
      const { wire } = this.#scene;
      const [nearLife, life] = [from.life, this.machine.life];
      if (this.machine.isDown) {
        wire.carry(this.machine, from, nearLife, () => reject(new Error("connection refused")));
        return;
      }
      wire.carry(from, this.machine, life, () => {
        const connection = new Connection(wire, from, this.machine);
        const target = this.targetOf(pathAndQuery);
        const terms = this.#host?.open(target, pathAndQuery, connection.carrier(this.disk.gate));
        if (!terms || "status" in terms) return reject(new Error("refused"));
        connection.opened(terms);
        wire.carry(this.machine, from, nearLife, () => resolve(connection.client));
      });
    });
    return withTimeout(from.timers, opened, timeoutMs, () => new Error("timed out"));
  }

  protected end(why: string): void {
    if (this.machine.isDown) return;
    this.#scene.note(this.machine.name, why);
    this.disk.crash();
    this.machine.end();
    this.#host?.stop();
    this.#host = null;
    this.#scene.wire.sever(this.machine);
  }
}

/** One that asks: what it sends leaves through its gate. */
export interface Asker {
  readonly machine: Machine;
  gate(send: () => void): void;
}

/** A request to a process on another machine, and its answer. `broken`: what a
 * request that breaks there is answered, unless it throws. */
export function ask(
  wire: Wire,
  { machine: from, gate }: Asker,
  target: HostProcess | undefined,
  request: { path: string; body: Uint8Array | string; timeoutMs: number | null },
  broken: (failure: unknown) => Answer,
): Promise<Answer> {
  const { path, body, timeoutMs } = request;
  const fromLife = from.life;
  const answered = new Promise<Answer>((resolve, reject) => {
    if (!target) return reject(new Error("no route to host"));
    const to = target.machine;
    if (to.isDown) {
      wire.carry(to, from, fromLife, () => reject(new Error("connection refused")));
      return;
    }
    const reply = (tell: () => void): void =>
      target.disk.gate(() => wire.carry(to, from, fromLife, tell));
    const arrive = (): void => {
      const served = target.serve(path, body).catch(broken);
      served.then(
        (answer) => reply(() => resolve(answer)),
        (failure: Error) => reply(() => reject(failure)),
      );
    };
    gate(() => wire.carry(from, to, to.life, arrive));
  });
  if (timeoutMs === null) return answered;
  return withTimeout(from.timers, answered, timeoutMs, () => new Error("no answer in time"));
}
