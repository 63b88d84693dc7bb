// This agent among the others of its datacenter (decision 22): SWIM's state machine with a clock, a gossip port and a
// seal. What it cannot reach it tells the pool, through whoever listens; what the pool asks it finds out.

import { type BlockList } from "node:net";

import type { Peer } from "../../core/gossip/swim/members.ts";
import { unpackMessage } from "../../core/gossip/swim/messages.ts";
import { type Reached, type Sent, Swim } from "../../core/gossip/swim/swim.ts";
import { seededRandom } from "../../core/lib/random.ts";
import { isNear } from "../config/addresses.ts";
import { networkList, within } from "../config/networks.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import type { AgentLog } from "../log.ts";
import { RefusalLog } from "../rare-log.ts";
import { nodeTimers } from "../timers.ts";
import { datagramBytesMax, Datagrams } from "./datagrams.ts";
import { KeyCommands } from "./key-commands.ts";
import type { GossipKeyring } from "./keyring.ts";
import { Seal } from "./seal.ts";
import { Streams } from "./streams.ts";

export type MeshConfig = Pick<
  ResolvedAgentConfig,
  "nodeName" | "advertiseAddress" | "gossipNetworks" | "gossip" | "server"
> & { readonly ports: Pick<ResolvedAgentConfig["ports"], "serfLan" | "server"> };

export interface MeshParts {
  config: MeshConfig;
  keyring: GossipKeyring;
  log: Pick<AgentLog, "debug" | "warn">;
}

type From = { address: string; port: number; stream?: number };

export class Mesh {
  readonly #parts: MeshParts;
  readonly #networks: BlockList | null;
  readonly #refusals: RefusalLog;
  readonly #datagrams: Datagrams;
  readonly #streams: Streams;
  readonly seal: Seal;
  readonly keys: KeyCommands;
  readonly #swim: Swim;
  readonly #asking = new Map<number, (reached: Reached) => void>();
  #timer: ReturnType<typeof nodeTimers.set> = null;
  #port: number | null = null;
  #dropped = 0;
  #unreachable: (names: string[]) => void = () => undefined;

