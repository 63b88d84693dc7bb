// From a lost socket to a verdict: how long a member is given, when nobody is judged at all, and what must be asked
// first, of other pools and of other agents.

import {
  isStorm,
  type LivenessTiming,
  reachAtOnce,
  silenceMs,
  stormWindowMs,
  suspicionOf,
  verdictAtMs,
} from "../../src/core/gossip/liveness.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import type { Platform } from "../platform/platform.ts";
import type { MemberRow, MemberRows } from "./member-rows.ts";
import type { Held, PoolPeers } from "./pool-peers.ts";
import type { SecondSign } from "./second-sign.ts";

/** A storm that goes on lengthens the silence in steps of this. */
const silenceStepMs = 1_000;

export interface VerdictsParts {
  platform: Pick<Platform, "nowMs" | "log">;
  members: MemberRows;
  clock: AlarmClock;
  timing: LivenessTiming;
  peers: Pick<PoolPeers, "heldAnywhere">;
  secondSign: SecondSign;
  /** The verdict; the member is forgotten. */
  failed(row: MemberRow): void;
}

export class Verdicts {
  readonly #parts: VerdictsParts;
  /** Nobody is judged before: so many sockets were lost at once that the cause is rather here. */
  #silentUntilMs = 0;
  #vanishedAtMs: number[] = [];
  /** Names of those whose verdict waits a second time, for members of a pool that does not answer. */
  readonly #putOff = new Set<string>();
  /** Those whom others were found not to reach: they are not asked about once more. */
  readonly #unreached = new Set<string>();

  constructor(parts: VerdictsParts) {
    this.#parts = parts;
  }

  /** Its socket was lost; `isUnreached`: and others cannot reach it, so that only the end of a storm is waited for. */
  vanished({ name }: MemberRow, isUnreached = false): void {
    const nowMs = this.#parts.platform.nowMs();
    const { members, clock } = this.#parts;
    this.#vanishedAtMs = this.#vanishedAtMs.filter((atMs) => nowMs - atMs <= stormWindowMs);
    this.#vanishedAtMs.push(nowMs);
    if (isStorm(this.#vanishedAtMs, members.count, nowMs)) this.#keepSilent(nowMs);
    if (isUnreached) this.#unreached.add(name);
    const verdictMs = this.#suspect(name, isUnreached ? 0 : this.#suspicionMs);
    const armedMs = clock.deadline("verdicts") ?? Number.POSITIVE_INFINITY;
    if (verdictMs < armedMs) clock.set("verdicts", verdictMs);
  }

  /** At construction: these have lost their sockets while nobody looked. `isAnew`: which is known only now. */
  woke(members: readonly MemberRow[], lost: readonly MemberRow[], isAnew: boolean): void {
    if (isAnew) this.#keepSilent(this.#parts.platform.nowMs());
    for (const { name } of lost) this.#suspect(name, this.#suspicionMs);
    // Verdicts change with what is found: only then are they read again.
    this.#arm(isAnew ? this.#parts.members.suspects() : members);
  }

  /** What was thought of it before counts no more. */
  dispel(name: string): void {
    this.#putOff.delete(name);
    this.#unreached.delete(name);
    this.#parts.secondSign.forget(name);
  }

  forget(name: string): void {
    this.dispel(name);
    this.#parts.members.remove(name);
  }

  /** Judges those whose time is over. */
  async judge(): Promise<void> {
    const { platform, members, peers } = this.#parts;
    const nowMs = platform.nowMs();
    const due = members.suspects().filter(({ verdict_ms: atMs }) => (atMs ?? 0) <= nowMs);
    const held = await peers.heldAnywhere(due);
    for (let at = 0; at < due.length; at += reachAtOnce) {
      const some = due.slice(at, at + reachAtOnce);
      await Promise.all(some.map((row) => this.#judgeOne(row, held)));
    }
    this.#arm();
  }

  async #judgeOne(row: MemberRow, held: Held): Promise<void> {
    const { name, address } = row;
    const { members, platform, secondSign } = this.#parts;
    // It may have come back here while the others were asked.
    const isOver = (): boolean => members.find(name)?.verdict_ms !== row.verdict_ms;
    if (isOver()) return;
    if (held.names.has(name)) return this.forget(name);
    // Whoever is at a server that has gone silent takes some seconds to look for another one. Once: it may be gone.
    if (!held.allAnswered && !this.#putOff.has(name)) {
      this.#putOff.add(name);
      this.#suspect(name, this.#suspicionMs);
      return;
    }
    const port = members.portOf(name) ?? null;
    const isKnown = this.#unreached.has(name);
    const sign = isKnown ? "unreached" : await secondSign.of({ name, address, port });
    if (isOver()) return;
    if (sign !== "reached") {
      this.forget(name);
      return this.#parts.failed(row);
    }
    const waitMs = secondSign.nextWaitMs(name, this.#suspicionMs);
    if (waitMs === this.#suspicionMs) {
      platform.log("warn", `${name} has lost its gossip socket, but other agents reach it`);
    }
    this.#suspect(name, waitMs);
  }

  /** In a pool of so many. */
  get #suspicionMs(): number {
    return suspicionOf(this.#parts.timing, this.#parts.members.count);
  }

  /** Those who are suspected already are given the time, too: not for each that vanishes, since it is a row of each. */
  #keepSilent(nowMs: number): void {
    const { members, timing } = this.#parts;
    const untilMs = nowMs + silenceMs(timing, members.count);
    if (untilMs - this.#silentUntilMs < silenceStepMs) return;
    this.#silentUntilMs = untilMs;
    members.putOff(untilMs);
  }

  /** Gives back when the verdict is due. */
  #suspect(name: string, suspicionMs: number): number {
    const { members, platform } = this.#parts;
    const silentUntilMs = this.#silentUntilMs;
    const verdictMs = verdictAtMs({ vanishedAtMs: platform.nowMs(), silentUntilMs, suspicionMs });
    members.suspect(name, verdictMs);
    return verdictMs;
  }

  #arm(members: readonly MemberRow[] = this.#parts.members.suspects()): void {
    const verdicts = members.flatMap(({ verdict_ms: verdictMs }) => verdictMs ?? []);
    if (verdicts.length > 0) this.#parts.clock.set("verdicts", Math.min(...verdicts));
  }
}
