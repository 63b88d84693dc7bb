// Who may ask what at the ports of a server: `/link`, `/gossip`, and of servers `/rpc/<op>` and `/rpc/link`, and
// nothing else, each behind its own key or a certificate. A door without either is open to addresses that nobody far
// away can have; `/rpc` of a public server without either is open to this host alone.

import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { BlockList } from "node:net";

import { isServersName, linkAbroad } from "../../link/peer-tls.ts";
import { gossipProofHeader, serverKeyHeader } from "../../link/protocol.ts";
import { isLoopback, isNear } from "../config/addresses.ts";
import { networkList, within } from "../config/networks.ts";
import type { ResolvedAgentConfig } from "../config/types.ts";
import { autoEncryptPath } from "../auto-encrypt/protocol.ts";
import { GossipProofs } from "../link/gossip-proof.ts";

export interface Refusal {
  status: 403 | 404 | 426;
  text: string;
  /** What to log; null for what anybody's browser may do by accident. */
  why: string | null;
}

export interface Asked {
  /** Path and query, as they were sent. */
  target: string;
  headers: IncomingHttpHeaders;
  /** Address of the other end. */
  from: string;
  method: string;
  /** It asks for a WebSocket. */
  upgrade: boolean;
  /** DNS names of the certificate that an authority of ours vouches for; null when none was shown. */
  certificate: readonly string[] | null;
  /** It came by TLS. */
  secure: boolean;
}

type TrustConfig = Pick<
  ResolvedAgentConfig,
  "gossipKey" | "serverKey" | "gossipNetworks" | "advertiseAddress" | "bindAddress" | "datacenter"
> & {
  readonly gossip: Pick<ResolvedAgentConfig["gossip"], "verifyIncoming">;
  readonly dns: Pick<ResolvedAgentConfig["dns"], "domain">;
  readonly tls: Pick<
    ResolvedAgentConfig["tls"],
    "verifyServerHostname" | "verifyIncomingRpc" | "autoEncrypt"
  >;
};

export class Trust {
  readonly #config: TrustConfig;
  readonly #networks: BlockList | null;
  readonly #isPublic: boolean;
  readonly #keys: () => readonly string[];
  readonly #proofs: GossipProofs;

  /** `keys`: the gossip keys, at each time; else the one that is configured. */
  constructor(config: TrustConfig, keys?: () => readonly string[]) {
    this.#config = config;
    this.#keys = keys ?? (() => (config.gossipKey === "" ? [] : [config.gossipKey]));
    this.#proofs = new GossipProofs(this.#keys);
    this.#networks = config.gossipNetworks && networkList(config.gossipNetworks);
    this.#isPublic = !isNear(config.advertiseAddress);
  }

  /** Null when the request may go on. */
  refusal(asked: Asked): Refusal | null {
    const { target, method, headers, upgrade } = asked;
    const [path = ""] = target.split("?");
    const { verifyIncomingRpc, autoEncrypt } = this.#config.tls;
    const isBare = asked.certificate === null && verifyIncomingRpc && autoEncrypt.allowTls;
    // The handshake let it through without one only to ask for one.
    if (isBare && path !== autoEncryptPath) {
      return refused("the client shows no certificate");
    }
    // Every browser says so when it posts or opens a socket for a page; servers and agents have no origin.
    if (headers.origin !== undefined) return notForBrowsers;
    if (path === "/link" || path === "/gossip") {
      return this.#agentRefusal(asked) ?? (upgrade ? null : webSocketExpected);
    }
    if (path === autoEncryptPath) return this.#newcomerRefusal(asked);
    const isCall = method === "POST" && !upgrade && /^\/rpc\/[a-z-]+$/.test(path);
    if (isCall && ownCalls.has(path)) return notForPeers;
    if (isCall || (upgrade && path === linkAbroad)) return this.#serverRefusal(asked, path);
    return { status: 404, text: "only servers and agents talk here", why: null };
  }

  /** An agent that asks for a certificate, which it cannot show yet. */
  #newcomerRefusal(asked: Asked): Refusal | null {
    const { method, upgrade, secure } = asked;
    const isAsked = this.#config.tls.autoEncrypt.allowTls && method === "POST" && !upgrade;
    if (!isAsked) return { status: 404, text: "only servers and agents talk here", why: null };
    if (!secure) return refused("certificates are given by TLS only");
    return this.#agentRefusal({ ...asked, certificate: null });
  }

  #agentRefusal({ headers, from, target, certificate }: Asked): Refusal | null {
    if (this.#networks && !within(this.#networks, from)) {
      return refused("serf_lan_allowed_cidrs does not have this address");
    }
    const proof = headers[gossipProofHeader];
    const isOpen = this.#keys().length === 0;
    // On the way to a key, or away from it, those who do not have it are taken as if there were none.
    const isPassed = proof === undefined && !this.#config.gossip.verifyIncoming;
    if (isOpen || isPassed) return certificate || isNear(from) ? null : tooFar("encrypt");
    const why = this.#proofs.refusal(proof, target, Date.now());
    return why === null ? null : refused(why);
  }

  /** What a client may show never makes it a server: its certificate has another name, and its keys are other keys. */
  #serverRefusal({ headers, from, certificate, secure }: Asked, path: string): Refusal | null {
    const { serverKey, datacenter, dns, tls } = this.#config;
    const naming = { datacenter, domain: dns.domain };
    if (certificate && isServersName(certificate, path, naming)) return null;
    if (secure && tls.verifyServerHostname) {
      return refused(`no certificate for server.${datacenter}.${dns.domain} was shown`);
    }
    if (serverKey === "") {
      const near = this.#isPublic ? isLoopback(from) : isNear(from);
      return near ? null : tooFar("server_key");
    }
    return shows(headers[serverKeyHeader], serverKey) ? null : refused("the server key is wrong");
  }
}

const webSocketExpected: Refusal = { status: 426, text: "expected a WebSocket", why: null };

/** What only the agent of these servers asks of them, which does not come through a port. */
const ownCalls = new Set(["/rpc/federate-join", "/rpc/join", "/rpc/leave"]);

const notForPeers: Refusal = {
  status: 403,
  text: "only this server's own agent may ask that",
  why: "it asked for what only this server's own agent may ask for",
};

const notForBrowsers: Refusal = { status: 403, text: "pages have no business here", why: null };

function refused(why: string): Refusal {
  return { status: 403, text: why, why };
}

function tooFar(key: string): Refusal {
  return refused(`without ${key} only loopback and private addresses are trusted`);
}

/** Takes the same time wherever the difference is. */
function shows(shown: string | string[] | undefined, key: string): boolean {
  const given = Buffer.from(typeof shown === "string" ? shown : "");
  const wanted = Buffer.from(key);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
