// Emulated LAN gossip: one hibernating WebSocket for each host agent of a datacenter. An open socket whose pings the
// platform answers is a live member; a lost one becomes suspect, then failed. Verdicts go to the leader from an
// outbox of rows.

import {
  isOverdue,
  isStorm,
  type LivenessTiming,
  nextSweepMs,
  reconnectWindowMs,
  silenceMs,
  stormWindowMs,
  suspicionOf,
  verdictAtMs,
} from "../../src/core/gossip/liveness.ts";
import { knownPattern } from "../../src/core/gossip/user-events.ts";
import { encodePoolHello, linkPing, linkPong, memberRefusedCode } from "../../src/link/protocol.ts";
import { sleep } from "../../src/ports/timers.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import {
  type Answer,
  type HostedObject,
  jsonAnswer,
  type ObjectSocket,
  type Platform,
  refusal,
  type SocketTerms,
  textOf,
} from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import {
  bearerParameter,
  heardMs,
  type JoiningMember,
  memberOf,
  nameOf,
  parameter,
  parseMember,
} from "./pool-member.ts";
import { livenessOf } from "./liveness-settings.ts";
import { type MemberRow, MemberRows } from "./member-rows.ts";
import { Outbox } from "./outbox.ts";
import { sendToAll } from "../platform/sockets.ts";
import { poolEvents } from "./event-peers.ts";
import type { PoolEvents } from "./pool-events.ts";
import { evictPath, heldPath, type Holder, PoolPeers, rosterPath } from "./pool-peers.ts";
import type { MemberFact, MemberStatus } from "../leader/member-registration.ts";
import { serverCount } from "../platform/topology.ts";

const outboxRetryMs = 5_000;
const replacedCode = 4_001;
const refusalDelayMs = 50;
/** A storm that goes on lengthens the silence in steps of this. */
const silenceStepMs = 1_000;
const refusedNamesMax = 1_024;
/** A close frame takes 123 bytes. */
const closeReasonLengthMax = 120;
/** Of sockets that are closed as soon as they open; no member has this name. */
const refusedTag = "\u0000refused";

export class LanPoolObject implements HostedObject {
  readonly #platform: Platform;
  readonly #datacenter: string;
  readonly #members: MemberRows;
  readonly #clock: AlarmClock;
  readonly #timing: LivenessTiming;
  /** Memory is lost with the process alone, and everybody's sockets with it. */
  readonly #isHosted: boolean;
  readonly #peers: PoolPeers;
  readonly #outbox: Outbox;
  readonly #events: PoolEvents;
  /** Nobody is judged before: so many sockets were lost at once that the cause is rather here. */
  #silentUntilMs = 0;
  /** Names and ids of those who were refused, and logged. */
  readonly #refused = new Map<string, string>();
  #vanishedAtMs: number[] = [];
  /** Names of those whose verdict waits a second time, for members of a pool that does not answer. */
  readonly #putOff = new Set<string>();

