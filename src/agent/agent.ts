// One running agent: puts the parts together in the order in which Consul starts them, and takes them apart again.

import { seededRandom } from "../core/lib/random.ts";
import { UserEvents } from "../core/gossip/user-events.ts";
import { applyFileDefinitions } from "../core/agent/file-definitions.ts";
import type { LocalAgentState } from "../core/agent/local-state.ts";
import { LocalServices } from "../core/agent/local-services.ts";
import { deployedPace, hostedPace } from "../core/agent/sync-interval.ts";
import { LinkClient, type LinkSocket } from "../link/client.ts";
import { deployedLinkLiveness, hostedLinkLiveness } from "../link/liveness.ts";
import { LinkCluster } from "../link/cluster.ts";
import type { Cluster } from "../ports/cluster.ts";
import { withDefaultToken } from "../ports/default-token.ts";
import { AntiEntropy } from "./anti-entropy.ts";
import { CentralConfig } from "./central-config.ts";
import { CheckRunner } from "./checks/runner.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";
import { Coordinates } from "./coordinates.ts";
import { Doors } from "./doors.ts";
import { GossipClient } from "./link/gossip.ts";
import { HostAgent } from "./host-agent.ts";
import { Dialer } from "./link/dialer.ts";
import { isDirect } from "./link/find.ts";
import { Joiner } from "./link/join.ts";
import { WanJoiner } from "./link/wan-join.ts";
import { logLeader } from "./leader-log.ts";
import { leaveDatacenter } from "./leaving.ts";
import { LocalClock } from "./local-clock.ts";
import type { AgentLog } from "./log.ts";
import { type Metrics, metricsOf } from "./metrics.ts";
import { Persistence } from "./persistence.ts";
import { TroubleLog } from "./rare-log.ts";
import { RoundTrips } from "./round-trips.ts";
import { joinUrl, ServerList } from "./link/server-list.ts";
import { apiAddress, forgetApiRows, makeState, reconfigure } from "./settings.ts";
import type { Servers } from "./servers/options.ts";
import { startServers } from "./servers/servers.ts";
import { nodeNamesOf } from "./servers/settings.ts";
import { Telemetry } from "./telemetry/telemetry.ts";
import { Watches } from "./watches/watches.ts";
import { nodeTimers } from "./timers.ts";
import { TlsMaterial } from "./tls/material.ts";
import { checkOptions } from "./tls/options.ts";
import { TokenStore } from "./token-store.ts";

