// One running agent: puts the parts together in the order in which Consul starts them, and takes them apart again.

import { seededRandom } from "../core/lib/random.ts";
import { UserEvents } from "../core/gossip/user-events.ts";
import { applyFileDefinitions } from "../core/agent/file-definitions.ts";
import type { LocalAgentState } from "../core/agent/local-state.ts";
import { LocalServices } from "../core/agent/local-services.ts";
import { deployedPace, hostedPace } from "../core/agent/sync-interval.ts";
import { LinkClient, type LinkSocket } from "../link/client.ts";
import type { RelayedAnswer } from "../link/pool-frames.ts";
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
import { GossipKeyring } from "./gossip/keyring.ts";
import { Mesh } from "./gossip/mesh.ts";
import { GossipClient } from "./link/gossip.ts";
import { HostAgent } from "./host-agent.ts";
import { AutoEncryptServer } from "./auto-encrypt/server.ts";
import { Dialer } from "./link/dialer.ts";
import { Joining } from "./link/joining.ts";
import { logLeader } from "./leader-log.ts";
import { leaveDatacenter } from "./leaving.ts";
import { LocalClock } from "./local-clock.ts";
import type { AgentLog } from "./log.ts";
import { type Metrics, metricsOf } from "./metrics.ts";
import { Persistence } from "./persistence.ts";
import { TroubleLog } from "./rare-log.ts";
import { roundTripMs } from "./round-trips.ts";
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

/** What runs before the agent's other parts. */
interface Begun {
  servers: Servers | null;
  tls: TlsMaterial;
  keyring: GossipKeyring;
  mesh: Mesh;
  autoEncrypt: AutoEncryptServer | null;
}

