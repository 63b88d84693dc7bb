// Runs the HTTP and TCP checks of one EdgeAgent object from one region: an alarm at each tick at which one is due, and
// a word to the EdgeAgent only when a result is another one. Between alarms it sleeps; nothing but what it was given
// and what it said is written.

import { errorData } from "../link/links.ts";
import { AlarmClock } from "../platform/alarm-clock.ts";
import {
  type Answer,
  type HostedObject,
  isSuccess,
  jsonAnswer,
  type Platform,
  refusal,
  type SocketTerms,
  textOf,
} from "../platform/platform.ts";
import { fewAtOnce } from "../platform/few-at-once.ts";
import { defaultResolver, type Settings } from "../platform/settings.ts";
import { hashOf } from "../platform/shard.ts";
import { type CheckerName, edgeAgentObject, parseCheckerObjectName } from "../platform/topology.ts";
import { CheckerRows, keptAfter } from "./checker-rows.ts";
import { type EdgeCheck, intervalMsOf, tickMs } from "./edge-check.ts";
import { PublicNames } from "./names.ts";
import { runCheck, type RunParts } from "./run-check.ts";

const tellTimeoutMs = 5_000;

export class CheckerObject implements HostedObject {
  readonly #platform: Platform;
  readonly #name: CheckerName;
  readonly #clock: AlarmClock;
  readonly #rows: CheckerRows;
  readonly #run: RunParts;
  /** Not all deployments ask at the same second. */
  readonly #phaseMs: number;
  /** Until when all that was due has run; a woken object knows only that it was there a tick ago. */
  #ranMs: number;

  constructor(platform: Platform, settings: Settings) {
    this.#platform = platform;
    this.#name = parseCheckerObjectName(platform.objectName);
    this.#phaseMs = hashOf(this.#name.dc) % tickMs;
    this.#ranMs = platform.nowMs() - tickMs;
    this.#rows = new CheckerRows(platform.sql);
    const { outside, nowMs } = platform;
    const resolver = settings.CHECK_RESOLVER ?? defaultResolver;
    const names = new PublicNames({ outside, nowMs: () => nowMs(), resolver });
    this.#run = {
      outside,
      nowMs: () => nowMs(),
      // On a host of one's own, the network in which the services are is the one to ask.
      addresses: (host) =>
        settings.HOST ? Promise.resolve([host === "" ? "localhost" : host]) : names.addresses(host),
    };
    this.#clock = new AlarmClock(platform);
    this.#clock.handle("run", (atMs) => this.#runDue(atMs));
  }

  /** Armed for nothing although there are checks: the alarm is what woke it. */
  woke(armedAlarmMs: number | null): void {
    this.#clock.loaded(armedAlarmMs);
    if (this.#rows.checks.length === 0) return;
    this.#clock.set("run", armedAlarmMs ?? this.#platform.nowMs());
  }

  call(path: string, body: Uint8Array): Promise<Answer> {
    if (path !== "/assign") return Promise.resolve(refusal(404, "unknown call"));
    const { checks } = JSON.parse(textOf(body)) as { checks: readonly EdgeCheck[] };
    this.#rows.assign(checks);
    if (checks.length === 0) this.#clock.clear("run");
    else this.#clock.set("run", this.#platform.nowMs());
    return Promise.resolve(jsonAnswer(true));
  }

  connect(): SocketTerms | Answer {
    return refusal(404, "no such socket");
  }

  opened(): void {}

  message(): void {}

  closed(): void {}

  async alarm(): Promise<void> {
    await this.#clock.fire(this.#platform.nowMs());
  }

  async #runDue(nowMs: number): Promise<void> {
    const due = this.#rows.checks.filter((check) => {
      return this.#rows.result(check) === null || this.#lastRunMs(check, nowMs) > this.#ranMs;
    });
    this.#ranMs = nowMs;
    await fewAtOnce(due, (check) => this.#runOne(check));
    await this.#tell();
    const next = this.#rows.checks.map((one) => this.#lastRunMs(one, nowMs) + intervalMsOf(one));
    if (next.length > 0) this.#clock.set("run", Math.min(...next));
  }

  /** When it was to run, not later than now. */
  #lastRunMs(check: EdgeCheck, nowMs: number): number {
    const intervalMs = intervalMsOf(check);
    return nowMs - ((nowMs - this.#phaseMs) % intervalMs);
  }

  async #runOne(check: EdgeCheck): Promise<void> {
    const result = await runCheck(check, this.#run);
    // It may have been taken away, or changed, meanwhile.
    if (!this.#rows.checks.some(({ id, key }) => id === check.id && key === check.key)) return;
    const kept = keptAfter(this.#rows.result(check), check, result, this.#platform.nowMs());
    if (kept) this.#rows.keep(kept);
  }

  /** What could not be told is told at the next run. */
  async #tell(): Promise<void> {
    const { untold } = this.#rows;
    if (untold.length === 0) return;
    const { dc, shard, region } = this.#name;
    const results = untold.map(({ id, key, status, output }) => ({ id, key, status, output }));
    const body = JSON.stringify({ method: "checked", args: [region, results] });
    try {
      const agent = edgeAgentObject(dc, shard);
      const answer = await this.#platform.objects.call(agent, "/call", body, tellTimeoutMs);
      if (!isSuccess(answer)) throw new Error(textOf(answer.body));
      for (const kept of untold) this.#rows.keep({ ...kept, isTold: true });
    } catch (failure) {
      this.#platform.log("warn", `checker ${region}: ${errorData(failure).message}`);
    }
  }
}