  constructor(platform: Platform, settings: Settings) {
    this.#platform = platform;
    this.#datacenter = platform.objectName.split("/lan/")[0] ?? settings.DEFAULT_DC;
    this.#timing = livenessOf(settings);
    this.#isHosted = settings.HOST !== undefined;
    this.#peers = new PoolPeers(platform.objects, settings, this.#datacenter, platform.objectName);
    this.#members = new MemberRows(platform.sql);
    this.#outbox = new Outbox({
      sql: platform.sql,
      objects: platform.objects,
      datacenter: this.#datacenter,
      servers: serverCount(settings, this.#datacenter),
      undelivered: () => this.#clock.set("outbox", platform.nowMs() + outboxRetryMs),
    });
    this.#events = poolEvents(platform, settings, this.#peers, {
      deliver: (frame) => this.#tellMembers(frame),
      repairIn: (delayMs) => this.#clock.set("events", platform.nowMs() + delayMs),
    });
    platform.sockets.autoAnswer(linkPing, linkPong);
    this.#clock = new AlarmClock(platform);
    this.#clock.handle("outbox", () => this.#outbox.deliver());
    this.#clock.handle("events", () => this.#events.repair());
    this.#clock.handle("sweep", () => this.#sweep());
    this.#clock.handle("verdicts", () => this.#judge());
  }

  woke(armedAlarmMs: number | null): void {
    const members = this.#members.load();
    this.#noticeLostSockets(members);
    this.#noticeUnansweredSockets(members);
    this.#clock.loaded(armedAlarmMs);
    this.#events.woke();
  }

  #tellMembers(frame: string): void {
    const members = this.#platform.sockets.list().filter((socket) => this.#rowOf(socket));
    sendToAll(members, frame);
  }

  /** Whoever was still being looked up when memory was lost has a socket, and is no member. */
  #noticeUnansweredSockets(members: readonly MemberRow[]): void {
    const ids = new Map(members.map(({ name, id }) => [name, id]));
    for (const socket of this.#platform.sockets.list()) {
      const { name, id } = memberOf(socket);
      if (ids.get(name) !== id && this.#isUnanswered(socket))
        this.#platform.waitUntil(this.#admitUnlessHeldElsewhere(socket));
    }
  }

  #isUnanswered(socket: ObjectSocket): boolean {
    const { heldBy, left } = memberOf(socket);
    return heldBy === null && left !== true && this.#rowOf(socket) === undefined;
  }

  call(path: string, body: Uint8Array): Promise<Answer> {
    const answer = this.#events.call(path, body);
    if (answer) return Promise.resolve(answer);
    if (path === evictPath) {
      this.#evict(JSON.parse(textOf(body)) as string[]);
      return Promise.resolve(jsonAnswer(true));
    }
    if (path === rosterPath) return Promise.resolve(jsonAnswer(this.#members.roster()));
    if (path !== heldPath) return Promise.resolve(refusal(404, "unknown operation"));
    return Promise.resolve(jsonAnswer(this.#held(JSON.parse(textOf(body)) as string[])));
  }

  connect(path: string, query: string): SocketTerms | Answer {
    if (path !== "/gossip") return refusal(404, "no such socket");
    const member = parseMember(parameter(query, "member"));
    if (!member) return refusal(400, "member is missing or malformed");
    const heldBy = this.#liveHolder(member);
    const known = parameter(query, "known") ?? "";
    const bearer = parameter(query, bearerParameter) ?? "";
    const attachment = {
      ...{ ...member, openedMs: this.#platform.nowMs(), heldBy },
      ...(knownPattern.test(known) && { known }),
      ...(bearer !== "" && { bearer }),
    };
    return { tag: heldBy === null ? member.name : refusedTag, attachment };
  }

  opened(socket: ObjectSocket): void {
    const member = memberOf(socket);
    if (member.heldBy !== null) this.#refuse(socket, member.heldBy);
    // Who was here before need not be asked for elsewhere.
    else if (this.#members.find(member.name)?.id === member.id) this.#admit(socket);
    else this.#platform.waitUntil(this.#admitUnlessHeldElsewhere(socket));
  }

  async #admitUnlessHeldElsewhere(socket: ObjectSocket): Promise<void> {
    const { name, id } = memberOf(socket);
    const elsewhere = await this.#peers.holderOf(name);
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
      this.#platform.log("warn", `refused ${id} (${address}): ${text}`);
    }
    // What a handshake is answered, an agent's WebSocket does not tell it; and before that answer is on its way,
    // workerd drops the close.
    const close = (): void => {
      socket.close(memberRefusedCode, text.slice(0, closeReasonLengthMax));
    };
    this.#platform.waitUntil(sleep(this.#platform.timers, refusalDelayMs).then(close));
  }

  #admit(socket: ObjectSocket): void {
    const { name, id, address, known = "" } = memberOf(socket);
    // A new socket of the same member replaces the old one, whose close must not count as a loss.
    for (const old of this.#platform.sockets.list(name)) {
      if (old !== socket) old.close(replacedCode, "replaced");
    }
    this.#appeared({ name, id, address });
    const missed = this.#events.missedBy(known);
    const { clock } = this.#events;
    socket.send(encodePoolHello({ reconnectSpreadMs: this.#reconnectMs(), clock }));
    if (missed !== null) socket.send(missed);
  }

  #reconnectMs(): number {
    return reconnectWindowMs(this.#timing, this.#members.count);
  }

  /** The id of another live member that has this name here; null when there is none. */
  #liveHolder({ name, id }: JoiningMember): string | null {
    const known = this.#members.find(name);
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
    socket.attachment = { ...memberOf(socket), left: true };
    await this.#outbox.deliver();
    socket.send("left");
  }

  closed(socket: ObjectSocket): void {
    this.#lost(socket);
  }

  /** Their tokens have ended: they are members no more, and may say so themselves no more. */
  #evict(bearers: readonly string[]): void {
    for (const socket of this.#platform.sockets.list()) {
      const { bearer } = memberOf(socket);
      if (bearer === undefined || !bearers.includes(bearer)) continue;
      socket.close(memberRefusedCode, "its token was revoked");
      this.closed(socket);
    }
  }

  #appeared(member: JoiningMember): void {
    const known = this.#members.find(member.name);
    this.#putOff.delete(member.name);
    const unchanged =
      known?.verdict_ms === null && known.id === member.id && known.address === member.address;
    if (!unchanged) this.#members.put(member);
    // A member that only reconnects was never reported, so there is nothing to take back.
    const reconnected = known?.id === member.id && known.address === member.address;
    if (!reconnected) this.#report({ ...member, status: "alive" });
    if (this.#clock.deadline("sweep") === undefined) this.#armSweep();
  }

  /** The member whose socket this is; undefined for one that was not taken in. */
  #rowOf(socket: ObjectSocket): MemberRow | undefined {
    const { name, id } = memberOf(socket);
    const row = this.#members.find(name);
    return row?.id === id ? row : undefined;
  }

  #lost(socket: ObjectSocket): void {
    const row = this.#rowOf(socket);
    const others = this.#platform.sockets.list(nameOf(socket)).filter((other) => other !== socket);
    if (row?.verdict_ms !== null || others.length > 0) return;
    this.#vanished(row);
  }

  #vanished(row: MemberRow): void {
    const nowMs = this.#platform.nowMs();
    this.#vanishedAtMs = this.#vanishedAtMs.filter((atMs) => nowMs - atMs <= stormWindowMs);
    this.#vanishedAtMs.push(nowMs);
    if (isStorm(this.#vanishedAtMs, this.#members.count, nowMs)) {
      this.#keepSilent(nowMs);
    }
    const verdictMs = this.#suspect(row.name, nowMs);
    const armedMs = this.#clock.deadline("verdicts") ?? Number.POSITIVE_INFINITY;
    if (verdictMs < armedMs) this.#clock.set("verdicts", verdictMs);
  }

  /** Those who are suspected already are given the time, too: not for each that vanishes, since it is a row of each. */
  #keepSilent(nowMs: number): void {
    const untilMs = nowMs + silenceMs(this.#timing, this.#members.count);
    if (untilMs - this.#silentUntilMs < silenceStepMs) return;
    this.#silentUntilMs = untilMs;
    this.#members.putOff(untilMs);
  }

  /** Gives back when the verdict is due. */
  #suspect(name: string, nowMs: number): number {
    const suspicionMs = suspicionOf(this.#timing, this.#members.count);
    const silentUntilMs = this.#silentUntilMs;
    const verdictMs = verdictAtMs({ vanishedAtMs: nowMs, silentUntilMs, suspicionMs });
    this.#members.suspect(name, verdictMs);
    return verdictMs;
  }

  /**
   * At construction: members without a socket lost it while nobody looked, which is what every deployment and every
   * restart does to all of them. Waking up from sleep loses none, and is no reason for silence. A process that ended in
   * an orderly way has seen the sockets go, and suspects everybody; while it was away nobody could come back.
   */
  #noticeLostSockets(members: readonly MemberRow[]): void {
    const nowMs = this.#platform.nowMs();
    const absent = members.filter(({ name }) => this.#platform.sockets.list(name).length === 0);
    const lost = absent.filter(({ verdict_ms: verdictMs }) => verdictMs === null);
    // Verdicts change with what is found: only then are they read again.
    const isAnew = lost.length > 0 || (this.#isHosted && absent.length > 0);
    if (isAnew) this.#keepSilent(nowMs);
    for (const { name } of lost) this.#suspect(name, nowMs);
    this.#armVerdicts(isAnew ? this.#members.suspects() : members);
    this.#armSweep();
    if (!this.#outbox.isEmpty) this.#clock.set("outbox", nowMs);
  }

  /** Finds sockets that look open but on which nothing was heard; a pool without sockets has no alarm. */
  #sweep(): void {
    const nowMs = this.#platform.nowMs();
    for (const socket of this.#platform.sockets.list()) {
      if (!isOverdue(heardMs(socket), nowMs)) continue;
      socket.close(4_000, "no ping");
      this.#lost(socket);
    }
    this.#armSweep();
  }

  #armSweep(): void {
    const sockets = this.#platform.sockets.list();
    if (sockets.length === 0) return this.#clock.clear("sweep");
    const nowMs = this.#platform.nowMs();
    this.#clock.set("sweep", nextSweepMs(sockets.map(heardMs), this.#timing, nowMs));
  }

  async #judge(): Promise<void> {
    const nowMs = this.#platform.nowMs();
    const due = this.#members
      .suspects()
      .filter(({ verdict_ms: verdictMs }) => (verdictMs ?? 0) <= nowMs);
    const held = await this.#peers.heldAnywhere(due);
    for (const row of due) {
      // It may have come back here while the others were asked.
      if (this.#members.find(row.name)?.verdict_ms !== row.verdict_ms) continue;
      if (held.names.has(row.name)) this.#forget(row.name);
      // Whoever is at a server that has gone silent takes some seconds to look for another one. Once: it may be gone.
      else if (!held.allAnswered && !this.#putOff.has(row.name)) {
        this.#putOff.add(row.name);
        this.#suspect(row.name, this.#platform.nowMs());
      } else this.#judged(row, "failed");
    }
    this.#armVerdicts();
    await this.#outbox.deliver();
  }

  /** Who of `names` has an open socket here; one that is refused has none. */
  #held(names: readonly string[]): Holder[] {
    return names.flatMap((name): Holder[] => {
      const sockets = this.#platform.sockets.list(name);
      const id = this.#members.find(name)?.id;
      if (id !== undefined && sockets.length > 0) return [[name, id, true]];
      const waiting = sockets.find((socket) => this.#isUnanswered(socket));
      return waiting ? [[name, memberOf(waiting).id, false]] : [];
    });
  }

  #forget(name: string): void {
    this.#putOff.delete(name);
    this.#members.remove(name);
  }

  #judged({ name, id, address }: MemberRow, status: MemberStatus): void {
    this.#forget(name);
    this.#report({ name, id, address, status });
  }

  #armVerdicts(members: readonly MemberRow[] = this.#members.suspects()): void {
    const verdicts = members.flatMap(({ verdict_ms: verdictMs }) => verdictMs ?? []);
    if (verdicts.length > 0) this.#clock.set("verdicts", Math.min(...verdicts));
  }

  #report(fact: MemberFact): void {
    this.#outbox.put(fact);
    this.#platform.waitUntil(this.#outbox.deliver());
  }
}
