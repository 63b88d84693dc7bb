// The LocalAgent port as a Worker sees it: services and checks live in an EdgeAgent, members in the catalog, and what
// needs a host says so.

import { decodeCheck, decodeService } from "../../src/core/agent/decode.ts";
import type { CheckDefinition } from "../../src/core/agent/definitions.ts";
import { aggregateStatus } from "../../src/core/agent/health.ts";
import { origin } from "../../src/core/model/coordinate.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import type { UserEvent } from "../../src/core/model/user-event.ts";
import type { HealthCheck, NodeService } from "../../src/core/model/types.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import type {
  AgentSelf,
  EventWait,
  HeardEvents,
  KeyCommand,
  Keyring,
  LocalAgent,
  MaintenanceRequest,
  Member,
  RegisterServiceOptions,
  ServiceHealth,
  ServiceWait,
} from "../../src/ports/local-agent.ts";
import {
  consulVersion,
  keyringOf,
  listMembers,
  listWanMembers,
  memberOf,
  type MemberIdentity,
  withoutKeys,
} from "../../src/members.ts";
import { withTimeout } from "../../src/ports/timers.ts";
import { edgeAgentObject, edgeNode } from "../platform/topology.ts";
import { eventsSocket } from "./edge-events.ts";
import { AgentShards } from "./agent-shards.ts";
import type { ClusterAccess } from "../datacenters/server-calls.ts";

const noHost = "this deployment has no host to do that on";

const aliasElsewhere =
  "An alias check here must stand for a service in the same object: use a host agent, or one object (`agents = 1`)";
const noLog = "this deployment has no log to follow here: `wrangler tail` shows its invocations";

interface FoundService {
  service: NodeService;
  hash: string;
}

export class EdgeAgentStub implements LocalAgent {
  readonly #access: ClusterAccess;
  readonly #cluster: Cluster;
  readonly #shards: AgentShards;

  constructor(access: ClusterAccess, cluster: Cluster) {
    this.#access = access;
    this.#shards = new AgentShards(access);
    this.#cluster = cluster;
  }

  get #identity(): MemberIdentity {
    const datacenter = this.#access.settings.DEFAULT_DC;
    const { name, id, address } = edgeNode(this.#access.objects, datacenter);
    const ports = { serfLanPort: 8_301, serfWanPort: 8_302, serverPort: null };
    return { name, id, address, datacenter, ...ports };
  }

