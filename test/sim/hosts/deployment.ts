// A deployment on simulated machines, as Cloudflare runs it: every object on a machine of its own, calls between them
// over the network, memory gone whenever an object has been idle for a while; and Workers, which ask objects.

import { EdgeAgentStub } from "../../../durable/edge/agent-stub.ts";
import { StubCluster } from "../../../durable/edge/cluster-stub.ts";
import { EdgeAgentObject } from "../../../durable/edge/edge-agent-object.ts";
import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { objectId } from "../../../durable/platform/node/stores.ts";
import {
  type Answer,
  type HostedObject,
  type ObjectAddress,
  type Objects,
  type Platform,
  noOperatorFiles,
  noOutside,
} from "../../../durable/platform/platform.ts";
import type { Settings } from "../../../durable/platform/settings.ts";
import { parseServerObjectName, serverIdentity } from "../../../durable/platform/topology.ts";
import { LanPoolObject } from "../../../durable/presence/lan-pool-object.ts";
import { ServerObject } from "../../../durable/server/server-object.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import { ask, type Asker, HostProcess, type HostScene } from "./host-process.ts";
import { HibernatingObject } from "./hibernating-object.ts";
import type { Machine } from "./machine.ts";

const dialTimeoutMs = 5_000;

export interface DeploymentScene extends HostScene {
  readonly settings: Settings;
  /** An object that is idle for so long is put to sleep. */
  readonly idleMs: number;
  /** Undefined for one that there is not. */
  objectAt(address: ObjectAddress): DeployedObject | undefined;
}

/** The objects of a deployment, as one of them or a Worker reaches them. */
function reach(scene: DeploymentScene, from: Asker): Objects {
  return {
    call: (to, path, body, timeoutMs) =>
      ask(scene.wire, from, scene.objectAt(to), { path, body, timeoutMs }, (failure) => {
        throw failure;
      }),
    post: () => Promise.reject(new Error("a deployment has no servers elsewhere")),
    dial: () => Promise.reject(new Error("there is no network")),
    connect: (to, pathAndQuery) => {
      const target = scene.objectAt(to);
      if (!target) return Promise.reject(new Error("no such object"));
      return target.dial(from.machine, pathAndQuery, dialTimeoutMs);
    },
    idOf,
  };
}

function idOf(address: ObjectAddress): string {
  return objectId("deployment", address);
}

/** A host of one object, which finds the others elsewhere. */
class SoleHost extends ObjectHost {
  readonly #others: Objects;
  readonly #own: string;

  constructor(
    own: ObjectAddress,
    others: Objects,
    services: ConstructorParameters<typeof ObjectHost>[0],
  ) {
    super(services);
    this.#own = own.name;
    this.#others = others;
  }

  override async call(...request: Parameters<Objects["call"]>): Promise<Answer> {
    const isOwn = request[0].name === this.#own;
    return await (isOwn ? super.call(...request) : this.#others.call(...request));
  }

  override async connect(to: ObjectAddress, pathAndQuery: string): Promise<LinkSocket> {
    const isOwn = to.name === this.#own;
    return await (isOwn ? super.connect(to, pathAndQuery) : this.#others.connect(to, pathAndQuery));
  }
}

export class DeployedObject extends HostProcess {
  readonly object: ObjectAddress;
  readonly #scene: DeploymentScene;
  /** How often it was put to sleep. */
  slept = 0;

  constructor(scene: DeploymentScene, machine: Machine, object: ObjectAddress) {
    super(scene, machine);
    this.#scene = scene;
    this.object = object;
  }

  get id(): string {
    if (this.object.kind !== "server") return idOf(this.object);
    const { dc, n } = parseServerObjectName(this.object.name);
    const objects = reach(this.#scene, this.#asker);
    return serverIdentity(this.#scene.settings, objects, dc, n).id;
  }

  /** The platform may run it from now on; what constructs it is a call, a socket or its alarm. */
  start(): void {
    this.machine.boot();
    const host = new SoleHost(this.object, reach(this.#scene, this.#asker), {
      timers: this.machine.timers,
      soon: queueMicrotask,
      nowMs: this.machine.nowMs,
      random: () => this.#scene.random.next(),
      openStore: (address) => this.disk.open(address),
      build: (_address, platform) => this.#build(platform),
      outside: noOutside,
      operatorFiles: noOperatorFiles,
      post: () => Promise.reject(new Error("a deployment has no servers elsewhere")),
      dial: () => Promise.reject(new Error("there is no network")),
      idOf,
      log: (level, line) => this.#scene.note(this.machine.name, `${level}: ${line}`),
    });
    this.started(host);
    host.resumeAlarms([this.object]);
  }

  /** The platform ends it and goes on elsewhere: memory and sockets are lost. */
  reset(): void {
    if (this.machine.isDown) return;
    this.end("reset");
    this.start();
  }

  protected targetOf(): ObjectAddress {
    return this.object;
  }

  get #asker(): Asker {
    return { machine: this.machine, gate: this.disk.gate };
  }

  #build(platform: Platform): HostedObject {
    return new HibernatingObject(platform, this.#scene.idleMs, {
      construct: (watched) => this.#construct(watched),
      sleep: () => {
        this.slept += 1;
        this.forget(this.object);
      },
    });
  }

  #construct(platform: Platform): HostedObject {
    const { settings } = this.#scene;
    if (this.object.kind === "server") return new ServerObject(platform, settings);
    if (this.object.kind === "lanPool") return new LanPoolObject(platform, settings);
    return new EdgeAgentObject(platform, settings);
  }
}

/** A Worker somewhere: what its clients ask, it asks the objects. It keeps nothing. */
export class WorkerProcess {
  readonly machine: Machine;
  readonly cluster: StubCluster;
  readonly agent: EdgeAgentStub;

  constructor(scene: DeploymentScene, machine: Machine) {
    this.machine = machine;
    machine.boot();
    const { timers, nowMs } = machine;
    const access = {
      ...{ timers, nowMs, random: () => scene.random.next(), settings: scene.settings },
      objects: reach(scene, { machine, gate: (send) => send() }),
    };
    this.cluster = new StubCluster(access, machine.name);
    this.agent = new EdgeAgentStub(access, this.cluster);
  }

  get asked(): StubCluster {
    return this.cluster;
  }
}
