// Emulated LAN gossip: one hibernating WebSocket for each host agent of a datacenter. An open socket whose pings the
// platform answers is a live member; a lost one becomes suspect, then failed. Verdicts go to the leader from an
// outbox of rows.

import {
  isOverdue,
  type LivenessTiming,
  nextSweepMs,
  overdueMs,
  reconnectWindowMs,
} from "../../src/core/gossip/liveness.ts";
import { knownPattern } from "../../src/core/gossip/user-events.ts";
import { encodePoolHello, linkPing, linkPong, memberRefusedCode } from "../../src/link/protocol.ts";
import { decodeAgentFrame } from "../../src/link/pool-frames.ts";
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
  parameter,
  parseMember,
} from "./pool-member.ts";
import { livenessOf } from "./liveness-settings.ts";
import { type MemberRow, MemberRows } from "./member-rows.ts";
import { Outbox } from "./outbox.ts";
import { sendToAll } from "../platform/sockets.ts";
import { poolEvents } from "./event-peers.ts";
import type { PoolEvents } from "./pool-events.ts";
import { askedAbout, Doubts } from "./doubts.ts";
import {
  evictPath,
  heldPath,
  type Holder,
  PoolPeers,
  relayPath,
  rosterPath,
} from "./pool-peers.ts";
import { PoolQuestions } from "./pool-questions.ts";
import { Refusals } from "./refusals.ts";
import { Relays } from "./relays.ts";
import { SecondSign } from "./second-sign.ts";
import { Verdicts } from "./verdicts.ts";
import type { MemberStatus } from "../leader/member-registration.ts";
import { serverCount } from "../platform/topology.ts";

