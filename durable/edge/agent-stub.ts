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
} from "../../src/ports/local-agent.ts";
import { consulVersion, listMembers, memberOf, type MemberIdentity } from "../../src/members.ts";
import { jsonOf } from "../platform/platform.ts";
import { edgeAgentObject, edgeNode } from "../platform/topology.ts";
import type { ClusterAccess } from "./cluster-stub.ts";

const callTimeoutMs = 30_000;
const noHost = "this deployment has no host to do that on";

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

  host(): Promise<JsonValue> {
    return refuse();
  }

  metrics(): Promise<JsonValue> {
    return refuse();
  }

  prometheusMetrics(): Promise<string | null> {
    return Promise.resolve(null);
  }

  async *logs(): AsyncIterable<string> {
    // Every invocation of a Worker has a log of its own; there is nothing to follow here.
  }

  async services(): Promise<NodeService[]> {
    return await this.#call("services");
  }

  async service(id: string): Promise<{ service: NodeService; hash: string } | null> {
    return await this.#call("service", id);
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
