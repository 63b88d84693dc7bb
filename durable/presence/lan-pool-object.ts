// Emulated LAN gossip: one hibernating WebSocket for each host agent of a datacenter. An open socket whose pings the
// platform answers is a live member; a lost one becomes suspect, then failed. Verdicts go to the leader from an
// outbox of rows, which are deleted when it answered, so that none is lost and the leader never asks.

import {
  deployedLiveness,
  hostedLiveness,
  isOverdue,
  isStorm,
  type LivenessTiming,
  stormWindowMs,
  verdictAtMs,
} from "../../src/core/gossip/liveness.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import { linkPing, linkPong, memberRefusedCode } from "../../src/link/protocol.ts";
import { sleep } from "../../src/ports/timers.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import {
  type Answer,
  type HostedObject,
  isSuccess,
  jsonAnswer,
  type ObjectSocket,
  type Platform,
  refusal,
  type SocketTerms,
  textOf,
} from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import {
  heardMs,
  type JoiningMember,
  memberOf,
  nameOf,
  parameter,
  parseMember,
} from "./pool-member.ts";
import { heldPath, type Holder, PoolPeers } from "./pool-peers.ts";
import type { MemberFact, MemberStatus } from "../leader/member-registration.ts";
import { serverCount, serverObject } from "../platform/topology.ts";

const deliverTimeoutMs = 5_000;
const outboxRetryMs = 5_000;
const replacedCode = 4_001;
const refusalDelayMs = 50;
const refusedNamesMax = 1_024;
/** A close frame takes 123 bytes. */
const closeReasonLengthMax = 120;
/** Of sockets that are closed as soon as they open; no member has this name. */
const refusedTag = "\u0000refused";

interface MemberRow extends Record<string, string | number | null> {
  name: string;
  id: string;
  address: string;
  status: string;
  /** When it will be called failed, because its socket was lost; null while it has one, or was judged. */
  verdict_ms: number | null;
}

export class LanPoolObject implements HostedObject {
  readonly #platform: Platform;
  readonly #settings: Settings;
  readonly #datacenter: string;
  readonly #sql: Sql;
  readonly #clock: AlarmClock;
  readonly #timing: LivenessTiming;
  readonly #peers: PoolPeers;
  /** Nobody is judged before: so many sockets were lost at once that the cause is rather here. */
  #silentUntilMs = 0;
  /** Names and ids of those who were refused, and logged. */
  readonly #refused = new Map<string, string>();
  #vanishedAtMs: number[] = [];
  #delivering: Promise<void> | null = null;