  constructor(parts: MeshParts) {
    this.#parts = parts;
    const { config, log, keyring } = parts;
    const { gossipNetworks, nodeName: name, advertiseAddress: host, ports, gossip } = config;
    this.#networks = gossipNetworks && networkList(gossipNetworks);
    this.#refusals = new RefusalLog(log, "agent.gossip", "dropped what came to the gossip port");
    this.#datagrams = new Datagrams((datagram, from) => this.#received(datagram, from));
    this.#streams = new Streams({
      received: (message, from) => this.#received(message, from),
      refused: (from, why) => this.#drop(from, why),
    });
    const { verifyIncoming, verifyOutgoing, timing, reconnectTimeoutMs: forgetMs } = gossip;
    const keys = (): readonly string[] => keyring.keys;
    this.seal = new Seal({ keys, verifyIncoming, verifyOutgoing, nowMs: Date.now });
    this.keys = new KeyCommands({ keyring, seal: this.seal });
    // Greater than that of any earlier process of this node.
    const incarnation = Math.floor(Date.now() / 1_000);
    const self = { name, host, port: Math.max(0, ports.serfLan), incarnation };
    const random = seededRandom(Math.floor(Math.random() * 2 ** 32));
    this.#swim = new Swim({ self, timing, random, forgetMs }, performance.now());
  }

  /** Where it listens for datagrams; null: nowhere. */
  get port(): number | null {
    return this.#port;
  }

  /** From 0, well, to 8: how much this agent doubts that it hears what others say. */
  get health(): number {
    return this.#swim.membership.health;
  }

  /** How much came that was none of an agent's of this datacenter. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Who hears of members that do not answer by any way. */
  set unreachable(heard: (names: string[]) => void) {
    this.#unreachable = heard;
  }

  /** Says in the log when the port cannot be had: then this agent is known by its socket to a pool alone. */
  async listen(): Promise<void> {
    const { config, log } = this.#parts;
    const { serfLan: port, server } = config.ports;
    if (port <= 0) return;
    try {
      await this.#datagrams.listen(config.gossip.bindAddress, port);
      this.#port = port;
      // Where there are servers, their port takes what comes by TCP.
      const isTaken = config.server || port === server;
      if (!isTaken) await this.#streams.listen(config.gossip.bindAddress, port);
    } catch (failure) {
      const error = (failure as Error).message;
      log.warn("agent.gossip", "cannot listen for other agents", { error });
    }
  }

  /** A connection that came to the gossip port of a server. */
  accept(socket: Parameters<Streams["accept"]>[0]): void {
    this.#streams.accept(socket);
  }

  introduce(peers: readonly Peer[]): void {
    if (this.#port === null) return;
    this.#swim.introduce(peers, performance.now());
    this.#act();
  }

  /** Whether there is a socket to a pool. */
  connected(isConnected: boolean): void {
    this.#swim.uneasy = !isConnected;
    this.#act();
  }

  /** Whether another agent can be reached; null when this one cannot find out. */
  reach(peer: Peer): Promise<Reached | null> {
    if (this.#port === null) return Promise.resolve(null);
    const id = this.#swim.reach(peer, performance.now());
    if (id === null) return Promise.resolve(null);
    const asked = new Promise<Reached>((resolve) => this.#asking.set(id, resolve));
    this.#act();
    return asked;
  }

  answer(relayed: string): Promise<string | null> {
    return this.keys.answer(relayed);
  }

  /** Tells some others that this agent leaves. */
  leave(): void {
    this.#swim.leave(performance.now());
    this.#act();
  }

  stop(): void {
    nodeTimers.clear(this.#timer);
    this.#port = null;
    this.#datagrams.close();
    this.#streams.close();
    for (const [id, answer] of this.#asking) answer({ id, isReached: false, roundTripMs: null });
    this.#asking.clear();
  }

  #received(sealed: Buffer, { address, port, stream }: From): void {
    if (sealed.length > datagramBytesMax) return this.#drop(address, "it is too long");
    if (this.#networks && !within(this.#networks, address)) {
      return this.#drop(address, "serf_lan_allowed_cidrs does not have this address");
    }
    const opened = this.seal.open(sealed);
    if ("why" in opened) return this.#drop(address, opened.why);
    if (opened.key === null && !isNear(address)) {
      return this.#drop(address, "without encrypt only loopback and private addresses are trusted");
    }
    const message = unpackMessage(opened.bytes);
    if (!message) return this.#drop(address, "it is no message of an agent");
    const source = { host: address, port, ...(stream !== undefined && { stream }) };
    this.#swim.heard(message, source, performance.now());
    this.#act();
  }

  #drop(address: string, why: string): void {
    this.#dropped += 1;
    this.#refusals.note(address, why);
  }

  /** Does what the state machine asks for, and arms its timer. */
  #act(): void {
    if (this.#port === null) return;
    const { datagrams, streams, reached, unreachable } = this.#swim.take();
    for (const sent of datagrams) this.#send(sent);
    for (const { to, bytes } of streams) {
      this.#streams.send(this.seal.close(bytes), to.host, to.port);
    }
    for (const each of reached) {
      this.#asking.get(each.id)?.(each);
      this.#asking.delete(each.id);
    }
    if (unreachable.length > 0) {
      this.#parts.log.debug("agent.gossip", "cannot reach", { members: unreachable.join(" ") });
      this.#unreachable(unreachable);
    }
    nodeTimers.clear(this.#timer);
    const { dueMs } = this.#swim;
    if (dueMs === null) return;
    const delayMs = Math.max(1, dueMs - performance.now());
    this.#timer = nodeTimers.set(() => {
      this.#swim.wake(performance.now());
      this.#act();
    }, delayMs);
  }

  #send({ to, bytes }: Sent): void {
    const sealed = this.seal.close(bytes);
    if (to.stream === undefined) this.#datagrams.send(sealed, to.host, to.port);
    else this.#streams.answer(to.stream, sealed);
  }
}
