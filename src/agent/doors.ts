// Where clients come in: DNS, HTTP and HTTPS of the agent, and what they are answered with.

import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { gzipSync } from "node:zlib";

import { joinHostPort } from "../core/lib/host-port.ts";
import { agentArea } from "../api/agent.ts";
import { restrictedAgentArea } from "../api/agent-acl.ts";
import type { Area, Surroundings } from "../api/endpoint.ts";
import { createApi } from "../api/index.ts";
import { Permissions } from "../api/permissions.ts";
import type { Authorizer } from "../core/acl/access.ts";
import { RuleAuthorizer } from "../core/acl/authorizer.ts";
import type { Rule } from "../core/acl/rules.ts";
import type { Cluster } from "../ports/cluster.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";
import { DnsServer } from "./dns/server.ts";
import type { HostAgent } from "./host-agent.ts";
import { HttpAnswers } from "./http/answers.ts";
import { closeHttp, type HttpLimits, listenHttp, type HttpParts } from "./http/server.ts";
import { type ListenAddress, shownAddress } from "./listening.ts";
import { own } from "./socket-owner.ts";
import { HostLeaves } from "./leaf-memory.ts";
import type { AgentLog } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { apiSettings, zonesOf } from "./settings.ts";
import { RefusalLog } from "./rare-log.ts";
import type { TlsMaterial } from "./tls/material.ts";
import type { TokenStore } from "./token-store.ts";
import { mountUi } from "./ui/mount.ts";

const loopbackPattern = /^(127\.|::1$|localhost$)/;

export interface DoorsParts {
  config: ResolvedAgentConfig;
  log: AgentLog;
  metrics: Metrics;
  /** Shows the default token for clients that show none. */
  cluster: Cluster;
  /** For DNS, whose clients show none: what a node that joined a deployment may read. */
  dnsCluster: Cluster;
  host: HostAgent;
  tokens: TokenStore;
  tls: TlsMaterial;
}

export class Doors {
  readonly #parts: DoorsParts;
  readonly #listeners: { close(): unknown }[] = [];
  readonly #kept: { forget(): void }[] = [];
  readonly #answers = new HttpAnswers();
  readonly #dns: DnsServer[] = [];
  readonly #httpLimits: HttpLimits;

  constructor(parts: DoorsParts) {
    this.#parts = parts;
    this.#httpLimits = { connectionsMax: parts.config.http.maxConnectionsPerClient };
  }