  constructor(platform: Platform, settings: Settings) {
    this.#platform = platform;
    this.#settings = settings;
    this.#datacenter = platform.objectName.split("/lan/")[0] ?? settings.DEFAULT_DC;
    this.#timing = settings.HOST ? hostedLiveness : deployedLiveness;
    this.#peers = new PoolPeers(platform.objects, settings, this.#datacenter);
    this.#sql = platform.sql;
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS members (
      name TEXT PRIMARY KEY, id TEXT NOT NULL, address TEXT NOT NULL, status TEXT NOT NULL,
      verdict_ms INTEGER) STRICT, WITHOUT ROWID`);
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS outbox (
      name TEXT PRIMARY KEY, fact TEXT NOT NULL) STRICT, WITHOUT ROWID`);
    platform.sockets.autoAnswer(linkPing, linkPong);
    this.#clock = new AlarmClock(platform);
    this.#clock.handle("outbox", () => this.#deliver());
    this.#clock.handle("sweep", () => this.#sweep());
    this.#clock.handle("verdicts", () => this.#judge());
  }

  woke(armedAlarmMs: number | null): void {
    this.#noticeLostSockets();
    this.#clock.loaded(armedAlarmMs);
  }

  call(path: string, body: Uint8Array): Promise<Answer> {
    if (path !== heldPath) return Promise.resolve(refusal(404, "unknown operation"));
    return Promise.resolve(jsonAnswer(this.#held(JSON.parse(textOf(body)) as string[])));
  }

  connect(path: string, query: string): SocketTerms | Answer {
    if (path !== "/gossip") return refusal(404, "no such socket");
    const member = parseMember(parameter(query, "member"));
    if (!member) return refusal(400, "member is missing or malformed");
    const heldBy = this.#liveHolder(member);
    const attachment = { ...member, openedMs: this.#platform.nowMs(), heldBy };
    return { tag: heldBy === null ? member.name : refusedTag, attachment };
  }

  opened(socket: ObjectSocket): void {
    const member = memberOf(socket);
    if (member.heldBy !== null) this.#refuse(socket, member.heldBy);
    // Who was here before need not be asked for elsewhere.
    else if (this.#member(member.name)?.id === member.id) this.#admit(socket);
    else this.#platform.waitUntil(this.#admitUnlessHeldElsewhere(socket));
  }

  async #admitUnlessHeldElsewhere(socket: ObjectSocket): Promise<void> {
    const { name, id } = memberOf(socket);
    const elsewhere = (await this.#peers.held([name])).get(name);
    if (elsewhere !== undefined && elsewhere !== id) this.#refuse(socket, elsewhere);
    else if (this.#platform.sockets.list(name).includes(socket)) this.#admit(socket);
  }

  #refuse(socket: ObjectSocket, holder: string): void {
    const { name, id, address } = memberOf(socket);
    const text = `member name "${name}" is held by the live member with id ${holder}`;
    // It goes on trying: one line for each name.
    if (this.#refused.get(name) !== id) {
      if (this.#refused.size >= refusedNamesMax) this.#refused.clear();
      this.#refused.set(name, id);
      this.#platform.log("warn", `[WARN] refused ${id} (${address}): ${text}`);
    }
    // What a handshake is answered, an agent's WebSocket does not tell it; and before that answer is on its way,
    // workerd drops the close.
    const close = (): void => {
      socket.close(memberRefusedCode, text.slice(0, closeReasonLengthMax));
    };
    this.#platform.waitUntil(sleep(this.#platform.timers, refusalDelayMs).then(close));
  }

  #admit(socket: ObjectSocket): void {
    const { name, id, address } = memberOf(socket);
    // A new socket of the same member replaces the old one, whose close must not count as a loss.
    for (const old of this.#platform.sockets.list(name)) {
      if (old !== socket) old.close(replacedCode, "replaced");
    }
    this.#appeared({ name, id, address });
  }

  /** The id of another live member that has this name here; null when there is none. */
  #liveHolder({ name, id }: JoiningMember): string | null {
    const known = this.#member(name);
    if (known === undefined || known.id === id) return null;
    const nowMs = this.#platform.nowMs();
    const sockets = this.#platform.sockets.list(name);
    return sockets.some((socket) => !isOverdue(heardMs(socket), nowMs)) ? known.id : null;
  }

  async alarm(): Promise<void> {
    const nowMs = this.#platform.nowMs();
    // A pool that this alarm has just constructed has forgotten what it was for. Only sweeps are not in rows.
    if (!this.#clock.isDue(nowMs)) this.#sweep();
    await this.#clock.fire(nowMs);
  }

  /** The only thing a member says is that it leaves. */
  async message(socket: ObjectSocket, message: string | Uint8Array): Promise<void> {
    if (message !== "leave") return socket.close(1007, "malformed frame");
    const row = this.#rowOf(socket);
    if (row) this.#judged(row, "left");
    await this.#deliver();
    socket.send("left");
  }

  closed(socket: ObjectSocket): void {
    this.#lost(socket);
  }

  #appeared(member: JoiningMember): void {
    const known = this.#member(member.name);
    const unchanged =
      known?.status === "alive" &&
      known.verdict_ms === null &&
      known.id === member.id &&
      known.address === member.address;
    if (!unchanged) {
      this.#sql.exec(
        `INSERT INTO members (name, id, address, status, verdict_ms) VALUES (?, ?, ?, 'alive', NULL)
         ON CONFLICT (name) DO UPDATE SET id = excluded.id, address = excluded.address,
           status = 'alive', verdict_ms = NULL`,
        member.name,
        member.id,
        member.address,
      );
    }
    // A member that only reconnects was never reported, so there is nothing to take back.
    const reconnected = known?.status === "alive" && known.address === member.address;
    if (!reconnected || known.id !== member.id) this.#report({ ...member, status: "alive" });
    const sweepMs = this.#platform.nowMs() + this.#timing.sweepIntervalMs;
    if (this.#clock.deadline("sweep") === undefined) this.#clock.set("sweep", sweepMs);
  }

  /** The member whose socket this is; undefined for one that was not taken in. */
  #rowOf(socket: ObjectSocket): MemberRow | undefined {
    const { name, id } = memberOf(socket);
    const row = this.#member(name);
    return row?.id === id ? row : undefined;
  }

  #lost(socket: ObjectSocket): void {
    const row = this.#rowOf(socket);
    const others = this.#platform.sockets.list(nameOf(socket)).filter((other) => other !== socket);
    if (row?.status !== "alive" || row.verdict_ms !== null || others.length > 0) return;
    this.#vanished(row);
  }

  #vanished(row: MemberRow): void {
    const nowMs = this.#platform.nowMs();
    this.#vanishedAtMs = this.#vanishedAtMs.filter((atMs) => nowMs - atMs <= stormWindowMs);
    this.#vanishedAtMs.push(nowMs);
    if (isStorm(this.#vanishedAtMs, this.#aliveCount(), nowMs)) {
      this.#keepSilent(nowMs);
    }
    this.#suspect(row.name, nowMs);
    this.#armVerdicts();
  }

  /** Those who are suspected already are given the time, too. */
  #keepSilent(nowMs: number): void {
    this.#silentUntilMs = nowMs + this.#timing.silenceMs;
    this.#sql.exec(
      "UPDATE members SET verdict_ms = ? WHERE verdict_ms < ?",
      this.#silentUntilMs,
      this.#silentUntilMs,
    );
  }

  #suspect(name: string, nowMs: number): void {
    const { suspicionMs } = this.#timing;
    const silentUntilMs = this.#silentUntilMs;
    const verdictMs = verdictAtMs({ vanishedAtMs: nowMs, silentUntilMs, suspicionMs });
    this.#sql.exec("UPDATE members SET verdict_ms = ? WHERE name = ?", verdictMs, name);
  }

  /**
   * At construction: members without a socket lost it while nobody looked, which is what every deployment and every
   * restart does to all of them. Waking up from sleep loses none, and is no reason for silence.
   */
  #noticeLostSockets(): void {
    const alive = this.#sql.exec<MemberRow>(
      "SELECT * FROM members WHERE status = 'alive' ORDER BY name",
    );
    const nowMs = this.#platform.nowMs();
    const lost = alive.filter(
      ({ name, verdict_ms: verdictMs }) =>
        verdictMs === null && this.#platform.sockets.list(name).length === 0,
    );
    if (lost.length > 0) this.#keepSilent(nowMs);
    for (const { name } of lost) this.#suspect(name, nowMs);
    this.#armVerdicts();
    if (this.#platform.sockets.list().length > 0) {
      this.#clock.set("sweep", nowMs + this.#timing.sweepIntervalMs);
    }
    if (this.#outbox().length > 0) this.#clock.set("outbox", nowMs);
  }

  /** Finds sockets that look open but on which nothing was heard; a pool without sockets has no alarm. */
  #sweep(): void {
    const nowMs = this.#platform.nowMs();
    const sockets = this.#platform.sockets.list();
    for (const socket of sockets) {
      if (!isOverdue(heardMs(socket), nowMs)) continue;
      socket.close(4_000, "no ping");
      this.#lost(socket);
    }
    if (sockets.length > 0) this.#clock.set("sweep", nowMs + this.#timing.sweepIntervalMs);
  }

  async #judge(): Promise<void> {
    const nowMs = this.#platform.nowMs();
    const due = this.#suspects().filter(({ verdict_ms: verdictMs }) => (verdictMs ?? 0) <= nowMs);
    const held = await this.#peers.held(due.map(({ name }) => name));
    for (const row of due) {
      // It may have come back here while the others were asked.
      if (this.#member(row.name)?.verdict_ms !== row.verdict_ms) continue;
      if (held.has(row.name)) this.#sql.exec("DELETE FROM members WHERE name = ?", row.name);
      else this.#judged(row, "failed");
    }
    this.#armVerdicts();
    await this.#deliver();
  }

  /** Those of `names` that have an open socket here. */
  #held(names: readonly string[]): Holder[] {
    return names.flatMap((name): Holder[] => {
      const id = this.#member(name)?.id;
      const isOpen = this.#platform.sockets.list(name).length > 0;
      return id !== undefined && isOpen ? [[name, id]] : [];
    });
  }

  #judged(row: MemberRow, status: MemberStatus): void {
    this.#sql.exec(
      "UPDATE members SET status = ?, verdict_ms = NULL WHERE name = ?",
      status,
      row.name,
    );
    this.#report({ name: row.name, id: row.id, address: row.address, status });
  }

  #armVerdicts(): void {
    const verdicts = this.#suspects().map(({ verdict_ms: verdictMs }) => verdictMs ?? 0);
    if (verdicts.length > 0) this.#clock.set("verdicts", Math.min(...verdicts));
  }

  #report(fact: MemberFact): void {
    this.#sql.exec(
      "INSERT INTO outbox VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET fact = excluded.fact",
      fact.name,
      JSON.stringify(fact),
    );
    this.#platform.waitUntil(this.#deliver());
  }

  /** One delivery at a time; what is reported meanwhile goes with the next. */
  #deliver(): Promise<void> {
    this.#delivering ??= this.#deliverAll().finally(() => {
      this.#delivering = null;
    });
    return this.#delivering;
  }

  async #deliverAll(): Promise<void> {
    for (let rows = this.#outbox(); rows.length > 0; rows = this.#outbox()) {
      if (!(await this.#deliverRows(rows))) {
        this.#clock.set("outbox", this.#platform.nowMs() + outboxRetryMs);
        return;
      }
      for (const { name, fact } of rows) {
        // A newer fact may have replaced the one that was delivered.
        this.#sql.exec("DELETE FROM outbox WHERE name = ? AND fact = ?", name, fact);
      }
    }
  }

  /** To whichever server takes it. */
  async #deliverRows(rows: readonly { fact: string }[]): Promise<boolean> {
    const body = `[${rows.map(({ fact }) => fact).join(",")}]`;
    for (let n = 0; n < serverCount(this.#settings, this.#datacenter); n++) {
      if (await this.#deliverTo(n, body)) return true;
    }
    return false;
  }

  async #deliverTo(n: number, body: string): Promise<boolean> {
    try {
      const server = serverObject(this.#datacenter, n);
      const { objects } = this.#platform;
      return isSuccess(await objects.call(server, "/rpc/members", body, deliverTimeoutMs));
    } catch {
      return false;
    }
  }

  #outbox(): { name: string; fact: string }[] {
    return this.#sql.exec<{ name: string; fact: string }>("SELECT * FROM outbox ORDER BY name");
  }

  #member(name: string): MemberRow | undefined {
    return this.#sql.exec<MemberRow>("SELECT * FROM members WHERE name = ?", name)[0];
  }

  #suspects(): MemberRow[] {
    return this.#sql.exec<MemberRow>(
      "SELECT * FROM members WHERE verdict_ms IS NOT NULL ORDER BY name",
    );
  }

  #aliveCount(): number {
    const [row] = this.#sql.exec<{ count: number }>(
      "SELECT count(*) AS count FROM members WHERE status = 'alive'",
    );
    return row?.count ?? 0;
  }
}
