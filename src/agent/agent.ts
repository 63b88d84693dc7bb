// One running agent: puts the parts together in the order in which Consul starts them, and takes them apart again.

import { randomUUID } from "node:crypto";
import type { Server as HttpServer } from "node:http";
import { gzipSync } from "node:zlib";

import { seededRandom } from "../core/lib/random.ts";
import { applyFileDefinitions } from "../core/agent/file-definitions.ts";
import type { LocalAgentState } from "../core/agent/local-state.ts";
import { LocalServices } from "../core/agent/local-services.ts";
import { agentArea } from "../api/agent.ts";
import { createApi } from "../api/index.ts";
import { LinkClient, type LinkSocket } from "../link/client.ts";
import { deployedLinkLiveness, hostedLinkLiveness } from "../link/liveness.ts";
import { LinkCluster } from "../link/cluster.ts";
import { gossipProofHeader } from "../link/protocol.ts";
import type { Cluster } from "../ports/cluster.ts";
import { AntiEntropy } from "./anti-entropy.ts";
import { CheckRunner } from "./checks/runner.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";
import { DnsServer } from "./dns/server.ts";
import { GossipClient } from "./link/gossip.ts";
import { HostAgent } from "./host-agent.ts";
import { HostLeaves } from "./leaf-memory.ts";
import { HttpAnswers } from "./http/answers.ts";
import { listenHttp, listenHttpsWithoutCertificate } from "./http/server.ts";
import { shownAddress } from "./listening.ts";
import { gossipProof } from "./link/gossip-proof.ts";
import { Joiner, socketRefusal, TroubleLog } from "./link/join.ts";
import { openSocket } from "./link/socket.ts";
import { LocalClock } from "./local-clock.ts";
import type { AgentLog } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { Persistence } from "./persistence.ts";
import { isDeployment, joinUrl, ServerList } from "./link/server-list.ts";
import { apiSettings, forgetApiRows, makeState } from "./settings.ts";
import type { Servers } from "./servers/options.ts";
import { startServers } from "./servers/servers.ts";
import { nodeTimers } from "./timers.ts";

/** Consul's rpc_hold_timeout. */
const holdMs = 7_000;
const frameGapMs = 1;
/** A server holds a request for 7 s when it knows no leader; then its answer is on the way. */
const requestMs = 10_000;
const leaderPollMs = 25;
/** How long a registration is held back until the catalog has it. */
const syncWaitMs = 200;
const closeGraceMs = 200;
/** A server of one's own that cannot be linked to, because its disk is full, is lost many times a second. */
const lossAgainMs = 30_000;
const loopbackPattern = /^(127\.|::1$|localhost$)/;

export interface AgentHooks {
  /** The agent was told over HTTP to leave, or its servers ended: end the process. */
  ended(exitCode: number): void;
  /** Reads the configuration files again; rejects when they cannot be used. */
  reload(): Promise<void>;
}

export class Agent {
  readonly config: ResolvedAgentConfig;
  readonly #log: AgentLog;
  readonly #hooks: AgentHooks;
  readonly #servers: Servers | null;
  readonly #serverList: ServerList;
  readonly #link: LinkClient;
  readonly #cluster: Cluster;
  readonly #gossip: GossipClient;
  readonly #state: LocalAgentState;
  readonly #sync: AntiEntropy;
  readonly #host: HostAgent;
  readonly #persistence: Persistence;
  readonly #metrics: Metrics;
  readonly #joiner: Joiner;
  readonly #linkTrouble: TroubleLog;
  readonly #gossipTrouble: TroubleLog;
  readonly #lossTrouble: TroubleLog;
  readonly #listeners: { close(): unknown }[] = [];
  readonly #running: { stop(): unknown }[] = [];
  #stopping = false;

