// An agent that has its certificate of the servers (`auto_encrypt.tls`): it asks for one before it first speaks to a
// server, again when 60 to 90 % of its life is over, and soon when another key signs. Key and certificate are in memory
// only; a restart asks anew, as in Consul.

import { Agent as HttpsAgent } from "node:https";

import { agentCommonName, agentUri } from "../../core/model/spiffe.ts";
import { connectionOptions } from "../../link/peer-tls.ts";
import type { Cluster } from "../../ports/cluster.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import { proofHeaders } from "../link/gossip-proof.ts";
import { postOutside } from "../link/outside.ts";
import type { AgentLog } from "../log.ts";
import { nodeTimers } from "../timers.ts";
import type { TlsMaterial } from "../tls/material.ts";
import { peerTls } from "../tls/peers.ts";
import { type AutoEncryptAnswer, autoEncryptPath, decodeAnswer } from "./protocol.ts";
import { type ConnectRoots, followRoots } from "./roots.ts";

/** Part of a certificate's life after which it may be renewed, and by which it is. */
const renewal = { from: 0.6, to: 0.9 } as const;
/** When another key signs, not all agents ask at once. */
const rotationSpreadMs = 30_000;
const retryMs = 15_000;
const timeoutMs = 10_000;
const dayMs = 86_400_000;

export interface AutoEncryptClientParts {
  config: ResolvedAgentConfig;
  tls: TlsMaterial;
  log: Pick<AgentLog, "info" | "warn">;
  /** Of a server, as a URL of a WebSocket; null while none is known. */
  server(): string | null;
  /** The one that is shown; "" for none. */
  gossipKey(): string;
  /** The agent's own; "" for none. */
  token(): string;
}

export class AutoEncryptClient {
  readonly #parts: AutoEncryptClientParts;
  readonly #end = new AbortController();
  #asking: Promise<void> | null = null;
  #endsMs = 0;
  #signer: string | null = null;
  #timer: ReturnType<typeof nodeTimers.set> = null;

  constructor(parts: AutoEncryptClientParts) {
    this.#parts = parts;
  }

  start(cluster: Pick<Cluster, "read">): this {
    void followRoots(cluster, this.#end.signal, (roots) => this.#rootsChanged(roots));
    return this;
  }

  stop(): void {
    this.#end.abort();
    nodeTimers.clear(this.#timer);
  }

  /** Resolves when there is a certificate that holds. Rejects when this server gives none. */
  async ensure(url: string): Promise<void> {
    if (Date.now() < this.#endsMs) return;
    await this.#shared(url);
  }

  async #shared(url: string): Promise<void> {
    this.#asking ??= this.#ask(url).finally(() => (this.#asking = null));
    await this.#asking;
  }

  #rootsChanged({ roots, signer }: ConnectRoots): void {
    const { tls } = this.#parts;
    tls.give({ ...tls.given, vouched: roots });
    if (this.#signer !== null && this.#signer !== signer) {
      this.#renewIn(Math.random() * rotationSpreadMs);
    }
    this.#signer = signer;
  }

  async #renew(): Promise<void> {
    const { server, log } = this.#parts;
    try {
      const url = server();
      if (url === null) throw new Error("no servers are known");
      await this.#shared(url);
      log.info("agent.auto_encrypt", "renewed the certificate of this agent");
    } catch (failure) {
      const { message: error } = failure as Error;
      log.warn("agent.auto_encrypt", "cannot renew the certificate of this agent", { error });
      this.#renewIn(retryMs);
    }
  }

  #renewIn(delayMs: number): void {
    if (this.#end.signal.aborted) return;
    nodeTimers.clear(this.#timer);
    // A timer holds no more than some weeks.
    const next = delayMs > dayMs ? () => this.#renewIn(delayMs - dayMs) : () => void this.#renew();
    this.#timer = nodeTimers.set(next, Math.min(delayMs, dayMs));
  }

  async #ask(url: string): Promise<void> {
    const { config, tls } = this.#parts;
    const { trustDomain } = await this.#post(url, "");
    // What makes certificates is large, and loaded by those who need it.
    const [{ createRequest }, { exportKey, generateKey }] = await Promise.all([
      import("../../connect/certificates.ts"),
      import("../../connect/keys.ts"),
    ]);
    const key = await generateKey("ec", 256);
    const { nodeName, datacenter } = config;
    const { dnsNames, addresses } = config.tls.autoEncrypt;
    const csr = await createRequest(key, {
      uri: agentUri(trustDomain, datacenter, nodeName),
      commonName: agentCommonName(trustDomain, nodeName),
      names: { dns: ["localhost", ...dnsNames], ip: ["127.0.0.1", "::1", ...addresses] },
    });
    const { certificate, validAfter, validBefore, ...answer } = await this.#post(url, csr);
    const { roots: vouched, verifyServerHostname } = answer;
    const pair = { cert: certificate, key: await exportKey(key) };
    tls.give({ pair, vouched, verifyServerHostname });
    const [fromMs, toMs] = [Date.parse(validAfter), Date.parse(validBefore)];
    this.#endsMs = toMs;
    const part = renewal.from + (renewal.to - renewal.from) * Math.random();
    this.#renewIn(Math.max(retryMs, fromMs + (toMs - fromMs) * part - Date.now()));
  }

  async #post(url: string, csr: string): Promise<AutoEncryptAnswer> {
    const { config, tls, gossipKey, token } = this.#parts;
    const secured = peerTls(tls.current, config);
    if (!secured) throw new Error("auto_encrypt.tls needs TLS");
    // Shows nothing, lest a certificate that has ended keeps this agent outside.
    const agent = new HttpsAgent(connectionOptions({ ...secured, pair: null }, autoEncryptPath));
    const headers = {
      ...proofHeaders(gossipKey(), autoEncryptPath, Date.now()),
      ...(token() === "" ? {} : { "x-consul-token": token() }),
    };
    const { status, text } = await postOutside(url.replace(/^ws/, "https") + autoEncryptPath, {
      ...{ agent, headers, body: { csr }, timeoutMs },
    });
    const answer = status === 200 ? decodeAnswer(text) : null;
    if (!answer) throw new Error(`no certificate: ${status} ${text.slice(0, 200)}`);
    return answer;
  }
}
