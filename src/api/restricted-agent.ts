// The agent as one token may use it: every call is held against the token's rules, and lists show what it may see
// (semantics §11.3). Only where ACLs are on; what is unknown is refused there, too, which Consul does not do without.

import type { Access, Authorizer, Resource } from "../core/acl/access.ts";
import { decodeCheck, decodeService } from "../core/agent/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import type { JsonValue } from "../core/model/json.ts";
import type { HealthCheck, NodeService } from "../core/model/types.ts";
import type {
  AgentSelf,
  EventWait,
  HeardEvents,
  KeyCommand,
  Keyring,
  LocalAgent,
  LogRequest,
  MaintenanceRequest,
  Member,
  RegisterServiceOptions,
  ServiceHealth,
  ServiceWait,
} from "../ports/local-agent.ts";

export class RestrictedAgent implements LocalAgent {
  readonly #agent: LocalAgent;
  readonly #authorizer: Authorizer;
  readonly #node: string;

  /** `node` is the agent's own. */
  constructor(agent: LocalAgent, authorizer: Authorizer, node: string) {
    this.#agent = agent;
    this.#authorizer = authorizer;
    this.#node = node;
  }

  async self(): Promise<AgentSelf> {
    this.#require("agent", this.#node, "read");
    return await this.#agent.self();
  }

  /** The servers leave out the nodes that the token may not see. */
  async members(options: { wan: boolean; token?: string }): Promise<Member[]> {
    const members = await this.#agent.members(options);
    return members.filter(({ Name: name }) =>
      this.#may("node", options.wan ? name.slice(0, name.lastIndexOf(".")) : name, "read"),
    );
  }

  async host(): Promise<JsonValue> {
    this.#require("operator", "", "read");
    return await this.#agent.host();
  }

  async metrics(): Promise<JsonValue> {
    this.#require("agent", this.#node, "read");
    return await this.#agent.metrics();
  }

  async prometheusMetrics(): Promise<string | null> {
    this.#require("agent", this.#node, "read");
    return await this.#agent.prometheusMetrics();
  }