  private constructor(
    config: ResolvedAgentConfig,
    log: AgentLog,
    hooks: AgentHooks,
    servers: Servers | null,
  ) {
    this.config = config;
    this.#log = log;
    this.#hooks = hooks;
    this.#servers = servers;
    this.#metrics = new Metrics(config.telemetry.metricsPrefix);
    this.#linkTrouble = new TroubleLog(log, "cannot open the link to a server");
    this.#gossipTrouble = new TroubleLog(log, "cannot open the gossip socket");
    this.#lossTrouble = new TroubleLog(log, "left server", lossAgainMs);
    const joined = [...config.startJoin, ...config.retryJoin.addresses];
    // One's own servers are left only with the process; others may be changed for one another.
    this.#serverList = new ServerList(
      servers ? [] : joined.map((address) => joinUrl(address, config.ports.serfLan)),
    );
    this.#link = this.#makeLink();
    this.#cluster = new LinkCluster(this.#link, config.datacenter);
    this.#gossip = new GossipClient({
      member: { name: config.nodeName, id: config.nodeId, address: config.advertiseAddress },
      timers: nodeTimers,
      nowMs: Date.now,
      random: Math.random,
      dial: (pathAndQuery) => this.#dial(pathAndQuery, this.#gossipTrouble),
      refused: (error) =>
        this.#gossipTrouble.say({ address: this.#serverList.current() ?? "", error }),
    });
    this.#state = makeState(config);
    this.#persistence = new Persistence(config, this.#state, log);
    this.#joiner = new Joiner({ config, log, exhausted: () => hooks.ended(1) });
    const services = new LocalServices(this.#state, Date.now);
    this.#sync = new AntiEntropy({
      state: this.#state,
      cluster: this.#cluster,
      log,
      token: config.agentToken,
      random: seededRandom(Date.now()),
      timers: nodeTimers,
    });
    this.#host = new HostAgent({
      config,
      services,
      cluster: this.#cluster,
      log,
      metrics: this.#metrics,
      join: (addresses) => this.#join(addresses),
      leave: () => this.#leaveAndEnd(),
      reload: hooks.reload,
      synced: () => this.#sync.settled(syncWaitMs),
      settled: async () => {
        await Promise.all([this.#persistence.flush(), this.#sync.settled(syncWaitMs)]);
      },
    });
  }

  /** Starts everything. Rejects, with nothing left running, when a port is taken or workerd cannot start. */
  static async start(
    config: ResolvedAgentConfig,
    log: AgentLog,
    hooks: AgentHooks,
  ): Promise<Agent> {
    const servers = config.server ? await startServers(config, log) : null;
    const agent = new Agent(config, log, hooks, servers);
    try {
      await agent.#start();
      return agent;
    } catch (failure) {
      await agent.stop();
      throw failure;
    }
  }

  /** Ends without a word to the others: they find out. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const part of this.#running) await part.stop();
    this.#sync.stop();
    this.#joiner.stop();
    this.#gossip.stop();
    this.#link.stop();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#servers?.stop();
  }

  /** Takes over the definitions of a configuration that was read again. */
  reload(config: ResolvedAgentConfig): void {
    const nowMs = Date.now();
    applyFileDefinitions(this.#state, config, nowMs);
    // Without a data directory nothing that the API registered is kept, and a reload forgets it, as in Consul.
    if (config.dataDir === "") forgetApiRows(this.#state, nowMs);
    this.#sync.want("full");
  }

  /** Tells the datacenter that this node leaves. The caller stops the agent afterwards. */
  async leave(): Promise<void> {
    // A server's part in the datacenter outlives its process; only a client's node goes.
    if (!this.config.server) await this.#gossip.leave();
  }

  async #start(): Promise<void> {
    const { config } = this;
    const restored = Promise.withResolvers<void>();
    await this.#listenDns();
    await this.#listenHttp(restored.promise);
    await this.#listenHttps();
    await this.#joiner.start();
    void this.#link.start().then(() => this.#linked());
    // With the doors open, because thousands of services take a while to be read.
    await this.#restore();
    restored.resolve();
    this.#sync.start();
    void this.#gossip.start();
    void this.#servers?.exited.then(() => {
      if (this.#stopping) return;
      this.#log.error("agent.server", "servers ended unexpectedly");
      this.#hooks.ended(1);
    });
    const joined = [...config.startJoin, ...config.retryJoin.addresses];
    if (this.#servers && joined.length > 0) await this.#join(joined);
    this.#log.info("agent", "started state syncer");
  }

  async #restore(): Promise<void> {
    await this.#persistence.load();
    const runner = new CheckRunner(this.#state, this.#cluster, { log: this.#log });
    this.#running.push(
      runner,
      new LocalClock(this.#state, this.#log, { timers: nodeTimers, nowMs: Date.now }),
      this.#persistence,
    );
  }

  async #listenDns(): Promise<void> {
    const { config } = this;
    if (config.ports.dns <= 0) return;
    for (const address of config.addresses.dns) {
      const queries = this.#metrics.counter("dns.queries");
      const server = new DnsServer({ config, cluster: this.#cluster, queries });
      await server.listen(address, config.ports.dns);
      this.#listeners.push(server);
      for (const network of ["udp", "tcp"]) {
        const where = `${address}:${config.ports.dns}`;
        this.#log.info("agent", "Started DNS server", { address: where, network });
      }
    }
  }

  /** What the agent itself is asked waits until its state was read. */
  async #listenHttp(restored: Promise<void>): Promise<void> {
    const { config } = this;
    if (config.ports.http <= 0) return;
    const kept = new HttpAnswers();
    const api = createApi({
      cluster: this.#cluster,
      nodeName: config.nodeName,
      areas: [agentArea(this.#host)],
      leaves: new HostLeaves(this.#cluster, config.datacenter),
      pretty: config.devMode,
      uiEnabled: false,
      discoveryMaxStaleMs: config.discoveryMaxStaleMs,
      settings: apiSettings(config),
      gzip: (body) => gzipSync(body),
      keep: (request, reply) => kept.keep(request, reply),
      random: Math.random,
      uuid: randomUUID,
      onError: (failure) => this.#log.error("agent.http", String(failure)),
    });
    let isRestored = false;
    void restored.then(() => (isRestored = true));
    const fetch = async (request: Request): Promise<Response> => {
      if (!isRestored && request.url.includes("/v1/agent/")) await restored;
      return await api.fetch(request);
    };
    for (const host of config.addresses.http) {
      const address = { host, port: config.ports.http, flag: "-http-port" };
      const server: HttpServer = await listenHttp(
        {
          fetch,
          kept,
          requests: this.#metrics.counter("http.requests"),
          config: config.http,
          nodeName: config.nodeName,
          domain: config.dns.domain,
          loopbackOnly: loopbackPattern.test(host),
        },
        address,
      );
      this.#listeners.push({ close: () => closeAll(server) });
      this.#log.info("agent", "Started HTTP server", {
        address: shownAddress(address),
        network: host.startsWith("unix:") ? "unix" : "tcp",
      });
    }
  }

  async #listenHttps(): Promise<void> {
    const { addresses, ports } = this.config;
    if (ports.https <= 0) return;
    for (const host of addresses.https) {
      const address = { host, port: ports.https, flag: "-https-port" };
      this.#listeners.push(await listenHttpsWithoutCertificate(address));
      this.#log.warn("agent", "HTTPS has no certificate: every handshake will fail", {
        address: shownAddress(address),
      });
    }
  }

  #makeLink(): LinkClient {
    const rpc = this.#metrics.counter("client.rpc");
    const frames = this.#metrics.counter("client.frames");
    const { startJoin, retryJoin } = this.config;
    const deployed = [...startJoin, ...retryJoin.addresses].some(isDeployment);
    return new LinkClient({
      timers: nodeTimers,
      nowMs: Date.now,
      requestMs,
      liveness: deployed ? deployedLinkLiveness : hostedLinkLiveness,
      hasOthers: () => deployed || this.#serverList.size > 1,
      connect: () => this.#connect(),
      schedule: (flush) => setImmediate(flush),
      frameGapMs,
      holdMs,
      random: Math.random,
      onFrame: (requests) => {
        rpc.n += requests;
        frames.n += 1;
      },
      onHello: ({ serverName, servers }) => {
        if (!this.#servers) this.#serverList.add(servers.map((address) => `ws://${address}`));
        this.#log.debug("agent", "linked to server", { server: serverName });
        this.#sync.want("full");
      },
      onClose: (reason) => {
        const server = this.#serverList.current() ?? "its own";
        this.#lossTrouble.say({ server, reason });
        this.#serverList.next();
        this.#gossip.doubt();
      },
    });
  }

  async #connect(): Promise<LinkSocket> {
    try {
      return await this.#dial("/link", this.#linkTrouble);
    } catch (failure) {
      this.#serverList.next();
      throw failure;
    }
  }

  /** Says in `trouble` why it could not, beside the next attempt, which must not wait for an explanation. */
  async #dial(target: string, trouble: TroubleLog): Promise<LinkSocket> {
    if (this.#servers) return await this.#servers.dial(target);
    const url = this.#serverList.current();
    if (url === null) throw new Error("no servers are known");
    try {
      return await openSocket({ url: url + target, headers: this.#linkHeaders(target) });
    } catch (failure) {
      void socketRefusal(url + target, this.#linkHeaders(target)).then((error) => {
        if (!this.#stopping) trouble.say({ address: url, error });
      });
      throw failure;
    }
  }

  #linkHeaders(target: string): Record<string, string> {
    // A deployment lets in whoever shows its secret as a token.
    const { gossipKey, agentToken: token } = this.config;
    return {
      ...(gossipKey === ""
        ? {}
        : { [gossipProofHeader]: gossipProof(gossipKey, target, Date.now()) }),
      ...(token === "" ? {} : { "x-consul-token": token }),
    };
  }

  async #join(addresses: readonly string[]): Promise<void> {
    if (!this.#servers) {
      this.#serverList.add(addresses.map((address) => joinUrl(address, this.config.ports.serfLan)));
      return;
    }
    const targets = addresses.map((address) =>
      joinUrl(address, this.config.ports.serfLan).replace(/^wss?:\/\//, ""),
    );
    await this.#servers.rpc("/rpc/join", JSON.stringify(targets));
  }

  /** Logs the leader once there is one, because people and test suites wait for that line. */
  async #linked(): Promise<void> {
    while (!this.#stopping) {
      const { leader } = await this.#cluster.status({}).catch(() => ({ leader: "" }));
      if (leader !== "") {
        const own = leader === `${this.config.advertiseAddress}:${this.config.ports.server}`;
        if (own) this.#log.info("agent.server", "cluster leadership acquired");
        const payload = own ? this.config.nodeName : leader;
        this.#log.info("agent.server", "New leader elected", { payload });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, leaderPollMs));
    }
  }

  async #leaveAndEnd(): Promise<void> {
    await this.leave();
    this.#hooks.ended(0);
  }
}

/** Answers on their way still go out, such as that to the request to leave; who waits for longer is cut off. */
async function closeAll(server: HttpServer): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(timer);
}
