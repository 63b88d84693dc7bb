// Leases: a service stays registered while somebody holds it, by a socket that sleeps with this object, or by renewing
// it in time. For code that has no host and no last word, such as functions that are simply ended. A socket that has
// gone silent (its pings are answered by the platform) is lost; whoever lost its last holder is deregistered after the
// grace that was asked for.

import type { LocalAgentState } from "../../src/core/agent/local-state.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import { linkPing, linkPong } from "../../src/link/protocol.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import {
  type Answer,
  type ObjectSocket,
  refusal,
  type Sockets,
  type SocketTerms,
} from "../platform/platform.ts";

export const leaseSocket = "/lease";
export const leaseTag = "lease";
/** Holders ping every 30 s. */
const silenceMsMax = 90_000;
/** A deploy, or the platform, may drop all sockets at once: their holders come back within this time. */
const returnMs = 30_000;
const socketsMax = 5_000;
/** What is asked for is given with this share of it more. */
const writeShare = 4;
const silentCode = 4_008;
const deregisteredCode = 4_004;

interface LeaseRow extends Record<string, string | number | null> {
  service: string;
  grace_ms: number;
  /** Null while a socket holds it. */
  until_ms: number | null;
}

export interface EdgeLeasesParts {
  sql: Sql;
  sockets: Sockets;
  state: LocalAgentState;
  clock: AlarmClock;
  nowMs(): number;
  /** A service was deregistered. */
  ended(): void;
}

export class EdgeLeases {
  readonly #parts: EdgeLeasesParts;
  /** Open sockets by what they hold: those that outlived the memory are found again when it wakes. */
  readonly #holders = new Map<string, Set<ObjectSocket>>();

  constructor(parts: EdgeLeasesParts) {
    this.#parts = parts;
    const { sql, sockets, state, clock } = parts;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS agent_lease (service TEXT NOT NULL, grace_ms INTEGER NOT NULL, " +
        "until_ms INTEGER, PRIMARY KEY (service)) STRICT, WITHOUT ROWID",
    );
    sockets.autoAnswer(linkPing, linkPong);
    clock.handle("lease", () => this.#end());
    state.rows.subscribe(({ type, id }) => {
      if (type === "service" && !state.rows.services.has(id)) this.#gone(id);
    });
  }

  /** At waking: sockets that are not there any more were lost meanwhile. */
  resume(): void {
    for (const socket of this.#parts.sockets.list(leaseTag)) this.#hold(socket);
    for (const { service, grace_ms: graceMs, until_ms: untilMs } of this.#rows()) {
      if (untilMs !== null || this.#holders.has(service)) continue;
      this.#write(service, graceMs, this.#parts.nowMs() + Math.max(graceMs, returnMs));
    }
    this.#arm();
  }

  #hold(socket: ObjectSocket): void {
    const service = serviceOf(socket);
    const holders = this.#holders.get(service) ?? new Set();
    this.#holders.set(service, holders.add(socket));
  }

  /** `query`: `service` and `grace`, in ms. */
  connect(query: string): SocketTerms | Answer {
    const { state, sockets, nowMs } = this.#parts;
    const parameters = new URLSearchParams(query);
    const service = parameters.get("service") ?? "";
    if (!state.rows.services.has(service)) return refusal(404, `Unknown service "${service}"`);
    if (sockets.list(leaseTag).length >= socketsMax)
      return refusal(503, "too many leases are held here");
    const graceMs = Number(parameters.get("grace"));
    return { tag: leaseTag, attachment: { lease: service, graceMs, openedMs: nowMs() } };
  }

  opened(socket: ObjectSocket): void {
    this.#hold(socket);
    this.#write(serviceOf(socket), graceOf(socket), null);
    this.#armBy(lastSignMs(socket) + silenceMsMax);
  }

  closed(socket: ObjectSocket): void {
    const service = serviceOf(socket);
    const holders = this.#holders.get(service);
    if (!holders?.delete(socket) || holders.size > 0) return;
    this.#holders.delete(service);
    if (!this.#parts.state.rows.services.has(service)) return;
    const untilMs = this.#parts.nowMs() + graceOf(socket);
    this.#write(service, graceOf(socket), untilMs);
    this.#armBy(untilMs);
  }

  /** Holds a service for `ttlMs` from now. False when there is none of this id. */
  renew(service: string, ttlMs: number): boolean {
    const { state, nowMs } = this.#parts;
    if (!state.rows.services.has(service)) return false;
    if (this.#holders.has(service)) return true;
    const untilMs = nowMs() + ttlMs;
    const [row] = this.#parts.sql.exec<LeaseRow>(
      "SELECT * FROM agent_lease WHERE service = ? ORDER BY service",
      service,
    );
    // Written with a little more, so that the next renewals may go unwritten.
    const endMs = untilMs + ttlMs / writeShare;
    const standingMs = row?.until_ms ?? 0;
    if (standingMs >= untilMs && standingMs <= endMs) return true;
    this.#write(service, ttlMs, endMs);
    this.#armBy(endMs);
    return true;
  }

  /** What is over is deregistered, and who is silent is lost. */
  #end(): void {
    const { sockets, state, nowMs } = this.#parts;
    const now = nowMs();
    for (const socket of sockets.list(leaseTag)) {
      if (now - lastSignMs(socket) < silenceMsMax) continue;
      socket.close(silentCode, "no ping in time");
      this.closed(socket);
    }
    const over = this.#rows().filter(({ until_ms: untilMs }) => untilMs !== null && untilMs <= now);
    for (const { service } of over) state.deregisterService(service, now);
    this.#arm();
    if (over.length > 0) this.#parts.ended();
  }

  #gone(service: string): void {
    this.#parts.sql.exec("DELETE FROM agent_lease WHERE service = ?", service);
    const holders = this.#holders.get(service) ?? [];
    this.#holders.delete(service);
    for (const socket of holders) socket.close(deregisteredCode, "the service is gone");
  }

  #armBy(atMs: number): void {
    const { clock } = this.#parts;
    clock.set("lease", Math.min(atMs, clock.deadline("lease") ?? Number.POSITIVE_INFINITY));
  }

  #arm(): void {
    const { clock, sockets } = this.#parts;
    const ends = this.#rows().flatMap(({ until_ms: untilMs }) => untilMs ?? []);
    // From what the platform remembers, so that waking does not put it off.
    const silent = sockets.list(leaseTag).map((socket) => lastSignMs(socket) + silenceMsMax);
    if (ends.length + silent.length === 0) clock.clear("lease");
    else clock.set("lease", Math.min(...ends, ...silent));
  }

  #rows(): LeaseRow[] {
    return this.#parts.sql.exec<LeaseRow>("SELECT * FROM agent_lease ORDER BY service");
  }

  #write(service: string, graceMs: number, untilMs: number | null): void {
    this.#parts.sql.exec(
      "INSERT INTO agent_lease VALUES (?, ?, ?) ON CONFLICT (service) " +
        "DO UPDATE SET grace_ms = excluded.grace_ms, until_ms = excluded.until_ms",
      service,
      graceMs,
      untilMs,
    );
  }
}

export function isLease({ attachment }: ObjectSocket): boolean {
  return typeof attachment?.["lease"] === "string";
}

function serviceOf({ attachment }: ObjectSocket): string {
  return String(attachment?.["lease"]);
}

function graceOf({ attachment }: ObjectSocket): number {
  return Number(attachment?.["graceMs"]);
}

function lastSignMs({ attachment, autoAnsweredMs }: ObjectSocket): number {
  return Math.max(Number(attachment?.["openedMs"]), autoAnsweredMs ?? 0);
}
