// A process that hosts one server of the datacenter and a pool, as `agent -server` does: the real objects on the real
// host, with the machine's timers, disk and network.

import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import { heldPath } from "../../../durable/presence/pool-peers.ts";
import { ServerObject } from "../../../durable/server/server-object.ts";
import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { objectId } from "../../../durable/platform/node/stores.ts";
import {
  type Answer,
  type ObjectAddress,
  type Objects,
  refusal,
} from "../../../durable/platform/platform.ts";
import type { Settings } from "../../../durable/platform/settings.ts";
import { lanPoolObject, serverObject } from "../../../durable/platform/topology.ts";
import type { Random } from "../../../src/core/lib/random.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import { withTimeout } from "../../../src/ports/timers.ts";
import type { EventQueue } from "../event-queue.ts";
import { SimDisk } from "./disk.ts";
import type { Machine } from "./machine.ts";
import { Connection, type Wire } from "./wire.ts";

export const datacenter = "dc1";
export const serverPort = 8_300;
const restartMs = 1_000;

/** What processes see of the world that they are in. */
export interface Scene {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly wire: Wire;
  readonly servers: readonly ServerProcess[];
  /** Its bootstrap_expect. */
  expectationOf(server: ServerProcess): number;
  diskLatencyMs(server: ServerProcess): number;
  note(who: string, what: string): void;
}

export class ServerProcess {
  readonly machine: Machine;
  readonly disk: SimDisk;
  readonly #world: Scene;
  #id: string;
  #wiped = 0;
  #host: ObjectHost | null = null;

  constructor(world: Scene, machine: Machine, number: number) {
    this.#world = world;
    this.machine = machine;
    this.disk = new SimDisk(world.queue, () => world.diskLatencyMs(this));
    this.#id = idOf(number, 0);
  }

  get id(): string {
    return this.#id;
  }

  get host(): ObjectHost | null {
    return this.#host;
  }

  start(): void {
    this.machine.boot();
    const settings = this.#settings();
    const host = new ObjectHost({
      timers: this.machine.timers,
      soon: (run) => void this.machine.timers.set(run, 0),
      nowMs: this.machine.nowMs,
      random: () => this.#world.random.next(),
      openStore: (address) => this.disk.open(address),
      build: ({ kind }, platform) =>
        kind === "server"
          ? new ServerObject(platform, settings)
          : new LanPoolObject(platform, settings),
      post: (...request) => this.#post(...request),
      idOf: (address) => objectId("proconsul", address),
      log: (level, line) => this.#world.note(this.machine.name, `${level}: ${line}`),
    });
    this.#host = host;
    host.resumeAlarms([lanPoolObject(datacenter), serverObject(datacenter, 0)]);
    const others = this.#world.servers.map(({ machine }) => `${machine.address}:${serverPort}`);
    const { life } = this.machine;
    const joined = host.handle(serverObject(datacenter, 0), "/rpc/join", JSON.stringify(others));
    // A process whose storage cannot be used ends; its supervisor starts it again.
    joined.catch(() => {
      if (this.machine.life !== life) return;
      this.#end("could not start");
      this.#world.queue.after(restartMs, () => {
        if (this.machine.isDown) this.start();
      });
    });
  }

  /** Memory is lost, and what was not durable yet. */
  crash(): void {
    this.#end("crash");
  }

  /** The data directory is lost, too; the next start has another id. */
  wipe(): void {
    this.#end("crash and loss of its disk");
    this.disk.wipe();
    this.#wiped += 1;
    this.#id = idOf(this.#world.servers.indexOf(this), this.#wiped);
  }

  /** What one object forgets when its platform takes its memory. */
  forget(address: ObjectAddress): void {
    this.#host?.forget(address);
  }

  close(): void {
    this.#end("end");
    this.disk.close();
  }

  /** A request that has arrived. Rejects as a broken connection does. */
  async serve(path: string, body: Uint8Array | string): Promise<Answer> {
    const host = this.#host;
    if (!host) throw new Error("connection reset");
    const target = path === heldPath ? lanPoolObject(datacenter) : serverObject(datacenter, 0);
    return await host.handle(target, path, body);
  }

  /** An agent on another machine dials; resolves when the socket is open. */
  dial(from: Machine, pathAndQuery: string, timeoutMs: number): Promise<LinkSocket> {
    const opened = new Promise<LinkSocket>((resolve, reject) => {
      const { wire } = this.#world;
      const [nearLife, life] = [from.life, this.machine.life];
      if (this.machine.isDown) {
        wire.carry(this.machine, from, nearLife, () => reject(new Error("connection refused")));
        return;
      }
      wire.carry(from, this.machine, life, () => {
        const connection = new Connection(wire, from, this.machine);
        const target = pathAndQuery.startsWith("/gossip")
          ? lanPoolObject(datacenter)
          : serverObject(datacenter, 0);
        const terms = this.#host?.open(target, pathAndQuery, connection.carrier(this.disk.gate));
        if (!terms || "status" in terms) return reject(new Error("refused"));
        connection.opened(terms);
        wire.carry(this.machine, from, nearLife, () => resolve(connection.client));
      });
    });
    return withTimeout(from.timers, opened, timeoutMs, () => new Error("timed out"));
  }

  #end(why: string): void {
    if (this.machine.isDown) return;
    this.#world.note(this.machine.name, why);
    this.disk.crash();
    this.machine.end();
    this.#host?.stop();
    this.#host = null;
    this.#world.wire.sever(this.machine);
  }

  #settings(): Settings {
    const self = {
      id: this.#id,
      name: this.machine.name,
      address: `${this.machine.address}:${serverPort}`,
    };
    const timing = "lan" as const;
    const bootstrapExpect = this.#world.expectationOf(this);
    return {
      DEFAULT_DC: datacenter,
      DATACENTERS: { [datacenter]: { servers: 1 } },
      HOST: { servers: [self], bootstrapExpect, timing, startId: String(this.machine.life) },
    };
  }

  #post(...[url, , body, timeoutMs]: Parameters<Objects["post"]>): Promise<Answer> {
    const { hostname, pathname } = new URL(url);
    const from = this.machine;
    const fromLife = from.life;
    const target = this.#world.servers.find(({ machine }) => machine.address === hostname);
    const answered = new Promise<Answer>((resolve, reject) => {
      const { wire } = this.#world;
      if (!target) return reject(new Error("no route to host"));
      const to = target.machine;
      if (to.isDown) {
        wire.carry(to, from, fromLife, () => reject(new Error("connection refused")));
        return;
      }
      const reply = (tell: () => void): void =>
        target.disk.gate(() => wire.carry(to, from, fromLife, tell));
      const arrive = (): void => {
        target.serve(pathname, body).then(
          (answer) => reply(() => resolve(answer)),
          (failure: unknown) => reply(() => resolve(refusal(500, String(failure)))),
        );
      };
      this.disk.gate(() => wire.carry(from, to, to.life, arrive));
    });
    return withTimeout(from.timers, answered, timeoutMs, () => new Error("no answer in time"));
  }
}

function idOf(number: number, wiped: number): string {
  const tail = String(number * 100 + wiped).padStart(12, "0");
  return `00000000-0000-4000-8000-${tail}`;
}
