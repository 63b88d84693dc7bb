// One agent of the simulated datacenter: the product's gossip client and state machine, on a machine that pauses, whose
// way to the pool may be cut, and that is killed or vanishes.

import { GossipClient, type Prober } from "../../../src/agent/link/gossip.ts";
import type { Reached } from "../../../src/core/gossip/swim/swim.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import type { GossipPeer } from "../../../src/link/pool-frames.ts";
import type { Timers } from "../../../src/ports/timers.ts";
import type { Mesh, MeshAgent } from "../../support/swim-mesh.ts";

const userEvents = { known: "", greeted: () => undefined, take: () => undefined };

export interface AgentWorld {
  mesh: Mesh;
  timers: Timers;
  /** A socket to the pool. */
  connect(pathAndQuery: string): Promise<LinkSocket>;
}

/** A socket on a way that may be cut: what is sent then is lost. */
class CutSocket implements LinkSocket {
  readonly #agent: Agent;
  readonly #inner: LinkSocket;
  readonly #closes: (() => void)[] = [];
  readonly accept: () => void;

  constructor(agent: Agent, inner: LinkSocket) {
    this.#agent = agent;
    this.#inner = inner;
    this.accept = () => inner.accept?.();
  }

  send(frame: string): void {
    if (!this.#agent.isCut) this.#inner.send(frame);
  }

  close(code: number, reason: string): void {
    if (!this.#agent.isCut) this.#inner.close(code, reason);
  }

  addEventListener(kind: string, listener: (event: never) => void): void {
    const heard = ((event: never) => {
      if (!this.#agent.isCut) this.#agent.happens(() => listener(event));
    }) as () => void;
    if (kind === "close") this.#closes.push(heard);
    this.#inner.addEventListener(kind as "close", heard);
  }

  /** Both ends see it close. */
  drop(): void {
    this.#inner.close(1006, "");
    for (const closed of this.#closes) closed();
  }
}

export class Agent {
  readonly world: AgentWorld;
  readonly mesh: MeshAgent;
  /** No way to the pool. */
  isCut = false;
  #client: GossipClient | null = null;
  #socket: CutSocket | null = null;
  readonly #asked = new Map<number, (reached: Reached) => void>();
  /** When it was last started; paused, or not to be reached; or without a way to the pool: in ms. */
  startedMs = 0;
  troubledMs = -Infinity;
  cutMs = -Infinity;

  constructor(world: AgentWorld, mesh: MeshAgent) {
    this.world = world;
    this.mesh = mesh;
    mesh.tells = ({ unreachable, reached }) => {
      if (unreachable.length > 0) this.#client?.report(unreachable);
      for (const each of reached) {
        this.#asked.get(each.id)?.(each);
        this.#asked.delete(each.id);
      }
    };
  }

  get name(): string {
    return this.mesh.name;
  }

  get isRunning(): boolean {
    return this.mesh.swim !== null;
  }

  start(): void {
    const { mesh } = this.world;
    this.startedMs = mesh.queue.now;
    this.isCut = false;
    mesh.start(this.mesh);
    const { life } = this.mesh;
    const { name, host: address } = this.mesh;
    const id = `00000000-0000-4000-8000-${name.slice(5).padStart(12, "0")}`;
    this.#client = new GossipClient({
      member: { name, id, address },
      timers: this.#timers(life),
      nowMs: () => mesh.queue.now,
      random: () => mesh.random.next(),
      events: userEvents,
      dial: (pathAndQuery) => this.#dial(pathAndQuery),
      prober: this.#prober(),
    });
    void this.#client.start();
  }

  /** The process ends; its host closes the socket, unless that is gone, too. */
  end({ isSilent }: { isSilent: boolean }): void {
    if (isSilent) this.isCut = true;
    else if (!this.isCut) this.#socket?.drop();
    this.world.mesh.crash(this.mesh);
    this.#client?.stop();
    this.#client = null;
  }

  pause(ms: number): void {
    this.world.mesh.pause(this.mesh, ms);
    this.troubledMs = this.world.mesh.queue.now + ms;
  }

  dropSocket(): void {
    if (!this.isCut) this.#socket?.drop();
  }

  /** Now, or when it goes on. */
  happens(run: () => void): void {
    if (this.mesh.isPaused) this.mesh.late.push(run);
    else run();
  }

  async #dial(pathAndQuery: string): Promise<LinkSocket> {
    if (this.isCut) throw new Error("no way to the pool");
    this.#socket = new CutSocket(this, await this.world.connect(pathAndQuery));
    return this.#socket;
  }

  #timers(life: number): Timers {
    const { timers } = this.world;
    return {
      set: (run, delayMs) => {
        const inTime = (): void => {
          if (this.mesh.life === life && this.isRunning) this.happens(run);
        };
        return timers.set(inTime, delayMs);
      },
      clear: (handle) => timers.clear(handle),
    };
  }

  #prober(): Prober {
    const { mesh } = this.world;
    const act = (what: Parameters<Mesh["act"]>[1]): void => mesh.act(this.mesh, what);
    return {
      port: 8301,
      introduce: (peers) => act((swim) => swim.introduce(peers, mesh.queue.now)),
      connected: (isConnected) => act((swim) => (swim.uneasy = !isConnected)),
      answer: () => Promise.resolve(null),
      reach: (peer: GossipPeer) =>
        new Promise((resolve) => {
          act((swim) => {
            const id = swim.reach(peer, mesh.queue.now);
            if (id === null) resolve(null);
            else this.#asked.set(id, resolve);
          });
        }),
    };
  }
}