  async events(): Promise<HeardEvents> {
    const { events, newest } = await this.#agent.events();
    return { events: events.filter(({ Name }) => this.#may("event", Name, "read")), newest };
  }

  async eventsMoved(wait: EventWait): Promise<number> {
    return await this.#agent.eventsMoved(wait);
  }

  async keyring(access: "read" | "write", command: KeyCommand): Promise<Keyring> {
    // The only refusals that Consul does not answer with 403.
    if (!this.#may("keyring", "", access)) {
      const text =
        access === "read"
          ? "Reading keyring denied by ACLs"
          : "Modifying keyring denied due to ACLs";
      throw new ServiceError("invalid", text);
    }
    return await this.#agent.keyring(access, command);
  }

  logs(request: LogRequest): AsyncIterable<string> {
    this.#require("agent", this.#node, "read");
    return this.#agent.logs(request);
  }

  async services(): Promise<NodeService[]> {
    const services = await this.#agent.services();
    return services.filter(({ Service }) => this.#may("service", Service, "read"));
  }

  async service(
    id: string,
    wait?: ServiceWait,
  ): Promise<{ service: NodeService; hash: string } | null> {
    const now = await this.#agent.service(id);
    if (now) this.#require("service", now.service.Service, "read");
    return wait ? await this.#agent.service(id, wait) : now;
  }

  async checks(): Promise<HealthCheck[]> {
    const checks = await this.#agent.checks();
    return checks.filter(({ ServiceName: service }) =>
      service === ""
        ? this.#may("node", this.#node, "read")
        : this.#may("service", service, "read"),
    );
  }

  async serviceHealth(id: string): Promise<ServiceHealth | null> {
    const health = await this.#agent.serviceHealth(id);
    if (health) this.#require("service", health.service.Service, "read");
    return health;
  }

  async serviceHealthByName(name: string): Promise<ServiceHealth[]> {
    this.#require("service", name, "read");
    return await this.#agent.serviceHealthByName(name);
  }

  async registerService(body: string, options: RegisterServiceOptions): Promise<void> {
    const { service } = decodeService(body);
    this.#requireService(service.Service);
    const { Kind: kind, Proxy: proxy } = service;
    if (kind === "connect-proxy" && proxy) this.#requireService(proxy.DestinationServiceName);
    // Taking another one's place is changing it.
    const known = await this.#agent.service(service.ID || service.Service);
    if (known && !this.#may("service", known.service.Service, "write")) {
      this.#refuse("service", service.Service);
    }
    await this.#agent.registerService(body, options);
  }

  async deregisterService(id: string): Promise<void> {
    await this.#requireKnownService(id);
    await this.#agent.deregisterService(id);
  }

  async registerCheck(body: string, options: { token?: string }): Promise<void> {
    const { serviceId, checkId, name } = decodeCheck(body);
    const service = serviceId === "" ? null : await this.#agent.service(serviceId);
    this.#requireOwner(service?.service.Service ?? "");
    const known = await this.#check(checkId || name);
    if (known) this.#requireOwner(known.ServiceName);
    await this.#agent.registerCheck(body, options);
  }

  async deregisterCheck(id: string): Promise<void> {
    await this.#requireKnownCheck(id);
    await this.#agent.deregisterCheck(id);
  }

  async updateCheck(
    id: string,
    status: "passing" | "warning" | "critical",
    output: string,
  ): Promise<void> {
    await this.#requireKnownCheck(id);
    await this.#agent.updateCheck(id, status, output);
  }

  async serviceMaintenance(id: string, request: MaintenanceRequest): Promise<void> {
    await this.#requireKnownService(id);
    await this.#agent.serviceMaintenance(id, request);
  }

  async nodeMaintenance(request: MaintenanceRequest): Promise<void> {
    this.#require("node", this.#node, "write");
    await this.#agent.nodeMaintenance(request);
  }

  async join(address: string, options: { wan: boolean }): Promise<void> {
    this.#require("agent", this.#node, "write");
    await this.#agent.join(address, options);
  }

  async leave(): Promise<void> {
    this.#require("agent", this.#node, "write");
    await this.#agent.leave();
  }

  async forceLeave(node: string, options: { prune: boolean; token?: string }): Promise<void> {
    this.#require("operator", "", "write");
    await this.#agent.forceLeave(node, options);
  }

  async reload(): Promise<void> {
    this.#require("agent", this.#node, "write");
    await this.#agent.reload();
  }

  async setToken(kind: string, body: string): Promise<void> {
    this.#require("agent", this.#node, "write");
    await this.#agent.setToken(kind, body);
  }

  #may(resource: Resource, segment: string, access: Access): boolean {
    return this.#authorizer.allows(resource, segment, access);
  }

  #require(resource: Resource, segment: string, access: Access): void {
    if (this.#may(resource, segment, access)) return;
    throw new ServiceError("permission-denied", "Permission denied");
  }

  #requireService(name: string): void {
    if (!this.#may("service", name, "write")) this.#refuse("service", name);
  }

  /** Of a check: its service, or "" for the node. */
  #requireOwner(service: string): void {
    if (service !== "") return this.#requireService(service);
    if (!this.#may("node", this.#node, "write")) this.#refuse("node", this.#node);
  }

  #refuse(resource: Resource, name: string): never {
    const missing = `Missing ${resource}:write on ${name}`;
    throw new ServiceError("permission-denied", `Permission denied: ${missing}`);
  }

  async #requireKnownService(id: string): Promise<void> {
    const known = await this.#agent.service(id);
    if (!known) throw new ServiceError("invalid", `Unknown service {"${id}" {}}`);
    this.#requireService(known.service.Service);
  }

  async #requireKnownCheck(id: string): Promise<void> {
    const known = await this.#check(id);
    if (!known) throw new ServiceError("invalid", `Unknown check "${id}"`);
    this.#requireOwner(known.ServiceName);
  }

  async #check(id: string): Promise<HealthCheck | undefined> {
    return (await this.#agent.checks()).find(({ CheckID }) => CheckID === id);
  }
}
