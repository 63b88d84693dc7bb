// /v1/agent/* at the Worker's URL, for those who register without a host agent: the same local state as on a host, in
// a Durable Object. What it changes is in the catalog before the caller gets its answer; TTLs end by alarm.

import { DurableObject } from "cloudflare:workers";

import { seededRandom } from "../../src/core/lib/random.ts";
import { LocalAgentState } from "../../src/core/agent/local-state.ts";
import { LocalServices } from "../../src/core/agent/local-services.ts";
import {
  confirmStep,
  planFullSync,
  planPartialSync,
  type SyncStep,
} from "../../src/core/agent/sync-plan.ts";
import type { HealthCheck, Node, NodeService } from "../../src/core/model/types.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import { StubCluster } from "./cluster-stub.ts";
import { edgeCalls } from "./edge-calls.ts";
import { EdgeRows } from "./edge-rows.ts";
import type { Env } from "../platform/env.ts";
import { errorData } from "../link/links.ts";
import { DurableSql } from "../platform/sql.ts";
import { edgeNode, serverStub } from "../platform/topology.ts";

const fullSyncIntervalMs = 3_600_000;
const syncRetryMs = 15_000;
const outputBytesMax = 4_096;
const checkUpdateIntervalMs = 300_000;

export class EdgeAgent extends DurableObject<Env> {
  readonly #clock: AlarmClock;
  readonly #state: LocalAgentState;
  readonly #services: LocalServices;
  readonly #cluster: Cluster;
  #syncing: Promise<void> = Promise.resolve();
  /** The node is known to be a member. */
  #announced = false;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const nowMs = Date.now();
    const { name, id, address } = edgeNode(env, env.DEFAULT_DC);
    this.#clock = new AlarmClock(state.storage);
    this.#cluster = new StubCluster(env, name);
    this.#state = new LocalAgentState(
      { id, name, datacenter: env.DEFAULT_DC, address, taggedAddresses: {}, meta: {} },
      {
        checkUpdateIntervalMs,
        outputBytesMax,
        discardCheckOutput: false,
        // Nothing can run a program here.
        scripts: { fromFile: false, fromApi: false },
        sidecarPorts: { min: 21_000, max: 21_255 },
        random: seededRandom(nowMs),
      },
      nowMs,
    );
    this.#services = new LocalServices(this.#state, () => Date.now());
    // Watches the state from before it is filled, so that what it holds is what is stored.
    void new EdgeRows(new DurableSql(state.storage), this.#state);
    this.#state.rows.subscribe(() => this.#armTick());
    this.#clock.handle("tick", () => this.#tick());
    this.#clock.handle("sync", () => this.#sync("full"));
    void state.blockConcurrencyWhile(async () => {
      this.#clock.loaded(await state.storage.getAlarm());
      this.#armTick();
    });
  }

  /** One call of the LocalAgent port: `{ method, args }` in, `{ value }` or `{ error }` out. */
  override async fetch(request: Request): Promise<Response> {
    const { method, args } = await request.json<{ method: string; args: never }>();
    if (method === "announce") return await this.#answerAnnounce();
    const call = Object.hasOwn(edgeCalls, method) ? edgeCalls[method] : undefined;
    if (!call) return new Response("unknown call", { status: 404 });
    try {
      const value = call(this.#services, args) ?? null;
      // Answered when the catalog has it; if it cannot be reached now, the alarm tries again.
      await this.#sync("partial");
      return Response.json({ value });
    } catch (failure) {
      return Response.json({ error: errorData(failure) });
    }
  }

  /** Sessions without a node of their own are bound to this one, which must exist. */
  async #answerAnnounce(): Promise<Response> {
    try {
      await this.#announce();
      return Response.json({ value: true });
    } catch (failure) {
      return Response.json({ error: errorData(failure) });
    }
  }

  override async alarm(): Promise<void> {
    await this.#clock.fire(Date.now());
  }

  async #tick(): Promise<void> {
    this.#state.tick(Date.now());
    this.#armTick();
    await this.#sync("partial");
  }

  #armTick(): void {
    const deadlineMs = this.#state.nextDeadlineMs();
    if (deadlineMs !== null) this.#clock.set("tick", deadlineMs);
  }

  /** One sync at a time; failures are left to the alarm. */
  #sync(kind: "full" | "partial"): Promise<void> {
    this.#syncing = this.#syncing.then(() => this.#syncOnce(kind));
    return this.#syncing;
  }

  async #syncOnce(kind: "full" | "partial"): Promise<void> {
    try {
      const steps =
        kind === "full" || !this.#state.rows.nodeInSync
          ? await this.#planFull()
          : planPartialSync(this.#state);
      for (const step of steps) await this.#send(step);
      if (kind === "full" && this.#state.rows.services.size + this.#state.rows.checks.size > 0) {
        this.#clock.set("sync", Date.now() + fullSyncIntervalMs);
      }
    } catch (failure) {
      console.warn(`edge agent: sync failed: ${errorData(failure).message}`);
      this.#clock.set("sync", Date.now() + syncRetryMs);
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
    return planFullSync(this.#state, {
      node: view.Node,
      services: view.Services ?? [],
      checks: JSON.parse(checks.body ?? "[]") as HealthCheck[],
    });
  }

  /** Makes the node a member, with `serfHealth`, as a pool does for agents that have a host. */
  async #announce(): Promise<void> {
    if (this.#announced) return;
    const fact = { ...edgeNode(this.env, this.env.DEFAULT_DC), status: "alive" };
    const response = await serverStub(this.env, this.env.DEFAULT_DC, 0).fetch(
      "http://server/rpc/members",
      { method: "POST", body: JSON.stringify([fact]) },
    );
    if (!response.ok) throw new Error(await response.text());
    this.#announced = true;
  }

  async #send(step: SyncStep): Promise<void> {
    const options = { token: step.token };
    if (step.type === "catalog.register") {
      await this.#cluster.write({ type: step.type, registration: step.registration }, options);
    } else {
      await this.#cluster.write({ type: step.type, deregistration: step.deregistration }, options);
    }
    confirmStep(this.#state, step);
  }
}