/** Consul's rpc_hold_timeout. */
const holdMs = 7_000;
const frameGapMs = 1;
/** A server holds a request for 7 s when it knows no leader; then its answer is on the way. */
const requestMs = 10_000;
/** How long a registration is held back until the catalog has it. */
const syncWaitMs = 200;
/** A server of one's own that cannot be linked to, because its disk is full, is lost many times a second. */
const lossAgainMs = 30_000;

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
  readonly #tls: TlsMaterial;
  readonly #serverList: ServerList;
  readonly #dialer: Dialer;
  readonly #link: LinkClient;
  /** Shows the agent's own token. */
  readonly #cluster: Cluster;
  readonly #tokens: TokenStore;
  readonly #gossip: GossipClient;
  readonly #events: UserEvents;
  readonly #coordinates: Coordinates;
  readonly #roundTrips: RoundTrips;
  readonly #state: LocalAgentState;
  readonly #central: CentralConfig | null;
  readonly #sync: AntiEntropy;
  readonly #host: HostAgent;
  readonly #persistence: Persistence;
  readonly #metrics: Metrics;
  readonly #joiner: Joiner;
  readonly #wanJoiner: WanJoiner;
  readonly #linkTrouble: TroubleLog;
  readonly #gossipTrouble: TroubleLog;
  readonly #lossTrouble: TroubleLog;
  readonly #doors: Doors;
  #watches: Watches | null = null;
  readonly #running: { stop(): unknown }[] = [];
  #stopping = false;

  private constructor(
    config: ResolvedAgentConfig,
    log: AgentLog,
    hooks: AgentHooks,
    { servers, tls }: { servers: Servers | null; tls: TlsMaterial },
  ) {
    this.config = config;
    this.#log = log;
    this.#hooks = hooks;
    [this.#servers, this.#tls] = [servers, tls];
    this.#metrics = metricsOf(config);
    this.#linkTrouble = new TroubleLog(log, "cannot open the link to a server");
    this.#gossipTrouble = new TroubleLog(log, "cannot open the gossip socket");
    this.#lossTrouble = new TroubleLog(log, "left server", lossAgainMs);
    const joined = [...config.startJoin, ...config.retryJoin.addresses].filter(isDirect);
    // One's own servers are left only with the process; others may be changed for one another.
    this.#serverList = new ServerList(
      servers ? [] : joined.map((address) => joinUrl(address, config.ports.serfLan)),
    );
    this.#tokens = new TokenStore(config.acl, config.dataDir, log);
    this.#dialer = new Dialer({
      ...{ config, log, tls, servers: this.#serverList, tokens: this.#tokens },
      stopping: () => this.#stopping,
    });
    this.#link = this.#makeLink();
    const pace = this.#dialer.isDeployed ? deployedPace : hostedPace;
    const cluster = new LinkCluster(this.#link, config.datacenter, pace.waitMs);
    this.#cluster = withDefaultToken(cluster, () => this.#tokens.agent);
    this.#state = makeState(config);
    const services = new LocalServices(this.#state, Date.now);
    const { nodeName } = config;
    this.#events = new UserEvents({ nodeName, services: () => services.services() });
    this.#events.listen((name) => this.#metrics.serfEvent(name));
    this.#gossip = this.#makeGossip();
    this.#persistence = new Persistence(config, this.#state, log);
    this.#joiner = this.#makeJoiner();
    this.#wanJoiner = new WanJoiner({ config, log, servers, exhausted: () => hooks.ended(1) });
    const watched = { state: this.#state, cluster: this.#cluster, timers: nodeTimers, log, pace };
    this.#central = config.followsEntries ? new CentralConfig(watched) : null;
    this.#sync = new AntiEntropy({
      ...watched,
      random: seededRandom(Date.now()),
    });
    this.#roundTrips = new RoundTrips(config, log);
    this.#coordinates = this.#makeCoordinates();
    this.#host = new HostAgent({
      config,
      coordinate: () => this.#coordinates.coordinate,
      services,
      events: this.#events,
      cluster: this.#cluster,
      tokens: this.#tokens,
      log,
      metrics: this.#metrics,
      join: (addresses) => this.#join(addresses),
      joinWan: (address) => this.#wanJoiner.join(address),
      leave: () => this.#leaveAndEnd(),
      reload: hooks.reload,
      synced: () => this.#sync.settled(syncWaitMs),
      tokensChanged: () => {
        this.#doors.forgetAnswers();
        this.#sync.want("full");
      },
      settled: async () => {
        await this.#central?.settled(syncWaitMs);
        await Promise.all([this.#persistence.flush(), this.#sync.settled(syncWaitMs)]);
      },
    });
    this.#doors = this.#makeDoors(cluster);
  }

  /** Starts everything. Rejects, with nothing left running, when a port is taken or workerd cannot start. */
  static async start(
    config: ResolvedAgentConfig,
    log: AgentLog,
    hooks: AgentHooks,
  ): Promise<Agent> {
    // Before anything runs that would have to be stopped again.
    const tls = new TlsMaterial(config);
    const servers = config.server ? await startServers(config, log, tls) : null;
    const agent = new Agent(config, log, hooks, { servers, tls });
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
    this.#central?.stop();
    this.#sync.stop();
    this.#joiner.stop();
    this.#wanJoiner.stop();
    this.#gossip.stop();
    this.#coordinates.stop();
    this.#roundTrips.stop();
    this.#link.stop();
    await this.#doors.close();
    await this.#servers?.stop();
  }

  /** Takes over the definitions of a configuration that was read again. */
  reload(config: ResolvedAgentConfig): void {
    const nowMs = Date.now();
    this.#watches?.reload(config.watches);
    this.#reloadTls(config);
    this.#doors.reload(config);
    this.#tokens.reload(config.acl);
    this.#metrics.filter = config.telemetry.filter;
    reconfigure(this.#state, config);
    this.#doors.forgetAnswers();
    applyFileDefinitions(this.#state, config, nowMs);
    // Without a data directory nothing that the API registered is kept, and a reload forgets it, as in Consul.
    if (config.dataDir === "") forgetApiRows(this.#state, nowMs);
    this.#sync.want("full");
  }

  /** Throws when the files cannot be used, and goes on with those of before. */
  #reloadTls(config: ResolvedAgentConfig): void {
    try {
      this.#tls.reload(config);
    } catch (failure) {
      const why = (failure as Error).message;
      throw new Error(`Failed reloading tls configuration: ${why}`, { cause: failure });
    }
  }

  /** Tells the datacenter that this node leaves. The caller stops the agent afterwards. */
  async leave(): Promise<void> {
    const parts = { config: this.config, servers: this.#servers, gossip: this.#gossip };
    await leaveDatacenter({ ...parts, sync: this.#sync, log: this.#log });
  }

  async #start(): Promise<void> {
    const { config } = this;
    this.#watches = new Watches({ log: this.#log, address: apiAddress(config) });
    this.#running.push(this.#makeTelemetry(), this.#watches);
    const restored = Promise.withResolvers<void>();
    await this.#doors.open(restored.promise);
    await this.#joiner.start();
    await this.#wanJoiner.start();
    const parts = { config, cluster: this.#cluster, log: this.#log };
    void this.#link.start().then(() => logLeader(parts, () => this.#stopping));
    // With the doors open, because thousands of services take a while to be read.
    await this.#restore();
    restored.resolve();
    this.#watches.start(config.watches);
    this.#sync.start();
    void this.#gossip.start();
    if (config.coordinates && !this.#dialer.isDeployed) {
      void this.#roundTrips.listen().then(() => this.#coordinates.start());
    }
    void this.#servers?.exited.then(() => {
      if (this.#stopping) return;
      this.#log.error("agent.server", "servers ended unexpectedly");
      this.#hooks.ended(1);
    });
    const joined = [...config.startJoin, ...config.retryJoin.addresses].filter(isDirect);
    if (this.#servers && joined.length > 0) await this.#join(joined);
    this.#log.info("agent", "started state syncer");
  }

  async #restore(): Promise<void> {
    await this.#persistence.load();
    const runner = new CheckRunner(this.#state, this.#cluster, {
      log: this.#log,
      tls: () => checkOptions(this.#tls.current, this.config.nodeName),
    });
    this.#running.push(
      runner,
      new LocalClock(this.#state, this.#log, { timers: nodeTimers, nowMs: Date.now }),
      this.#persistence,
    );
  }

  #makeDoors(cluster: Cluster): Doors {
    const tokens = this.#tokens;
    return new Doors({
      ...{ config: this.config, log: this.#log, metrics: this.#metrics, host: this.#host, tokens },
      tls: this.#tls,
      cluster: withDefaultToken(cluster, () => tokens.default),
      dnsCluster: withDefaultToken(cluster, () => tokens.dns),
    });
  }

  #makeTelemetry(): Telemetry {
    return new Telemetry({
      ...{ config: this.config, log: this.#log, metrics: this.#metrics },
      server: (interval) => this.#host.server(interval),
    });
  }

  #makeJoiner(): Joiner {
    const { config } = this;
    const log = this.#log;
    const { startJoin, retryJoin, ports } = config;
    const pool = { name: "LAN", port: ports.serfLan, startJoin, retryJoin } as const;
    return new Joiner({
      ...{ config, log, pool, exhausted: () => this.#hooks.ended(1) },
      found: (addresses) => {
        this.#join(addresses).catch((failure: Error) => {
          log.warn("agent", "Join cluster failed", { error: failure.message });
        });
      },
    });
  }

  #makeGossip(): GossipClient {
    const { config } = this;
    return new GossipClient({
      member: { name: config.nodeName, id: config.nodeId, address: config.advertiseAddress },
      timers: nodeTimers,
      nowMs: Date.now,
      random: Math.random,
      events: this.#events,
      dial: (pathAndQuery) => this.#dial(pathAndQuery, this.#gossipTrouble),
      refused: (error) =>
        this.#gossipTrouble.say({ address: this.#serverList.current() ?? "", error }),
    });
  }

  #makeCoordinates(): Coordinates {
    return new Coordinates({
      nodeNames: nodeNamesOf(this.config),
      cluster: this.#cluster,
      log: this.#log,
      random: seededRandom(Date.now()),
      timers: nodeTimers,
      nowMs: Date.now,
      measure: (peer) => this.#roundTrips.measure(peer),
    });
  }

  #makeLink(): LinkClient {
    const rpc = this.#metrics.counter("client.rpc");
    const frames = this.#metrics.counter("client.frames");
    const deployed = this.#dialer.isDeployed;
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
        const nowMs = Date.now();
        for (let n = 0; n < requests; n++) rpc.add(1, nowMs);
        frames.add(1, nowMs);
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

  async #dial(pathAndQuery: string, trouble: TroubleLog): Promise<LinkSocket> {
    const { datacenter } = this.config;
    const target = `${pathAndQuery}${pathAndQuery.includes("?") ? "&" : "?"}dc=${datacenter}`;
    return this.#servers
      ? await this.#servers.dial(target)
      : await this.#dialer.dial(target, trouble);
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

  async #leaveAndEnd(): Promise<void> {
    await this.leave();
    this.#hooks.ended(0);
  }
}
