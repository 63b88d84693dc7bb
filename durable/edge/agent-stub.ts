// The LocalAgent port as a Worker sees it: services and checks live in an EdgeAgent, members in the catalog, and what
// needs a host says so.

import { ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import type { HealthCheck, NodeService } from "../../src/core/model/types.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import type {
  AgentSelf,
  LocalAgent,
  MaintenanceRequest,
  Member,
  RegisterServiceOptions,
  ServiceHealth,
  ServiceWait,
} from "../../src/ports/local-agent.ts";
import { consulVersion, listMembers, memberOf, type MemberIdentity } from "../../src/members.ts";
import { jsonOf } from "../platform/platform.ts";
import { edgeAgentObject, edgeNode } from "../platform/topology.ts";
import type { ClusterAccess } from "./cluster-stub.ts";

const callTimeoutMs = 30_000;
const noHost = "this deployment has no host to do that on";

const noLog = "this deployment has no log to follow here: `wrangler tail` shows its invocations";

interface FoundService {
  service: NodeService;
  hash: string;
}

interface CallAnswer {
  value?: JsonValue;
  error?: { code: ServiceError["code"]; message: string };
}

export class EdgeAgentStub implements LocalAgent {
  readonly #access: ClusterAccess;
  readonly #cluster: Cluster;

  constructor(access: ClusterAccess, cluster: Cluster) {
    this.#access = access;
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
      Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 },
      Member: memberOf(this.#identity),
      Stats: {},
      Meta: {},
    });
  }

  members(): Promise<Member[]> {
    return listMembers(this.#cluster, this.#identity);
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

  logs(): never {
    // Every invocation of a Worker has a log of its own.
    throw new ServiceError("not-found", noLog);
  }

  async services(): Promise<NodeService[]> {
    return await this.#call("services");
  }

  /**
   * Waits at a server, not at the EdgeAgent, which would be awake for it: whatever changes there is in the catalog a
   * moment later.
   */
  async service(id: string, wait?: ServiceWait): Promise<FoundService | null> {
    if (!wait) return await this.#call("service", id);
    const { nowMs } = this.#access;
    const endMs = nowMs() + wait.waitMs;
    const node = { node: this.#identity.name };
    let { index } = await this.#cluster.read("catalog.node-services", node, {});
    for (;;) {
      const found = await this.#call<FoundService | null>("service", id);
      const leftMs = endMs - nowMs();
      const isOver = leftMs <= 0 || wait.signal?.aborted === true;
      if (found?.hash !== wait.hash || isOver) return found;
      const { signal } = wait;
      const options = { minIndex: index, waitMs: leftMs, ...(signal && { signal }) };
      ({ index } = await this.#cluster.read("catalog.node-services", node, options));
    }
  }

  async checks(): Promise<HealthCheck[]> {
    return await this.#call("checks");
  }

  async serviceHealth(id: string): Promise<ServiceHealth | null> {
    return await this.#call("serviceHealth", id);
  }

  async serviceHealthByName(name: string): Promise<ServiceHealth[]> {
    return await this.#call("serviceHealthByName", name);
  }

  async registerService(body: string, options: RegisterServiceOptions): Promise<void> {
    await this.#call("registerService", body, { ...options });
  }

  async deregisterService(id: string): Promise<void> {
    await this.#call("deregisterService", id);
  }

  async registerCheck(body: string, options: { token?: string }): Promise<void> {
    await this.#call("registerCheck", body, { ...options });
  }

  async deregisterCheck(id: string): Promise<void> {
    await this.#call("deregisterCheck", id);
  }

  async updateCheck(id: string, status: string, output: string): Promise<void> {
    await this.#call("updateCheck", id, status, output);
  }

  async serviceMaintenance(id: string, request: MaintenanceRequest): Promise<void> {
    await this.#call("serviceMaintenance", id, { ...request });
  }

  async nodeMaintenance(request: MaintenanceRequest): Promise<void> {
    await this.#call("nodeMaintenance", { ...request });
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

  async #call<Value>(method: string, ...args: JsonValue[]): Promise<Value> {
    const { objects, settings } = this.#access;
    const answer = await objects.call(
      edgeAgentObject(settings.DEFAULT_DC),
      "/call",
      JSON.stringify({ method, args }),
      callTimeoutMs,
    );
    const { value, error } = jsonOf<CallAnswer>(answer);
    if (error) throw new ServiceError(error.code, error.message);
    return value as Value;
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new ServiceError("invalid", noHost));
}
