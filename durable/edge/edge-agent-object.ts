// /v1/agent/* at the Worker's URL, for those who register without a host agent: the same local state as on a host, in
// a Durable Object. What it changes is in the catalog before the caller gets its answer, unless the catalog cannot be
// reached soon: then an alarm brings it there. Reads wait for nothing. TTLs end by alarm.

import { seededRandom } from "../../src/core/lib/random.ts";
import { LeafCertificates } from "../../src/connect/leaf-certificates.ts";
import { LocalAgentState } from "../../src/core/agent/local-state.ts";
import type { PortRange } from "../../src/core/agent/sidecar.ts";
import { LocalServices } from "../../src/core/agent/local-services.ts";
import {
  confirmStep,
  planFullSync,
  planPartialSync,
  type SyncStep,
} from "../../src/core/agent/sync-plan.ts";
import type { HealthCheck, Node, NodeService } from "../../src/core/model/types.ts";
import type { Command } from "../../src/core/state/commands.ts";
import type { WriteOptions } from "../../src/ports/cluster.ts";
import type { TimerHandle } from "../../src/ports/timers.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import { fewAtOnce } from "../platform/few-at-once.ts";
import type { RegionResult } from "../checker/edge-check.ts";
import { StubCluster } from "./cluster-stub.ts";
import { EdgeChecks } from "./edge-checks.ts";
import { EdgeEvents, eventsSocket, eventsTag } from "./edge-events.ts";
import { edgeReads, edgeWrites, refuseTooLarge } from "./edge-calls.ts";
import { LeafRows } from "./edge-leaf-rows.ts";
import { EdgeLeases, isLease, leaseSocket } from "./edge-leases.ts";
import { EdgeRows } from "./edge-rows.ts";
import { askInTurn } from "../datacenters/in-turn.ts";
import {
  type Answer,
  type HostedObject,
  isSuccess,
  jsonAnswer,
  jsonOf,
  type ObjectSocket,
  type Platform,
  refusal,
  type SocketTerms,
  textOf,
} from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { errorData } from "../link/links.ts";
import {
  edgeAgentCount,
  edgeAgentObject,
  edgeAgentOf,
  edgeNode,
  parseEdgeAgentObjectName,
  serverCount,
  serverObject,
} from "../platform/topology.ts";

const announceTimeoutMs = 5_000;
const fullSyncIntervalMs = 3_600_000;
const syncRetryMs = 15_000;
/** How long whoever changes something waits for the catalog. */
const settleMs = 1_000;
/** How long a server is waited for before another one is told of the node, too. */
const announcePatienceMs = 2_500;
const outputBytesMax = 4_096;
const checkUpdateIntervalMs = 300_000;

type Lease = readonly [service: string, ttlMs: number];

export class EdgeAgentObject implements HostedObject {
  readonly #platform: Platform;
  readonly #settings: Settings;
  readonly #datacenter: string;
  /** Which of the datacenter's EdgeAgents this is. */
  readonly #shard: number;
  readonly #clock: AlarmClock;
  readonly #state: LocalAgentState;
  readonly #services: LocalServices;
  readonly #events: EdgeEvents;
  readonly #cluster: StubCluster;
  readonly #leaves: LeafCertificates;
  readonly #checks: EdgeChecks;
  readonly #leases: EdgeLeases;
  #syncing: Promise<void> = Promise.resolve();
  /** The sync after the one that runs. */
  #nextSync: Promise<void> | null = null;
  #fullSyncDue = false;
  /** The node is known to be a member. */
  #announced = false;

