// The agent's DNS over UDP, TCP and TLS: sockets around the resolver of core/dns. Names outside the zones go to the
// configured recursors as they came, and their answers come back as they are.

import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { createServer, isIPv6, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { joinHostPort } from "../../core/lib/host-port.ts";
import { answerMessage, type DnsTransport, servfail } from "../../core/dns/message.ts";
import type { DnsSettings } from "../../core/dns/settings.ts";
import { seededRandom } from "../../core/lib/random.ts";
import { drive, type DnsSource } from "../../dns-source.ts";
import type { Cluster, ReadOptions, ReadReply } from "../../ports/cluster.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import type { Metric } from "../../core/lib/interval-metrics.ts";
import { DnsAnswers } from "./answers.ts";
import type { TlsMaterial } from "../tls/material.ts";
import { secureOptions } from "../tls/options.ts";
import { Recursors } from "./recursors.ts";
import { DnsStreams, streamLimits } from "./streams.ts";

/** Whoever speaks TLS keeps its connection, which costs more to open. */
const tlsIdleMs = 30_000;
const handshakeMs = 5_000;

export interface DnsParts {
  config: ResolvedAgentConfig;
  cluster: Cluster;
  /** Questions, by UDP and TCP. */
  queries: Metric;
}

function settingsOf({ dns, datacenter }: ResolvedAgentConfig): DnsSettings {
  return { ...dns, datacenter, hasRecursors: dns.recursors.length > 0 };
}

export class DnsServer {
  #settings: DnsSettings;
  #source: DnsSource;
  #recursors: Recursors;
  readonly #random = seededRandom(Date.now());
  readonly #answers = new DnsAnswers();
  readonly #queries: Metric;
  readonly #cluster: Cluster;
  readonly #open: { close(): unknown }[] = [];

  constructor({ config, cluster, queries }: DnsParts) {
    this.#queries = queries;
    this.#cluster = cluster;
    this.#settings = settingsOf(config);
    this.#recursors = new Recursors(config.dns.recursors, config.dns.recursorTimeoutMs);
    this.#source = this.#makeSource(config);
  }

  /** Takes over all but the domains. Questions on their way are still answered as before. */
  reload(config: ResolvedAgentConfig): void {
    const { domain, altDomain } = this.#settings;
    this.#settings = { ...settingsOf(config), domain, altDomain };
    this.#recursors = new Recursors(config.dns.recursors, config.dns.recursorTimeoutMs);
    this.#source = this.#makeSource(config);
    this.forget();
  }

  #makeSource(config: ResolvedAgentConfig): DnsSource {
    return {
      cluster: this.#cluster,
      agent: config.nodeName,
      translatesFrom: config.translateWanAddresses ? config.datacenter : undefined,
      options: readOptions(config),
      host: (name) => this.#recursors.addresses(name),
    };
  }

  /** Listens on UDP and TCP. Rejects with Go's text when it cannot. */
  async listen(host: string, port: number): Promise<void> {
    const udp = createSocket({ type: isIPv6(host) ? "udp6" : "udp4", reuseAddr: false });
    this.#open.push(udp);
    udp.on("message", (message, from) => void this.#datagram(udp, message, from));
    await listening(udp, () => udp.bind(port, host), `listen udp ${joinHostPort(host, port)}`);
    const streams = new DnsStreams((message, client) => this.#asked(message, "stream", client));
    const tcp = createServer({ allowHalfOpen: true }, (socket) => {
      if (streams.admit(socket)) streams.serve(socket);
    });
    this.#open.push(tcp, streams);
    await listening(tcp, () => tcp.listen(port, host), `listen tcp ${joinHostPort(host, port)}`);
  }

  /** Listens for TLS. Rejects with Go's text when it cannot. */
  async listenTls(host: string, port: number, material: TlsMaterial): Promise<void> {
    const streams = new DnsStreams((message, client) => this.#asked(message, "encrypted", client), {
      ...streamLimits,
      idleMs: tlsIdleMs,
    });
    const options = { allowHalfOpen: true, handshakeTimeout: handshakeMs };
    const tls = createTlsServer({
      ...secureOptions(material.current),
      ...options,
      ALPNProtocols: ["dot"],
    });
    // Counted before the handshake, which is what is dear.
    tls.on("connection", (socket: Socket) => {
      socket.on("error", () => socket.destroy());
      streams.admit(socket);
    });
    tls.on("secureConnection", (socket) => streams.serve(socket));
    tls.on("tlsClientError", (_failure, socket) => socket.destroy());
    material.listen((state) => tls.setSecureContext(secureOptions(state)));
    this.#open.push(tls, streams);
    await listening(tls, () => tls.listen(port, host), `listen tcp ${joinHostPort(host, port)}`);
  }

  /** Drops the answers that are kept. */
  forget(): void {
    this.#answers.forget();
  }

  close(): void {
    for (const one of this.#open) one.close();
  }

  async #datagram(udp: UdpSocket, message: Uint8Array, from: RemoteInfo): Promise<void> {
    this.#queries.add(1, Date.now());
    const kept = this.#answers.find(message);
    const reply = kept ?? (await this.#answer(message, "datagram", from.address));
    if (reply) udp.send(reply, from.port, from.address, () => undefined);
  }

  async #asked(
    message: Uint8Array,
    transport: DnsTransport,
    client: string,
  ): Promise<Uint8Array | null> {
    this.#queries.add(1, Date.now());
    return await this.#answer(message, transport, client);
  }

  async #answer(
    message: Uint8Array,
    transport: DnsTransport,
    clientAddress: string,
  ): Promise<Uint8Array | null> {
    try {
      const nowSeconds = Math.floor(Date.now() / 1_000);
      const settings = this.#settings;
      const context = { settings, random: this.#random, nowSeconds, clientAddress };
      const reads: ReadReply[] = [];
      let isOurs = true;
      const source: DnsSource = {
        ...this.#source,
        onRead: (reply) => void reads.push(reply),
        recurse: async () => {
          isOurs = false;
          return await this.#recursors.forward(message, transport);
        },
      };
      const reply = await drive(answerMessage(message, transport, context), source);
      if (reply && isOurs && transport === "datagram") this.#answers.keep(message, reply, reads);
      return reply;
    } catch {
      return message.length >= 12 ? servfail(message) : null;
    }
  }
}

function readOptions({ dns }: ResolvedAgentConfig): ReadOptions {
  // Followed, so that a name that is asked for often is answered from memory, and also while no server is there.
  if (!dns.allowStale) return { cached: true };
  return { cached: true, consistency: "stale", maxStaleMs: dns.maxStaleMs };
}

function listening(socket: UdpSocket | Server, open: () => void, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (failure: NodeJS.ErrnoException): void => {
      const reason = failure.code === "EADDRINUSE" ? "address already in use" : failure.message;
      reject(new Error(`${what}: bind: ${reason}`));
    };
    socket.once("error", failed);
    socket.once("listening", () => {
      socket.off("error", failed);
      socket.on("error", () => undefined);
      resolve();
    });
    open();
  });
}