const outboxRetryMs = 5_000;
const replacedCode = 4_001;
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
  readonly #refusals: Refusals;
  readonly #questions: PoolQuestions;
  readonly #secondSign: SecondSign;
  readonly #doubts: Doubts;
  readonly #relays: Relays;
  readonly #verdicts: Verdicts;

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
    this.#refusals = new Refusals(platform);
    this.#questions = new PoolQuestions(platform.timers);
    this.#secondSign = new SecondSign(platform, this.#questions);
    this.#doubts = new Doubts({
      platform,
      sign: (socket) => this.#secondSign.of(askedAbout(socket)),
      gone: (socket) => this.#silent(socket),
      checkAt: (atMs) => {
        const armedMs = this.#clock.deadline("doubts") ?? Number.POSITIVE_INFINITY;
        if (atMs < armedMs) this.#clock.set("doubts", atMs);
      },
    });
    this.#relays = new Relays({
      ...{ questions: this.#questions, peers: this.#peers },
      members: () => this.#memberSockets(),
    });
    platform.sockets.autoAnswer(linkPing, linkPong);
    this.#clock = new AlarmClock(platform);
    this.#verdicts = new Verdicts({
      ...{ platform, members: this.#members, clock: this.#clock, timing: this.#timing },
      ...{ peers: this.#peers, secondSign: this.#secondSign },
      failed: (row) => this.#report(row, "failed"),
    });
    this.#clock.handle("outbox", () => this.#outbox.deliver());
    this.#clock.handle("events", () => this.#events.repair());
    this.#clock.handle("sweep", () => this.#sweep());
    this.#clock.handle("doubts", () => this.#doubts.check());
    this.#clock.handle("verdicts", async () => {
      await this.#verdicts.judge();
      await this.#outbox.deliver();
    });
  }

  woke(armedAlarmMs: number | null): void {
    const members = this.#members.load();
    this.#noticeLostSockets(members);
    this.#noticeUnansweredSockets(members);
    this.#clock.loaded(armedAlarmMs);
    this.#events.woke();
  }

  #tellMembers(frame: string): void {
    sendToAll(this.#memberSockets(), frame);
  }

  #memberSockets(): ObjectSocket[] {
    return this.#platform.sockets.list().filter((socket) => this.#rowOf(socket));
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
    if (path === relayPath) {
      return this.#relays.ask(JSON.parse(textOf(body)) as string).then(jsonAnswer);
    }
    if (path === rosterPath) return Promise.resolve(jsonAnswer(this.#members.roster()));
    if (path !== heldPath) return Promise.resolve(refusal(404, "unknown operation"));
    return Promise.resolve(jsonAnswer(this.#held(JSON.parse(textOf(body)) as string[])));
  }

  connect(path: string, query: string): SocketTerms | Answer {
    if (path !== "/gossip") return refusal(404, "no such socket");
    const member = parseMember(parameter(query, "member"));
    if (!member) return refusal(400, "member is missing or malformed");
    if (this.#timing.doubtMs === null) delete member.port;
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
    if (member.heldBy !== null) this.#refusals.refuse(socket, member.heldBy);
    // Who was here before need not be asked for elsewhere.
    else if (this.#members.find(member.name)?.id === member.id) this.#admit(socket);
    else this.#platform.waitUntil(this.#admitUnlessHeldElsewhere(socket));
  }

  async #admitUnlessHeldElsewhere(socket: ObjectSocket): Promise<void> {
    const { name, id } = memberOf(socket);
    const elsewhere = await this.#peers.holderOf(name);
    if (elsewhere !== undefined && elsewhere !== id) this.#refusals.refuse(socket, elsewhere);
    else if (this.#platform.sockets.list(name).includes(socket)) this.#admit(socket);
  }

  #admit(socket: ObjectSocket): void {
    const { name, id, address, port, known = "" } = memberOf(socket);
    // A new socket of the same member replaces the old one, whose close must not count as a loss.
    for (const old of this.#platform.sockets.list(name)) {
      if (old === socket) continue;
      old.close(replacedCode, "replaced");
      // Where the other end has gone, its close may never come.
      this.#doubts.lost(old);
      this.#questions.lost(old);
    }
    this.#appeared({ name, id, address, ...(port !== undefined && { port }) });
    const missed = this.#events.missedBy(known);
    const { clock } = this.#events;
    socket.send(encodePoolHello({ reconnectSpreadMs: this.#reconnectMs(), clock }));
    if (missed !== null) socket.send(missed);
    this.#secondSign.introduce(socket);
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

  /** A member says that it leaves, whom it cannot reach, and what it was asked. */
  async message(socket: ObjectSocket, message: string | Uint8Array): Promise<void> {
    if (message !== "leave") return this.#told(socket, message);
    const row = this.#rowOf(socket);
    if (row) {
      this.#verdicts.forget(row.name);
      this.#report(row, "left");
    }
    socket.attachment = { ...memberOf(socket), left: true };
    await this.#outbox.deliver();
    socket.send("left");
  }

  #told(socket: ObjectSocket, message: string | Uint8Array): void {
    const frame = decodeAgentFrame(message);
    if (!frame) return socket.close(1007, "malformed frame");
    if ("answer" in frame) return this.#questions.answered(socket, frame.answer);
    if (this.#timing.doubtMs === null || !this.#rowOf(socket)) return;
    if ("relay" in frame) return this.#platform.waitUntil(this.#relays.start(socket, frame.relay));
    for (const name of frame.unreachable) {
      for (const doubted of this.#platform.sockets.list(name)) this.#doubts.doubt(doubted);
    }
  }

  closed(socket: ObjectSocket): void {
    this.#doubts.lost(socket);
    this.#questions.lost(socket);
    this.#lost(socket);
  }

  /** Both signs are there: nothing is waited for but the end of a storm. */
  #silent(socket: ObjectSocket): void {
    socket.close(4_000, "no sign of life");
    this.#questions.lost(socket);
    const row = this.#rowOf(socket);
    if (row?.verdict_ms !== null || this.#isReplaced(socket)) return;
    this.#verdicts.vanished(row, true);
  }

  /** The member has a socket that is as new, or newer. */
  #isReplaced(socket: ObjectSocket): boolean {
    const { name, openedMs } = memberOf(socket);
    return this.#platform.sockets
      .list(name)
      .some((other) => other !== socket && memberOf(other).openedMs >= openedMs);
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
    this.#verdicts.dispel(member.name);
    const unchanged =
      known?.verdict_ms === null &&
      known.id === member.id &&
      known.address === member.address &&
      this.#members.portOf(member.name) === member.port;
    if (!unchanged) this.#members.put(member);
    // A member that only reconnects was never reported, so there is nothing to take back.
    const reconnected = known?.id === member.id && known.address === member.address;
    if (!reconnected) this.#report(member, "alive");
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
    if (row?.verdict_ms !== null || this.#isReplaced(socket)) return;
    this.#verdicts.vanished(row);
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
    const isAnew = lost.length > 0 || (this.#isHosted && absent.length > 0);
    this.#verdicts.woke(members, lost, isAnew);
    this.#armSweep();
    if (!this.#outbox.isEmpty) this.#clock.set("outbox", nowMs);
  }

  /** Finds sockets that look open but on which nothing was heard; a pool without sockets has no alarm. */
  #sweep(): void {
    const nowMs = this.#platform.nowMs();
    const { doubtMs } = this.#timing;
    for (const socket of this.#platform.sockets.list()) {
      const silentMs = nowMs - heardMs(socket);
      if (silentMs >= overdueMs) {
        socket.close(4_000, "no ping");
        this.closed(socket);
      } else if (doubtMs !== null && silentMs >= doubtMs) this.#doubts.doubt(socket);
    }
    this.#armSweep();
  }

  #armSweep(): void {
    const sockets = this.#platform.sockets.list();
    if (sockets.length === 0) return this.#clock.clear("sweep");
    const nowMs = this.#platform.nowMs();
    this.#clock.set("sweep", nextSweepMs(sockets.map(heardMs), this.#timing, nowMs));
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

  #report({ name, id, address }: JoiningMember, status: MemberStatus): void {
    this.#outbox.put({ name, id, address, status });
    this.#platform.waitUntil(this.#outbox.deliver());
  }
}
