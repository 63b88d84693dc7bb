// Opens sockets to servers and pools: of one's own on the network, which are shown that this agent knows the gossip
// key, or of a deployment, which is shown the token of this node.

import { Agent as HttpsAgent } from "node:https";

import type { LinkSocket } from "../../link/client.ts";
import { AutoEncryptClient } from "../auto-encrypt/client.ts";
import { connectionOptions, type PeerTls } from "../../link/peer-tls.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import type { AgentLog } from "../log.ts";
import type { TroubleLog } from "../rare-log.ts";
import type { TlsMaterial } from "../tls/material.ts";
import { peerTls } from "../tls/peers.ts";
import type { TokenStore } from "../token-store.ts";
import { openDeploymentSocket, Refused } from "./deployment-socket.ts";
import { proofHeaders } from "./gossip-proof.ts";
import { socketRefusal } from "./join.ts";
import { NodeCredential } from "./node-credential.ts";
import { outsideAgent, postOutside } from "./outside.ts";
import { isDeployment, type ServerList } from "./server-list.ts";
import { openSocket } from "./socket.ts";

const joinTimeoutMs = 15_000;

export interface DialerParts {
  config: ResolvedAgentConfig;
  servers: Pick<ServerList, "current">;
  tokens: TokenStore;
  tls: TlsMaterial;
  /** The one to show; "" for none. */
  gossipKey(): string;
  log: AgentLog;
  /** The agent ends: nobody wants to know any more why a socket could not be opened. */
  stopping(): boolean;
}

export class Dialer {
  readonly #parts: DialerParts;
  readonly #credential: NodeCredential;
  /** Gets this agent its certificate before it first speaks to a server; null where it has its own. */
  readonly autoEncrypt: AutoEncryptClient | null;
  /** What is joined is a deployment. */
  readonly isDeployed: boolean;

  constructor(parts: DialerParts) {
    this.#parts = parts;
    const { config, log, tokens } = parts;
    const { startJoin, retryJoin, dataDir, datacenter, joinToken } = config;
    const { nodeName: node, nodeId: id } = config;
    this.isDeployed = [...startJoin, ...retryJoin.addresses].some(isDeployment);
    this.#credential = new NodeCredential({
      ...{ dataDir: this.isDeployed ? dataDir : "", node, id, datacenter, joinToken, log },
      nowMs: Date.now,
      post: (url, headers, body) => {
        const agent = outsideAgent(url, config);
        return postOutside(url, { agent, headers, body, timeoutMs: joinTimeoutMs });
      },
    });
    this.autoEncrypt = config.tls.autoEncrypt.tls
      ? new AutoEncryptClient({
          ...{ config, tls: parts.tls, log, gossipKey: parts.gossipKey },
          server: () => parts.servers.current(),
          token: () => tokens.agent,
        })
      : null;
    tokens.nodeToken = () => this.#credential.token;
  }

  /** Says in `trouble` why it could not, beside the next attempt, which must not wait for an explanation. */
  async dial(target: string, trouble: TroubleLog): Promise<LinkSocket> {
    const url = this.#parts.servers.current();
    if (url === null) throw new Error("no servers are known");
    return this.isDeployed
      ? await this.#dialDeployment(url, target, trouble)
      : await this.#dialServer(url, target, trouble);
  }

  async #dialServer(url: string, target: string, trouble: TroubleLog): Promise<LinkSocket> {
    const { config, tokens, tls, stopping } = this.#parts;
    await this.#certified(url, trouble);
    const secured = peerTls(tls.current, config);
    const { agent: token } = tokens;
    const headers = {
      ...proofHeaders(this.#parts.gossipKey(), target, Date.now()),
      ...(token === "" ? {} : { "x-consul-token": token }),
    };
    if (secured) return await this.#dialSecured(url + target, { headers, secured, trouble });
    try {
      return await openSocket({ url: url + target, headers });
    } catch (failure) {
      void socketRefusal(url + target, headers).then((error) => {
        if (!stopping()) trouble.say({ address: url, error });
      });
      throw failure;
    }
  }

  async #certified(url: string, trouble: TroubleLog): Promise<void> {
    try {
      await this.autoEncrypt?.ensure(url);
    } catch (failure) {
      if (!this.#parts.stopping()) trouble.say({ address: url, error: (failure as Error).message });
      throw failure;
    }
  }

  async #dialSecured(
    url: string,
    parts: { headers: Record<string, string>; secured: PeerTls; trouble: TroubleLog },
  ): Promise<LinkSocket> {
    const { headers, secured, trouble } = parts;
    const agent = new HttpsAgent(connectionOptions(secured, new URL(url).pathname));
    try {
      return await openDeploymentSocket(url.replace(/^ws:/, "wss:"), headers, {
        ...{ agent, compress: false },
      });
    } catch (failure) {
      const error = (failure as Error).message;
      if (!this.#parts.stopping()) trouble.say({ address: new URL(url).origin, error });
      throw failure;
    }
  }

  async #dialDeployment(url: string, target: string, trouble: TroubleLog): Promise<LinkSocket> {
    const { config, tokens, stopping } = this.#parts;
    const credential = this.#credential;
    try {
      await credential.ensure(url.replace(/^ws/, "http"));
      const headers = tokens.agent === "" ? {} : { "x-consul-token": tokens.agent };
      const full = url + withNode(target, config.nodeName);
      return await openDeploymentSocket(full, headers, { agent: outsideAgent(url, config) });
    } catch (failure) {
      if (failure instanceof Refused && failure.status === 403) credential.refused();
      if (!stopping()) trouble.say({ address: url, error: (failure as Error).message });
      throw failure;
    }
  }
}

/** A link names nobody by itself. */
function withNode(target: string, node: string): string {
  if (!target.startsWith("/link")) return target;
  return `${target}${target.includes("?") ? "&" : "?"}node=${encodeURIComponent(node)}`;
}
