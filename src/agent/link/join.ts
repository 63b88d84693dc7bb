// Joining as Consul's flags ask for it: `-join` once, which must work or the agent ends; `-retry-join` until one works,
// at most `-retry-max` times. Whatever is tried says in one line what came of it.

import { type Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

import { connectionOptions, linkAbroad } from "../../link/peer-tls.ts";
import type { ResolvedAgentConfig, RetryJoinConfig } from "../config/types.ts";
import type { AgentLog } from "../log.ts";
import { type PeerConfig, readPeerTls } from "../tls/peers.ts";
import { findAddresses, type Found } from "./find.ts";
import { outsideAgent } from "./outside.ts";
import { isDeployment, withPort } from "./server-list.ts";

const joinTimeoutMs = 3_000;

/** What is joined: the agents of a datacenter, or the servers of all of them. */
export interface JoinedPool {
  name: "LAN" | "WAN";
  /** Where its members listen, unless an address says otherwise. */
  port: number;
  startJoin: readonly string[];
  retryJoin: RetryJoinConfig;
}

export interface JoinParts {
  pool: JoinedPool;
  config: Pick<ResolvedAgentConfig, "advertiseAddress" | "bindAddress"> & PeerConfig;
  log: Pick<AgentLog, "info" | "warn" | "error">;
  /** Why nothing that can be joined is at an address; null when something is. Replaced in tests. */
  probe?: (address: string) => Promise<string | null>;
  /** What names, services and commands stand for. Replaced in tests. */
  find?: (given: readonly string[]) => Promise<Found>;
  /** Addresses at which agents may be, before any is tried. */
  found?(addresses: readonly string[]): void;
  /** Calls `run` after `delayMs`; returns what cancels it. Replaced in tests. */
  delay?: (delayMs: number, run: () => void) => () => void;
  /** Called with what could be reached. */
  reached?: (addresses: readonly string[]) => void;
  /** The last attempt of `-retry-join` failed: the agent is to end with 1. */
  exhausted(): void;
}

export class Joiner {
  readonly #parts: Required<JoinParts>;
  #attempts = 0;
  #cancel = (): void => undefined;
  #stopped = false;

  constructor(parts: JoinParts) {
    const probe = (address: string): Promise<string | null> =>
      probeAddress(address, parts.config, parts.pool.name);
    const nothing = (): void => undefined;
    const defaults = { probe, find: findAddresses, found: nothing, reached: nothing };
    this.#parts = { ...defaults, delay: systemDelay, ...parts };
  }

  /** Rejects when `-join` named only addresses that cannot be joined. Goes on retrying `-retry-join` by itself. */
  async start(): Promise<void> {
    const { startJoin, retryJoin } = this.#parts.pool;
    if (startJoin.length > 0) {
      const failure = await this.#tryAll(startJoin);
      if (failure !== null) throw new Error(`failed to join: ${failure}`);
    }
    if (retryJoin.addresses.length > 0) void this.#retry();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #retry(): Promise<void> {
    const { pool, log, delay, exhausted } = this.#parts;
    const { addresses, intervalMs, attemptsMax } = pool.retryJoin;
    const failure = await this.#tryAll(addresses);
    if (this.#stopped || failure === null) return;
    this.#attempts += 1;
    if (attemptsMax > 0 && this.#attempts >= attemptsMax) {
      log.error("agent", "max join retry exhausted, exiting", { error: failure });
      return exhausted();
    }
    log.warn("agent", "Join cluster failed, will retry", {
      cluster: pool.name,
      retry_interval: `${intervalMs / 1_000}s`,
      error: failure,
    });
    this.#cancel = delay(intervalMs, () => void this.#retry());
  }

  /** Null when one of them could be reached; this agent itself is nobody to join. */
  async #tryAll(addresses: readonly string[]): Promise<string | null> {
    const { pool, log, probe, find, found, reached } = this.#parts;
    const key = `${pool.name.toLowerCase()}_addresses`;
    log.info("agent", `(${pool.name}) joining`, { [key]: addresses.join(" ") });
    const known = await find(addresses);
    if (known.addresses.length > 0) found(known.addresses);
    const targets = known.addresses.map((address) => withPort(address, pool.port));
    const others = targets.filter((target) => !this.#isSelf(target));
    const failures = await Promise.all(
      others.map(async (target) => {
        const failure = await probe(target);
        return failure === null ? null : `Failed to join ${target}: ${failure}`;
      }),
    );
    const joined = others.filter((_target, at) => failures[at] === null);
    if (joined.length > 0 || (others.length === 0 && known.failures.length === 0)) {
      log.info("agent", `(${pool.name}) joined`, { number_of_nodes: String(joined.length) });
      reached(joined);
      return null;
    }
    return [...known.failures, ...failures].join("; ");
  }

  #isSelf(target: string): boolean {
    const { pool, config } = this.#parts;
    return [config.advertiseAddress, config.bindAddress].some(
      (address) => target === withPort(address, pool.port),
    );
  }
}

function systemDelay(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

/** What is asked for after joining: it decides whose certificate will do. */
const asksFor = { LAN: "/link", WAN: linkAbroad } as const;

/** Whether a server listens at `host:port`, or a deployment at a URL; null, or why not in Go's words. */
export async function probeAddress(
  address: string,
  config: PeerConfig,
  pool: JoinedPool["name"] = "LAN",
): Promise<string | null> {
  const isDeployed = isDeployment(address);
  const url = isDeployed ? address : `http://${address}`;
  if (!URL.canParse(url)) return "no address that can be joined";
  const target = address.replace(/^https?:\/\//, "");
  try {
    if (isDeployed) return await probeUrl(url, target, outsideAgent(url, config));
    const secured = readPeerTls(config);
    if (!secured) return await probeUrl(url, target, undefined);
    const agent = new HttpsAgent(connectionOptions(secured, asksFor[pool]));
    return await probeUrl(`https://${address}`, target, agent);
  } catch (failure) {
    return (failure as Error).message;
  }
}

function probeUrl(
  url: string,
  target: string,
  agent: HttpAgent | undefined,
): Promise<string | null> {
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const attempt = request(
      url,
      { ...(agent && { agent }), timeout: joinTimeoutMs },
      (response) => {
        response.resume();
        resolve(null);
      },
    );
    attempt.on("timeout", () => attempt.destroy(new Error("i/o timeout")));
    attempt.on("error", (failure: NodeJS.ErrnoException) => {
      const reason =
        failure.code === "ECONNREFUSED" ? "connect: connection refused" : failure.message;
      resolve(`dial tcp ${target}: ${reason}`);
    });
    attempt.end();
  });
}

/**
 * Why a WebSocket to a server could not be opened, which Node's own does not tell: what the same request is answered
 * without the upgrade.
 */
export async function socketRefusal(url: string, headers: Record<string, string>): Promise<string> {
  try {
    const response = await fetch(url.replace(/^ws/, "http"), {
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(joinTimeoutMs),
    });
    const text = (await response.text()).slice(0, 200);
    return response.status === 426 ? "the connection was lost" : `${response.status} ${text}`;
  } catch (failure) {
    const { cause } = failure as { cause?: Error };
    return cause?.message ?? (failure as Error).message;
  }
}