  /** Rejects when a port is taken. What the agent itself is asked waits until its state was `restored`. */
  async open(restored: Promise<void>): Promise<void> {
    await this.#listenDns();
    await this.#listenDnsOverTls();
    const { ports } = this.#parts.config;
    if (ports.http <= 0 && ports.https <= 0) return;
    const fetch = this.#api(restored);
    await this.#listenHttp(fetch);
    await this.#listenHttps(fetch);
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  async #listenDns(): Promise<void> {
    const { config } = this.#parts;
    if (config.ports.dns <= 0) return;
    for (const address of config.addresses.dns) {
      const queries = this.#parts.metrics.counter("dns.queries");
      const server = new DnsServer({ config, cluster: this.#parts.dnsCluster, queries });
      await server.listen(address, config.ports.dns);
      this.#kept.push(server);
      this.#dns.push(server);
      this.#listeners.push(server);
      for (const network of ["udp", "tcp"]) {
        const where = joinHostPort(address, config.ports.dns);
        this.#parts.log.info("agent", "Started DNS server", { address: where, network });
      }
    }
  }

  /** What the agent itself is asked waits until its state was read. */
  #api(restored: Promise<void>): HttpParts["fetch"] {
    const { config } = this.#parts;
    const kept = this.#answers;
    this.#kept.push(kept);
    const api = createApi({
      cluster: this.#parts.cluster,
      nodeName: config.nodeName,
      areas: [this.#agentArea()],
      leaves: new HostLeaves(this.#parts.cluster, config.datacenter),
      pretty: config.devMode,
      ...(config.ui && { uiPath: config.ui.contentPath }),
      discoveryMaxStaleMs: config.discoveryMaxStaleMs,
      settings: apiSettings(config),
      domains: zonesOf(config),
      gzip: (body) => gzipSync(body),
      keep: (request, reply, path) => {
        kept.keep(request, reply, () => this.#parts.metrics.request("GET", path));
      },
      timed: (method, path) => this.#parts.metrics.request(method, path),
      random: Math.random,
      uuid: randomUUID,
      onError: (failure) => this.#parts.log.error("agent.http", String(failure)),
    });
    if (config.ui) mountUi(api, config.ui);
    let isRestored = false;
    void restored.then(() => (isRestored = true));
    return async (request: Request, around: Surroundings): Promise<Response> => {
      if (!isRestored && request.url.includes("/v1/agent/")) await restored;
      return await api.fetch(request, around);
    };
  }

  #httpParts(fetch: HttpParts["fetch"], host: string): HttpParts {
    const { config, metrics } = this.#parts;
    return {
      fetch,
      kept: this.#answers,
      requests: metrics.counter("http.requests"),
      config: config.http,
      limits: this.#httpLimits,
      nodeName: config.nodeName,
      domain: config.dns.domain,
      loopbackOnly: loopbackPattern.test(host),
    };
  }

  async #listenHttp(fetch: HttpParts["fetch"]): Promise<void> {
    const { addresses, ports } = this.#parts.config;
    if (ports.http <= 0) return;
    for (const host of addresses.http) {
      const address = { host, port: ports.http, flag: "-http-port" };
      const server = await listenHttp(this.#httpParts(fetch, host), address);
      this.#opened(server, address, "Started HTTP server");
    }
  }

  async #listenHttps(fetch: HttpParts["fetch"]): Promise<void> {
    const { log, config } = this.#parts;
    const { addresses, ports, tls } = config;
    if (ports.https <= 0) return;
    const refusals = new RefusalLog(log, "agent.http", "refused a TLS connection");
    for (const host of addresses.https) {
      const address = { host, port: ports.https, flag: "-https-port" };
      const server = await listenHttp(this.#httpParts(fetch, host), address, {
        material: this.#parts.tls,
        handshakeMs: tls.httpsHandshakeMs,
        refused: (from, reason) => refusals.note(from, reason),
      });
      this.#opened(server, address, "Started HTTPS server");
    }
    if (!this.#parts.tls.current.pair) {
      log.warn("agent", "HTTPS has no certificate: every handshake will fail");
    }
  }

  #opened(server: Server, address: ListenAddress, message: string): void {
    this.#listeners.push({ close: () => closeHttp(server) });
    own(address.host, this.#parts.config.unixSockets);
    this.#parts.log.info("agent", message, {
      address: shownAddress(address),
      network: address.host.startsWith("unix:") ? "unix" : "tcp",
    });
  }

  async #listenDnsOverTls(): Promise<void> {
    const { config, dnsCluster: cluster, metrics, log } = this.#parts;
    const { dnsTls: port } = config.ports;
    if (port <= 0) return;
    for (const host of config.addresses.dns) {
      const server = new DnsServer({ config, cluster, queries: metrics.counter("dns.queries") });
      await server.listenTls(host, port, this.#parts.tls);
      this.#dns.push(server);
      this.#listeners.push(server);
      const address = shownAddress({ host, port });
      log.info("agent", "Started DNS over TLS server", { address, network: "tcp" });
    }
  }

  /** Takes over how DNS is answered, and how many connections a client may have. */
  reload(config: ResolvedAgentConfig): void {
    this.#httpLimits.connectionsMax = config.http.maxConnectionsPerClient;
    for (const server of this.#dns) server.reload(config);
  }

  #agentArea(): Area {
    const { acl, nodeName } = this.#parts.config;
    if (!acl.enabled) return agentArea(this.#parts.host);
    const permissions = new Permissions({
      downPolicy: acl.downPolicy,
      ttlMs: acl.ttlMs,
      cluster: this.#parts.cluster,
      nowMs: Date.now,
      ownToken: (token) => (this.#parts.tokens.isMaster(token) ? masterOf(nodeName) : null),
    });
    const authorizer = (token: string | undefined) => permissions.of(token);
    return restrictedAgentArea({ agent: this.#parts.host, nodeName, authorizer });
  }

  /** What was answered with other tokens than there are now. */
  forgetAnswers(): void {
    for (const answers of this.#kept) answers.forget();
  }
}

/** The agent's master token may use this agent, and see nodes. */
function masterOf(node: string): Authorizer {
  const rules: Rule[] = [
    { resource: "agent", segment: node, isPrefix: false, level: "write" },
    { resource: "node", segment: "", isPrefix: true, level: "read" },
  ];
  return new RuleAuthorizer(rules, "deny");
}