  self(): Promise<AgentSelf> {
    const { name, id, datacenter } = this.#identity;
    return Promise.resolve({
      Config: {
        Datacenter: datacenter,
        NodeName: name,
        NodeID: id,
        Revision: "",
        Server: false,
        Version: consulVersion,
      },
      DebugConfig: {},
      Coord: origin,
      Member: memberOf(this.#identity),
      Stats: {},
      Meta: {},
    });
  }

  members({ wan = false, token }: { wan?: boolean; token?: string }): Promise<Member[]> {
    const list = wan ? listWanMembers : listMembers;
    return list(this.#cluster, this.#identity, token);
  }

  /** Of the machines that run this, nothing is known, not even which they are. */
  host(): Promise<JsonValue> {
    return Promise.resolve({
      Memory: null,
      CPU: null,
      Host: null,
      Disk: null,
      CollectionTime: this.#access.nowMs() * 1e6,
      Errors: [noHost],
    });
  }

  /** What the server that answers says of itself. Nothing is counted here: a Worker forgets between two requests. */
  async metrics(): Promise<JsonValue> {
    const { raft } = await this.#cluster.status({});
    const gauges = raft
      ? {
          "consul.raft.applied_index": raft.appliedIndex,
          "consul.raft.commit_index": raft.commitIndex,
          "consul.raft.last_index": raft.lastLogIndex,
          "consul.raft.peers": raft.configuration.length,
        }
      : {};
    const now = new Date(this.#access.nowMs()).toISOString();
    return {
      Timestamp: `${now.slice(0, 19).replace("T", " ")} +0000 UTC`,
      Gauges: Object.entries(gauges).map(([Name, Value]) => ({ Name, Value, Labels: {} })),
      Points: [],
      Counters: [],
      Samples: [],
    };
  }

  prometheusMetrics(): Promise<string | null> {
    return Promise.resolve(null);
  }

  async events(): Promise<HeardEvents> {
    const events = await this.#shards.call<UserEvent[]>(0, "events");
    return { events, newest: events.at(-1)?.ID ?? "" };
  }

  /** On a socket, which sleeps with the object that it waits for. */
  async eventsMoved({ newest, waitMs, signal }: EventWait): Promise<number> {
    const { objects, timers, nowMs, settings } = this.#access;
    const endMs = nowMs() + waitMs;
    const socket = await objects.connect(edgeAgentObject(settings.DEFAULT_DC), eventsSocket);
    const moved = new Promise<void>((resolve) => {
      const done = (): void => resolve();
      socket.addEventListener("message", done);
      socket.addEventListener("close", done);
      socket.addEventListener("error", done);
      signal.addEventListener("abort", done, { once: true });
    });
    socket.accept?.();
    try {
      // What came before the socket was open.
      if ((await this.events()).newest !== newest) return endMs - nowMs();
      const late = (): Error => new Error("nothing happened");
      await withTimeout(timers, moved, waitMs, late).catch(() => undefined);
      return signal.aborted ? 0 : endMs - nowMs();
    } finally {
      socket.close(1000, "no longer waiting");
    }
  }

  /** Agents of a deployment show a token, and no key. */
  async keyring(_access: "read" | "write", command: KeyCommand): Promise<Keyring> {
    const answer = withoutKeys(command);
    return keyringOf(await this.members({}), this.#identity.datacenter, () => answer);
  }

  logs(): never {
    // Every invocation of a Worker has a log of its own.
    throw new ServiceError("not-here", noLog);
  }

  async services(): Promise<NodeService[]> {
    return await this.#shards.all("services");
  }

  /**
   * Waits at a server, not at the EdgeAgent, which would be awake for it: whatever changes there is in the catalog a
   * moment later.
   */
  async service(id: string, wait?: ServiceWait): Promise<FoundService | null> {
    if (!wait) return await this.#service(id);
    const { nowMs } = this.#access;
    const endMs = nowMs() + wait.waitMs;
    const node = { node: this.#identity.name };
    let { index } = await this.#cluster.read("catalog.node-services", node, {});
    for (;;) {
      const found = await this.#service(id);
      const leftMs = endMs - nowMs();
      const isOver = leftMs <= 0 || wait.signal?.aborted === true;
      if (found?.hash !== wait.hash || isOver) return found;
      const { signal } = wait;
      const options = { minIndex: index, waitMs: leftMs, ...(signal && { signal }) };
      ({ index } = await this.#cluster.read("catalog.node-services", node, options));
    }
  }

  async #service(id: string): Promise<FoundService | null> {
    return await this.#shards.call(await this.#shards.ofService(id), "service", id);
  }

  async checks(): Promise<HealthCheck[]> {
    return await this.#shards.all("checks");
  }

  async serviceHealth(id: string): Promise<ServiceHealth | null> {
    const shard = await this.#shards.ofService(id);
    const health = await this.#shards.call<ServiceHealth | null>(shard, "serviceHealth", id);
    return health && shard > 0 ? withChecks(health, await this.#nodeChecks()) : health;
  }

  async serviceHealthByName(name: string): Promise<ServiceHealth[]> {
    const found = await this.#shards.all<ServiceHealth>("serviceHealthByName", name);
    if (this.#shards.count === 1 || found.length === 0) return found;
    const nodeChecks = await this.#nodeChecks();
    // The first shard has counted them already.
    return found.map((health) => withChecks(health, nodeChecks));
  }

  /** Checks of the node count for every service. */
  async #nodeChecks(): Promise<HealthCheck[]> {
    return await this.#shards.call(0, "nodeChecks");
  }

  async registerService(body: string, options: RegisterServiceOptions): Promise<void> {
    const shard = await this.#shardOfDefinition(() => {
      const { service, checks } = decodeService(body);
      return { serviceId: service.ID || service.Service, checks };
    });
    await this.#shards.call(shard, "registerService", body, { ...options });
  }

  async deregisterService(id: string): Promise<void> {
    await this.#shards.call(await this.#shards.ofService(id), "deregisterService", id);
  }

  async registerCheck(body: string, options: { token?: string }): Promise<void> {
    const shard = await this.#shardOfDefinition(() => {
      const check = decodeCheck(body);
      return { serviceId: check.serviceId, checks: [check] };
    });
    await this.#shards.call(shard, "registerCheck", body, { ...options });
  }

  /** What cannot be decoded goes to any of them, which says why. */
  async #shardOfDefinition(
    decode: () => { serviceId: string; checks: readonly CheckDefinition[] },
  ): Promise<number> {
    if (this.#shards.count === 1) return 0;
    let decoded: ReturnType<typeof decode>;
    try {
      decoded = decode();
    } catch (failure) {
      if (failure instanceof ServiceError) return 0;
      throw failure;
    }
    const { serviceId, checks } = decoded;
    const shard = serviceId === "" ? 0 : await this.#shards.ofService(serviceId);
    for (const { aliasService } of checks) {
      if (aliasService !== "" && (await this.#shards.ofService(aliasService)) !== shard) {
        throw new ServiceError("invalid", aliasElsewhere);
      }
    }
    return shard;
  }

  async deregisterCheck(id: string): Promise<void> {
    await this.#shards.call(await this.#shards.ofCheck(id), "deregisterCheck", id);
  }

  async updateCheck(id: string, status: string, output: string): Promise<void> {
    await this.#shards.callAtCheck(id, "updateCheck", id, status, output);
  }

  async serviceMaintenance(id: string, request: MaintenanceRequest): Promise<void> {
    const shard = await this.#shards.ofService(id);
    await this.#shards.call(shard, "serviceMaintenance", id, { ...request });
  }

  async nodeMaintenance(request: MaintenanceRequest): Promise<void> {
    await this.#shards.call(0, "nodeMaintenance", { ...request });
  }

  join(): Promise<void> {
    return refuse();
  }

  leave(): Promise<void> {
    return refuse();
  }

  forceLeave(): Promise<void> {
    return refuse();
  }

  reload(): Promise<void> {
    return refuse();
  }

  setToken(): Promise<void> {
    return Promise.reject(new ServiceError("acl-disabled", "ACL support disabled"));
  }
}

/** Each check once: a check that is among the health already is the same. */
function withChecks(health: ServiceHealth, more: readonly HealthCheck[]): ServiceHealth {
  const known = new Set(health.checks.map(({ CheckID }) => CheckID));
  const checks = [...health.checks, ...more.filter(({ CheckID }) => !known.has(CheckID))];
  return { ...health, checks, status: aggregateStatus(checks) };
}

function refuse(): Promise<never> {
  return Promise.reject(new ServiceError("invalid", noHost));
}
