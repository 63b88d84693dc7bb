// The agent of a host, as /v1/agent/* sees it: the LocalAgent port over the local state, the link and this process.

import { ServiceError } from "../core/model/errors.ts";
import type { Coordinate } from "../core/model/coordinate.ts";
import { decodeBody, DecodeError } from "../core/model/decode.ts";
import { agentTokenSchema } from "../api/openapi/routes/agent.ts";
import type { JsonValue } from "../core/model/json.ts";
import type { CheckStatus } from "../core/agent/definitions.ts";
import type { UserEvents } from "../core/gossip/user-events.ts";
import type { LocalServices } from "../core/agent/local-services.ts";
import type { Cluster, ClusterStatus } from "../ports/cluster.ts";
import type {
  AgentSelf,
  EventWait,
  HeardEvents,
  KeyAnswer,
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
import type { HealthCheck, NodeService } from "../core/model/types.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";
import { eventMoved } from "./event-wait.ts";
import { hostFacts } from "./host-facts.ts";
import { type AgentLog, isLogged, jsonLine, type LogEntry, textLine } from "./log.ts";
import {
  consulVersion,
  keyringOf,
  listMembers,
  listWanMembers,
  memberOf,
  type MemberIdentity,
} from "../members.ts";
import { probeAddress } from "./link/join.ts";
import { withPort } from "./link/server-list.ts";
import type { Metrics } from "./metrics.ts";
import { nodeNamesOf } from "./servers/settings.ts";
import { selfStats, type StatsParts } from "./self-stats.ts";
import { switchedOff } from "./switched-off.ts";
import type { TokenStore } from "./token-store.ts";

const logLinesHeldMax = 512;

export interface HostAgentParts {
  config: ResolvedAgentConfig;
  services: LocalServices;
  events: UserEvents;
  cluster: Cluster;
  log: AgentLog;
  metrics: Metrics;
  tokens: TokenStore;
  gossip(): StatsParts["gossip"];
  /** What each member says to it, by its name. Rejects with ServiceError when nobody can be asked. */
  keys(command: KeyCommand): Promise<(name: string) => KeyAnswer | null>;
  /** Another token is shown from now on. */
  tokensChanged(): void;
  /** Adds addresses at which servers may be found. */
  join(addresses: string[]): Promise<void>;
  /** Rejects with ServiceError. */
  joinWan(address: string): Promise<void>;
  /** Leaves the datacenter; the process ends soon after. */
  leave(): Promise<void>;
  reload(): Promise<void>;
  /** Where this node stands. */
  coordinate(): Coordinate;
  /** Resolves when the catalog has what was changed here, or after a short while. */
  synced(): Promise<void>;
  /** The same, once the change is on the disk; rejects with ServiceError when it could not be kept. */
  settled(): Promise<void>;
}

export class HostAgent implements LocalAgent {
  readonly #parts: HostAgentParts;

  constructor(parts: HostAgentParts) {
    this.#parts = parts;
  }

  get identity(): MemberIdentity {
    const { config } = this.#parts;
    return {
      name: config.nodeName,
      id: config.nodeId,
      address: config.advertiseAddress,
      datacenter: config.datacenter,
      serfLanPort: config.ports.serfLan,
      serfWanPort: config.ports.serfWan,
      serverPort: config.server ? config.ports.server : null,
    };
  }

  async self(): Promise<AgentSelf> {
    const { config } = this.#parts;
    return {
      Config: {
        Datacenter: config.datacenter,
        NodeName: config.nodeName,
        NodeID: config.nodeId,
        Revision: "",
        Server: config.server,
        Version: consulVersion,
      },
      DebugConfig: { ...switchedOff, ...config.debug, NodeID: config.nodeId },
      Coord: config.coordinates ? this.#parts.coordinate() : null,
      Member: memberOf(this.identity),
      Stats: await this.#stats(),
      Meta: { ...this.#parts.services.state.node.meta },
    };
  }

  members(options: { wan: boolean; token?: string }): Promise<Member[]> {
    const { token } = options;
    const { cluster, config } = this.#parts;
    if (!options.wan) return listMembers(cluster, this.identity, token);
    // Switched off, that pool has no members.
    if (config.ports.serfWan <= 0) return Promise.resolve([]);
    return listWanMembers(cluster, this.identity, token);
  }

  host(): Promise<JsonValue> {
    return hostFacts(this.#parts.config.dataDir);
  }

  async metrics(): Promise<JsonValue> {
    const { metrics } = this.#parts;
    return metrics.snapshot(await this.server(metrics.interval));
  }

  async prometheusMetrics(): Promise<string | null> {
    const { config, metrics } = this.#parts;
    const { prometheusRetentionMs } = config.telemetry;
    if (prometheusRetentionMs <= 0) return null;
    return metrics.prometheus(prometheusRetentionMs, await this.server(metrics.interval));
  }

  /** Null for an agent without servers, and while its own cannot be asked. */
  async server(interval: number): Promise<ClusterStatus | null> {
    const { config, cluster } = this.#parts;
    if (!config.server) return null;
    return await cluster.status({ metrics: interval }).catch(() => null);
  }

  events(): Promise<HeardEvents> {
    const { list } = this.#parts.events;
    return Promise.resolve({ events: list, newest: list.at(-1)?.ID ?? "" });
  }

  async eventsMoved(wait: EventWait): Promise<number> {
    return await eventMoved(this.#parts.events, wait);
  }

  async keyring(_access: "read" | "write", command: KeyCommand): Promise<Keyring> {
    const { config, keys } = this.#parts;
    const [members, answer] = await Promise.all([this.members({ wan: false }), keys(command)]);
    // Further servers in this process have the keys of this agent.
    const alike = new Set(nodeNamesOf(config));
    const answerOf = (name: string): KeyAnswer | null =>
      answer(name) ?? (alike.has(name) ? answer(config.nodeName) : null);
    return keyringOf(members, config.datacenter, answerOf);
  }

  async *logs({ level, json, signal }: LogRequest): AsyncIterable<string> {
    const lines: string[] = [];
    let wake = (): void => undefined;
    const unsubscribe = this.#parts.log.subscribe((entry: LogEntry) => {
      // A reader that does not keep up loses lines rather than memory.
      if (!isLogged(entry.level, level) || lines.length >= logLinesHeldMax) return;
      lines.push(json ? jsonLine(entry) : textLine(entry));
      wake();
    });
    signal.addEventListener("abort", () => wake(), { once: true });
    try {
      while (!signal.aborted) {
        const line = lines.shift();
        if (line !== undefined) yield line;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      unsubscribe();
    }
  }

  services(): Promise<NodeService[]> {
    return Promise.resolve(this.#parts.services.services());
  }

  async service(
    id: string,
    wait?: ServiceWait,
  ): Promise<{ service: NodeService; hash: string } | null> {
    const { services } = this.#parts;
    const now = services.service(id);
    if (!wait || now?.hash !== wait.hash) return now;
    await this.#serviceMoved(id, wait);
    return services.service(id);
  }

  checks(): Promise<HealthCheck[]> {
    return Promise.resolve(this.#parts.services.checks());
  }

  serviceHealth(id: string): Promise<ServiceHealth | null> {
    return Promise.resolve(this.#parts.services.serviceHealth(id));
  }

  serviceHealthByName(name: string): Promise<ServiceHealth[]> {
    return Promise.resolve(this.#parts.services.serviceHealthByName(name));
  }

  async registerService(body: string, options: RegisterServiceOptions): Promise<void> {
    this.#parts.services.registerService(body, options);
    await this.#parts.settled();
  }

  async deregisterService(id: string): Promise<void> {
    this.#parts.services.deregisterService(id);
    await this.#parts.settled();
  }

  async registerCheck(body: string, options: { token?: string }): Promise<void> {
    this.#parts.services.registerCheck(body, options);
    await this.#parts.settled();
  }

  async deregisterCheck(id: string): Promise<void> {
    this.#parts.services.deregisterCheck(id);
    await this.#parts.settled();
  }

  async updateCheck(id: string, status: CheckStatus, output: string): Promise<void> {
    this.#parts.services.updateCheck(id, status, output);
    await this.#parts.synced();
  }

  async serviceMaintenance(id: string, request: MaintenanceRequest): Promise<void> {
    this.#parts.services.serviceMaintenance(id, request.enable, request.reason);
    await this.#parts.settled();
  }

  async nodeMaintenance(request: MaintenanceRequest): Promise<void> {
    this.#parts.services.nodeMaintenance(request.enable, request.reason);
    await this.#parts.settled();
  }

  async join(address: string, { wan }: { wan: boolean }): Promise<void> {
    if (wan) return await this.#parts.joinWan(address);
    const { ports } = this.#parts.config;
    const target = withPort(address, ports.serfLan);
    const failure = await probeAddress(target, this.#parts.config);
    if (failure !== null) {
      const host = target.slice(0, target.lastIndexOf(":"));
      const text = `Failed to join ${host}: ${failure}`;
      throw new ServiceError("invalid", `1 error occurred:\n\t* ${text}\n\n`);
    }
    await this.#parts.join([target]);
  }

  leave(): Promise<void> {
    return this.#parts.leave();
  }

  async forceLeave(node: string, { token }: { token?: string }): Promise<void> {
    const members = await this.members({ wan: false });
    const member = members.find(({ Name }) => Name === node);
    if (!member) throw new ServiceError("invalid", `agent: No node found with name '${node}'`);
    // Only what failed can be made to leave; a live member would come back by itself.
    if (member.Status === 1) return;
    if (member.Tags["role"] === "consul") await this.#takeOut(member, token);
    const deregistration = {
      Datacenter: this.#parts.config.datacenter,
      Node: node,
      ServiceID: "",
      CheckID: "",
    };
    await this.#parts.cluster.write({ type: "catalog.deregister", deregistration }, {});
  }

  /** A failed server is no longer counted on. One that an operator took out before has gone already. */
  async #takeOut({ Tags: { id = "" } }: Member, token: string | undefined): Promise<void> {
    const { cluster } = this.#parts;
    const options = { ...(token !== undefined && { token }) };
    const servers = await cluster.servers(options);
    if (servers.some((server) => server.id === id)) await cluster.removeServer({ id }, options);
  }

  async reload(): Promise<void> {
    await this.#parts.reload().catch((failure: Error) => {
      throw new ServiceError("invalid", failure.message);
    });
  }

  async setToken(kind: string, body: string): Promise<void> {
    const { config, tokens, log, tokensChanged } = this.#parts;
    if (!config.acl.enabled) throw new ServiceError("acl-disabled", "ACL support disabled");
    await tokens.set(kind, decodeToken(body));
    tokensChanged();
    log.info("agent", "Updated agent's ACL token", { token: kind });
  }

  #serviceMoved(id: string, { hash, waitMs, signal }: ServiceWait): Promise<void> {
    const { services } = this.#parts;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        unsubscribe();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      const unsubscribe = services.state.rows.subscribe(() => {
        if (services.service(id)?.hash !== hash) done();
      });
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  async #stats(): Promise<AgentSelf["Stats"]> {
    const { config, services, cluster } = this.#parts;
    const [status, members] = await Promise.all([
      cluster.status({}).catch(() => null),
      this.members({ wan: false }).catch(() => [memberOf(this.identity)]),
    ]);
    return selfStats({ config, services, status, members, gossip: this.#parts.gossip() });
  }
}

/** Throws ServiceError. */
function decodeToken(body: string): string {
  try {
    return (decodeBody(agentTokenSchema, body, "refuse") as { Token: string }).Token;
  } catch (failure) {
    if (!(failure instanceof DecodeError)) throw failure;
    throw new ServiceError("malformed", `Request decode failed: ${failure.message}`);
  }
}
