// A process that hosts one server of the datacenter and a pool, as `agent -server` does: the real objects on the real
// host, with the machine's timers, disk and network.

import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import { isForPool } from "../../../durable/presence/pool-peers.ts";
import { ServerObject } from "../../../durable/server/server-object.ts";
import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { objectId } from "../../../durable/platform/node/stores.ts";
import {
  type Answer,
  type ObjectAddress,
  type Objects,
  refusal,
  noOperatorFiles,
  noOutside,
} from "../../../durable/platform/platform.ts";
import type { Settings } from "../../../durable/platform/settings.ts";
import { lanPoolObject, serverObject } from "../../../durable/platform/topology.ts";
import type { AutopilotConfig } from "../../../src/core/model/autopilot.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import type { SyncPace } from "../../../src/core/agent/sync-interval.ts";
import type { LivenessTiming } from "../../../src/link/liveness.ts";
import { ask, HostProcess, type HostScene } from "./host-process.ts";
import type { Machine } from "./machine.ts";

export const datacenter = "dc1";
export const serverPort = 8_300;
const restartMs = 1_000;

/** What server processes and agents see of the world that they are in. */
export interface Scene extends HostScene {
  readonly servers: readonly HostProcess[];
  /** Where an agent finds its servers, as -retry-join names them. */
  readonly joinUrl: string;
  readonly linkLiveness: LivenessTiming;
  readonly syncPace: SyncPace;
  readonly autopilot: AutopilotConfig;
  /** Its bootstrap_expect. */
  expectationOf(server: ServerProcess): number;
  /** Opens a socket to whoever has that URL. */
  dial(from: Machine, url: string, pathAndQuery: string, timeoutMs: number): Promise<LinkSocket>;
}

export class ServerProcess extends HostProcess {
  readonly object = serverObject(datacenter, 0);
  readonly #world: Scene;
  #id: string;
  #wiped = 0;

  constructor(world: Scene, machine: Machine, number: number) {
    super(world, machine);
    this.#world = world;
    this.#id = idOf(number, 0);
  }

  get id(): string {
    return this.#id;
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
      outside: noOutside,
      operatorFiles: noOperatorFiles,
      post: (...request) => this.#post(...request),
      dial: () => Promise.reject(new Error("there is one datacenter")),
      idOf: (address) => objectId("proconsul", address),
      log: (level, line) => this.#world.note(this.machine.name, `${level}: ${line}`),
    });
    this.started(host);
    host.resumeAlarms([lanPoolObject(datacenter), this.object]);
    const others = this.#world.servers.map(({ machine }) => `${machine.address}:${serverPort}`);
    const { life } = this.machine;
    const joined = host.handle(this.object, "/rpc/join", JSON.stringify(others));
    // A process whose storage cannot be used ends; its supervisor starts it again.
    joined.catch(() => {
      if (this.machine.life !== life) return;
      this.end("could not start");
      this.#world.queue.after(restartMs, () => {
        if (this.machine.isDown) this.start();
      });
    });
  }

  /** The next start has another id. */
  override wipe(): void {
    super.wipe();
    this.#wiped += 1;
    this.#id = idOf(this.#world.servers.indexOf(this), this.#wiped);
  }

  protected targetOf(path: string): ObjectAddress {
    const isPool = isForPool(path) || path.startsWith("/gossip");
    return isPool ? lanPoolObject(datacenter) : this.object;
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
      AUTOPILOT: this.#world.autopilot,
      HOST: { servers: [self], bootstrapExpect, timing, startId: String(this.machine.life) },
    };
  }

  #post(...[url, , body, timeoutMs]: Parameters<Objects["post"]>): Promise<Answer> {
    const { hostname, pathname } = new URL(url);
    const target = this.#world.servers.find(({ machine }) => machine.address === hostname);
    const from = { machine: this.machine, gate: this.disk.gate };
    const request = { path: pathname, body, timeoutMs };
    return ask(this.#world.wire, from, target, request, (failure) => refusal(500, String(failure)));
  }
}

function idOf(number: number, wiped: number): string {
  const tail = String(number * 100 + wiped).padStart(12, "0");
  return `00000000-0000-4000-8000-${tail}`;
}