  constructor(platform: Platform, settings: Settings) {
    this.#platform = platform;
    this.#settings = settings;
    const { dc, n } = parseEdgeAgentObjectName(platform.objectName);
    this.#datacenter = dc;
    this.#shard = n;
    const nowMs = platform.nowMs();
    const { name, id, address } = edgeNode(platform.objects, dc);
    this.#clock = new AlarmClock(platform);
    this.#cluster = new StubCluster({ ...platform, settings }, name, dc);
    this.#leaves = new LeafCertificates({
      nowMs: () => platform.nowMs(),
      random: () => platform.random(),
      cluster: this.#cluster,
      store: new LeafRows(platform.sql),
      datacenter: dc,
    });
    this.#state = new LocalAgentState(
      { id, name, datacenter: dc, address, taggedAddresses: {}, meta: {} },
      {
        checkUpdateIntervalMs,
        outputBytesMax,
        discardCheckOutput: false,
        // Nothing can run a program here.
        scripts: { fromFile: false, fromApi: false },
        sidecarPorts: sidecarPortsOf(this.#shard, edgeAgentCount(settings, dc)),
        random: seededRandom(nowMs),
      },
      nowMs,
    );
    this.#services = new LocalServices(this.#state, () => platform.nowMs());
    this.#events = new EdgeEvents({
      sql: platform.sql,
      nodeName: name,
      sockets: () => platform.sockets.list(eventsTag),
    });
    this.#checks = new EdgeChecks({
      ...{ platform, settings, sql: platform.sql, state: this.#state },
      ...{ clock: this.#clock, shard: this.#shard },
    });
    this.#leases = new EdgeLeases({
      ...{ sql: platform.sql, sockets: platform.sockets, state: this.#state, clock: this.#clock },
      nowMs: () => platform.nowMs(),
      ended: () => platform.waitUntil(this.#sync()),
    });
    // Watches the state from before it is filled, so that what it holds is what is stored.
    void new EdgeRows(platform.sql, this.#state);
    this.#state.rows.subscribe(() => this.#armTick());
    this.#clock.handle("tick", () => this.#tick());
    this.#clock.handle("sync", () => {
      this.#fullSyncDue = true;
      return this.#sync();
    });
  }

  woke(armedAlarmMs: number | null): void {
    this.#clock.loaded(armedAlarmMs);
    this.#leases.resume();
    this.#platform.waitUntil(this.#checks.assign());
    this.#armTick();
  }

  /** One call of the LocalAgent port: `{ method, args }` in, `{ value }` or `{ error }` out. */
  async call(_path: string, body: Uint8Array): Promise<Answer> {
    const { method, args } = JSON.parse(textOf(body)) as { method: string; args: never };
    if (method === "announce") return await this.#answerAnnounce();
    if (method === "leaf") return await this.#answerLeaf(args);
    if (method === "hear") return await this.#hear(args[0]);
    if (method === "renewLease")
      return jsonAnswer({ value: this.#leases.renew(...(args as Lease)) });
    if (method === "checked") return await this.#checked(args);
    if (method === "events") return jsonAnswer({ value: this.#events.list() });
    const isWrite = Object.hasOwn(edgeWrites, method);
    const call = isWrite ? edgeWrites[method] : edgeReads[method];
    if (!call || !(isWrite || Object.hasOwn(edgeReads, method)))
      return refusal(404, "unknown call");
    try {
      if (isWrite) refuseTooLarge(body.length);
      const value = call(this.#services, args) ?? null;
      if (isWrite) {
        this.#platform.waitUntil(this.#checks.assign());
        await this.#settled();
      }
      return jsonAnswer({ value });
    } catch (failure) {
      return jsonAnswer({ error: errorData(failure) });
    }
  }

  /** A region's Checker has something to say. */
  async #checked([region, results]: [string, RegionResult[]]): Promise<Answer> {
    this.#checks.heard(region, results);
    await this.#settled();
    return jsonAnswer({ value: true });
  }

  /** When the catalog has what was changed here, or after a moment: then the sync goes on by itself. */
  async #settled(): Promise<void> {
    const { timers } = this.#platform;
    const syncing = this.#sync();
    this.#platform.waitUntil(syncing);
    let timer: TimerHandle = null;
    const enough = new Promise<void>((resolve) => {
      timer = timers.set(resolve, settleMs);
    });
    await Promise.race([syncing, enough]);
    timers.clear(timer);
  }

  /** Sessions without a node of their own are bound to this one, which must exist. */
  async #answerAnnounce(): Promise<Answer> {
    try {
      await this.#announce();
      return jsonAnswer({ value: true });
    } catch (failure) {
      return jsonAnswer({ error: errorData(failure) });
    }
  }

  async #answerLeaf([service, options]: [string, WriteOptions]): Promise<Answer> {
    try {
      return jsonAnswer({ value: await this.#leaves.current(service, options) });
    } catch (failure) {
      return jsonAnswer({ error: errorData(failure) });
    }
  }

  /** Pools have events; what they are for may be services of another of this node's objects. */
  async #hear(events: readonly unknown[]): Promise<Answer> {
    const { services } = this.#services.state.rows;
    const known = [...services.values()].map(({ service }) => service);
    const others = this.#events.needsServices(events) ? await this.#servicesElsewhere() : [];
    this.#events.hear(events, [...known, ...others]);
    return jsonAnswer({ value: true });
  }

  async #servicesElsewhere(): Promise<NodeService[]> {
    const dc = this.#datacenter;
    const others = Array.from({ length: edgeAgentCount(this.#settings, dc) }, (_, n) => n).slice(1);
    return (await fewAtOnce(others, (n) => this.#servicesAt(n))).flat();
  }

  /** Those who wait for an event, and those who hold a service. */
  connect(path: string, query: string): SocketTerms | Answer {
    if (path === leaseSocket) return this.#leases.connect(query);
    if (path !== eventsSocket) return refusal(404, "no such socket");
    return { tag: eventsTag, attachment: null };
  }

  opened(socket: ObjectSocket): void {
    if (isLease(socket)) this.#leases.opened(socket);
  }

  message(): void {}

  closed(socket: ObjectSocket): void {
    if (isLease(socket)) this.#leases.closed(socket);
  }

  async alarm(): Promise<void> {
    await this.#clock.fire(this.#platform.nowMs());
  }

  async #tick(): Promise<void> {
    this.#state.tick(this.#platform.nowMs());
    this.#armTick();
    await this.#sync();
  }

  #armTick(): void {
    const deadlineMs = this.#state.nextDeadlineMs();
    if (deadlineMs !== null) this.#clock.set("tick", deadlineMs);
  }

  /** One at a time, and whatever changes meanwhile shares the next. Failures are left to the alarm; never rejects. */
  #sync(): Promise<void> {
    this.#nextSync ??= this.#syncing.then(() => {
      this.#nextSync = null;
      this.#syncing = this.#syncOnce();
      return this.#syncing;
    });
    return this.#nextSync;
  }

  async #syncOnce(): Promise<void> {
    const full = this.#fullSyncDue || !this.#state.rows.nodeInSync;
    try {
      await this.#send(full ? await this.#planFull() : planPartialSync(this.#state));
      this.#fullSyncDue = false;
      if (full && this.#state.rows.services.size + this.#state.rows.checks.size > 0) {
        this.#clock.set("sync", this.#platform.nowMs() + fullSyncIntervalMs);
      }
    } catch (failure) {
      this.#platform.log("warn", `edge agent: sync failed: ${errorData(failure).message}`);
      this.#clock.set("sync", this.#platform.nowMs() + syncRetryMs);
    }
  }

  async #planFull(): Promise<SyncStep[]> {
    const nothing = this.#state.rows.services.size + this.#state.rows.checks.size === 0;
    if (nothing && this.#state.rows.removals.size === 0) return [];
    const args = { node: this.#state.node.name };
    const [held, checks] = await Promise.all([
      this.#cluster.read("catalog.node-services", args, {}),
      this.#cluster.read("health.node", args, {}),
    ]);
    const view = JSON.parse(held.body ?? "{}") as {
      Node: Node | null;
      Services: NodeService[] | null;
    };
    // Whoever wakes up finds its node where it left it.
    this.#announced ||= view.Node !== null;
    await this.#announce();
    const isOurs = await this.#ours((view.Services ?? []).map(({ ID }) => ID));
    const rows = JSON.parse(checks.body ?? "[]") as HealthCheck[];
    return planFullSync(this.#state, {
      node: view.Node,
      services: (view.Services ?? []).filter(({ ID }) => isOurs(ID)),
      checks: rows.filter(({ ServiceID }) => isOurs(ServiceID)),
    });
  }

  /**
   * Which services of the node are for this object to keep, or to remove: those that it has, and those that belong here
   * by their id, unless the first object has kept them since there were fewer. "" stands for the node.
   */
  async #ours(present: readonly string[]): Promise<(serviceId: string) => boolean> {
    const { services } = this.#state.rows;
    const count = edgeAgentCount(this.#settings, this.#datacenter);
    const belongs = (id: string): boolean =>
      (id === "" ? 0 : edgeAgentOf(id, count)) === this.#shard;
    const unknown = present.filter((id) => !services.has(id) && belongs(id));
    const elsewhere = new Set(this.#shard > 0 && unknown.length > 0 ? await this.#inFirst() : []);
    return (id) => services.has(id) || (belongs(id) && !elsewhere.has(id));
  }

  async #inFirst(): Promise<string[]> {
    return (await this.#servicesAt(0)).map(({ ID }) => ID);
  }

  async #servicesAt(shard: number): Promise<NodeService[]> {
    const object = edgeAgentObject(this.#datacenter, shard);
    const body = JSON.stringify({ method: "services", args: [] });
    const answer = await this.#platform.objects.call(object, "/call", body, announceTimeoutMs);
    return jsonOf<{ value: NodeService[] }>(answer).value;
  }

  /** Makes the node a member, with `serfHealth`, as a pool does for agents that have a host. */
  async #announce(): Promise<void> {
    if (this.#announced) return;
    const { objects } = this.#platform;
    const dc = this.#datacenter;
    const fact = { ...edgeNode(objects, dc), status: "alive" };
    const count = serverCount(this.#settings, dc);
    await askInTurn({
      timers: this.#platform.timers,
      servers: Array.from({ length: count }, (_, n) => n),
      patienceMs: announcePatienceMs,
      timeoutMs: announceTimeoutMs,
      ask: async (n) => {
        const body = JSON.stringify([fact]);
        const server = serverObject(dc, n);
        const answer = await objects.call(server, "/rpc/members", body, null);
        if (!isSuccess(answer)) throw new Error(textOf(answer.body));
      },
      isFinal: () => false,
      missed: () => undefined,
    });
    this.#announced = true;
  }

  /** All at once: none waits for the one before it. */
  async #send(steps: readonly SyncStep[]): Promise<void> {
    if (steps.length === 0) return;
    const outcomes = await this.#cluster.writeAll(
      steps.map((step) => ({ command: commandOf(step), token: step.token })),
    );
    for (const [at, step] of steps.entries()) {
      const refused = outcomes[at];
      // What is not permitted is tried again at the next full sync, as in Consul.
      if (!refused || refused.code === "permission-denied") confirmStep(this.#state, step);
    }
    const failed = outcomes.find((outcome) => outcome && outcome.code !== "permission-denied");
    if (failed) throw failed;
  }
}

/** Consul's range, of which each object of the node has a part. */
function sidecarPortsOf(shard: number, count: number): PortRange {
  const [first, ports] = [21_000, 256];
  const share = Math.floor(ports / count);
  return { min: first + shard * share, max: first + (shard + 1) * share - 1 };
}

function commandOf(step: SyncStep): Command {
  return step.type === "catalog.register"
    ? { type: step.type, registration: step.registration }
    : { type: step.type, deregistration: step.deregistration };
}