export class Agent {
  readonly config: ResolvedAgentConfig;
  readonly #log: AgentLog;
  readonly #hooks: AgentHooks;
  readonly #servers: Servers | null;
  readonly #tls: TlsMaterial;
  readonly #dialer: Dialer;
  readonly #link: LinkClient;
  /** Shows the agent's own token. */
  readonly #cluster: Cluster;
  readonly #tokens: TokenStore;
  readonly #gossip: GossipClient;
  readonly #events: UserEvents;
  readonly #coordinates: Coordinates;
  readonly #state: LocalAgentState;
  readonly #central: CentralConfig | null;
  readonly #sync: AntiEntropy;
  readonly #host: HostAgent;
  readonly #persistence: Persistence;
  readonly #metrics: Metrics;
  readonly #joining: Joining;
  readonly #keyring: GossipKeyring;
  readonly #mesh: Mesh;
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
    { servers, tls, keyring, mesh, autoEncrypt }: Begun,
  ) {
    this.config = config;
    this.#log = log;
    this.#hooks = hooks;
    [this.#servers, this.#tls] = [servers, tls];
    [this.#keyring, this.#mesh] = [keyring, mesh];
    this.#metrics = metricsOf(config);
    this.#linkTrouble = new TroubleLog(log, "cannot open the link to a server");
    this.#gossipTrouble = new TroubleLog(log, "cannot open the gossip socket");
    this.#lossTrouble = new TroubleLog(log, "left server", lossAgainMs);
    this.#joining = new Joining({ config, log, servers, exhausted: () => hooks.ended(1) });
    this.#tokens = new TokenStore(config.acl, config.dataDir, log);
    this.#dialer = new Dialer({
      ...{ config, log, tls, servers: this.#joining.servers, tokens: this.#tokens },
      gossipKey: () => (config.gossip.verifyOutgoing ? keyring.primary : ""),
      stopping: () => this.#stopping,
    });
    this.#link = this.#makeLink();
    const pace = this.#dialer.isDeployed ? deployedPace : hostedPace;
    const cluster = new LinkCluster(this.#link, config.datacenter, pace.waitMs);
    this.#cluster = withDefaultToken(cluster, () => this.#tokens.agent);
    this.#run(autoEncrypt?.start(cluster), this.#dialer.autoEncrypt?.start(cluster));
    this.#state = makeState(config);
    const services = new LocalServices(this.#state, Date.now);
    const { nodeName } = config;
    this.#events = new UserEvents({ nodeName, services: () => services.services() });
    this.#events.listen((name) => this.#metrics.serfEvent(name));
    this.#gossip = this.#makeGossip();
    this.#persistence = new Persistence(config, this.#state, log);
    const watched = { state: this.#state, cluster: this.#cluster, timers: nodeTimers, log, pace };
    this.#central = config.followsEntries ? new CentralConfig(watched) : null;
    this.#sync = new AntiEntropy({
      ...watched,
      random: seededRandom(Date.now()),
    });
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
      gossip: () => ({ isSealed: keyring.primary !== "", health: mesh.health }),
      keys: (command) => mesh.keys.run(command, this.#relay),
      join: (addresses) => this.#joining.join(addresses),
      joinWan: (address) => this.#joining.joinWan(address),
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
    const keyring = GossipKeyring.open(config, log);
    const mesh = new Mesh({ config, keyring, log });
    const autoEncrypt = config.tls.autoEncrypt.allowTls ? new AutoEncryptServer(tls) : null;
    const begun = { tls, keyring, mesh, autoEncrypt };
    const servers = config.server ? await startServers(config, log, begun) : null;
    const agent = new Agent(config, log, hooks, { ...begun, servers });
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
    this.#joining.stop();
    this.#gossip.stop();
    this.#coordinates.stop();
    this.#mesh.stop();
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
    const hasLeft = await leaveDatacenter({ ...parts, sync: this.#sync, log: this.#log });
    if (hasLeft) this.#mesh.leave();
  }

  async #start(): Promise<void> {
    const { config } = this;
    this.#watches = new Watches({ log: this.#log, address: apiAddress(config) });
    this.#run(this.#makeTelemetry(), this.#watches);
    const restored = Promise.withResolvers<void>();
    await this.#doors.open(restored.promise);
    await this.#keyring.save();
    await this.#joining.start();
    const parts = { config, cluster: this.#cluster, log: this.#log };
    void this.#link.start().then(() => logLeader(parts, () => this.#stopping));
    // With the doors open, because thousands of services take a while to be read.
    await this.#restore();
    restored.resolve();
    this.#watches.start(config.watches);
    this.#sync.start();
    // In a deployment agents do not speak to each other, and know nothing of the way.
    if (!this.#dialer.isDeployed) {
      await this.#mesh.listen();
      if (config.coordinates) this.#coordinates.start();
    }
    void this.#gossip.start();
    void this.#servers?.exited.then(() => {
      if (this.#stopping) return;
      this.#log.error("agent.server", "servers ended unexpectedly");
      this.#hooks.ended(1);
    });
    await this.#joining.tellServers();
    this.#log.info("agent", "started state syncer");
  }

  async #restore(): Promise<void> {
    await this.#persistence.load();
    const runner = new CheckRunner(this.#state, this.#cluster, {
      log: this.#log,
      tls: () => checkOptions(this.#tls.current, this.config.nodeName),
    });
    this.#run(
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

  /** Asks all agents; null in a deployment. */
  get #relay(): ((text: string) => Promise<RelayedAnswer[]>) | null {
    return this.#dialer.isDeployed ? null : (text) => this.#gossip.relay(text);
  }

  #makeGossip(): GossipClient {
    const { config } = this;
    this.#mesh.unreachable = (names) => this.#gossip.report(names);
    return new GossipClient({
      member: { name: config.nodeName, id: config.nodeId, address: config.advertiseAddress },
      timers: nodeTimers,
      nowMs: Date.now,
      random: Math.random,
      events: this.#events,
      prober: this.#mesh,
      dial: (pathAndQuery) => this.#dial(pathAndQuery, this.#gossipTrouble),
      refused: (error) =>
        this.#gossipTrouble.say({ address: this.#joining.servers.current() ?? "", error }),
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
      measure: (peer) => roundTripMs(peer, this.#mesh, this.config.ports.serfLan),
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
      hasOthers: () => deployed || this.#joining.servers.size > 1,
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
        if (!this.#servers) this.#joining.servers.add(servers.map((address) => `ws://${address}`));
        this.#log.debug("agent", "linked to server", { server: serverName });
        this.#sync.want("full");
      },
      onClose: (reason) => {
        const server = this.#joining.servers.current() ?? "its own";
        this.#lossTrouble.say({ server, reason });
        this.#joining.servers.next();
        this.#gossip.doubt();
      },
    });
  }

  /** What ends with the agent, before all else. */
  #run(...parts: ({ stop(): unknown } | undefined)[]): void {
    this.#running.push(...parts.filter((part) => part !== undefined));
  }

  async #connect(): Promise<LinkSocket> {
    try {
      return await this.#dial("/link", this.#linkTrouble);
    } catch (failure) {
      this.#joining.servers.next();
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

  async #leaveAndEnd(): Promise<void> {
    await this.leave();
    this.#hooks.ended(0);
  }
}
