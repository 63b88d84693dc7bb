// The one owner of an object's single alarm. Others name a deadline; the clock arms the earliest and, when it
// fires, calls every handler that is due. Deadlines live in memory: their owners set them again at construction
// from their own rows, so the armed alarm is the only thing written. `setAlarm` writes a row (which costs money),
// so it is called only when the new deadline is earlier than the armed one; an alarm that fires too early just
// arms the next.

import type { Platform } from "./platform.ts";

export type DeadlineHandler = (nowMs: number) => void | Promise<void>;

/** A handler that failed is called again after this long. */
const retryMs = 10_000;

export class AlarmClock {
  readonly #platform: Pick<Platform, "setAlarm">;
  readonly #handlers = new Map<string, DeadlineHandler>();
  readonly #deadlines = new Map<string, number>();
  readonly #slacks = new Map<string, number>();
  /** Time for which the platform's alarm is armed; null when it is not; undefined while unknown. */
  #armedMs: number | null | undefined;

  constructor(platform: Pick<Platform, "setAlarm">) {
    this.#platform = platform;
  }

  /** Names what to do when the deadline of `owner` is reached. Once per owner, in the constructor. */
  handle(owner: string, handler: DeadlineHandler): void {
    this.#handlers.set(owner, handler);
  }

  /**
   * Asks for a call of `owner`'s handler at or after `deadlineMs`; replaces its former deadline. An alarm that is
   * armed at most `slackMs` later will do.
   */
  set(owner: string, deadlineMs: number, slackMs = 0): void {
    this.#deadlines.set(owner, deadlineMs);
    this.#slacks.set(owner, slackMs);
    this.#arm();
  }

  clear(owner: string): void {
    this.#deadlines.delete(owner);
  }

  deadline(owner: string): number | undefined {
    return this.#deadlines.get(owner);
  }

  isDue(nowMs: number): boolean {
    return [...this.#deadlines.values()].some((deadlineMs) => deadlineMs <= nowMs);
  }

  /** To be called by the object at construction, with what the platform has armed. */
  loaded(armedMs: number | null): void {
    this.#armedMs = armedMs;
    this.#arm();
  }

  /**
   * The object's `alarm()`. Every due handler runs; one that throws does not keep others from running, and is called
   * again soon, however often the platform would try.
   */
  async fire(nowMs: number): Promise<void> {
    this.#armedMs = null;
    const failures: unknown[] = [];
    for (const [owner, deadlineMs] of [...this.#deadlines]) {
      if (deadlineMs > nowMs) continue;
      this.#deadlines.delete(owner);
      try {
        await this.#handlers.get(owner)?.(nowMs);
      } catch (failure) {
        failures.push(failure);
        if (!this.#deadlines.has(owner)) this.#deadlines.set(owner, nowMs + retryMs);
      }
    }
    this.#arm();
    if (failures.length > 0) throw failures[0];
  }

  #arm(): void {
    if (this.#armedMs === undefined || this.#deadlines.size === 0) return;
    const armedMs = this.#armedMs ?? Number.POSITIVE_INFINITY;
    const pressing = [...this.#deadlines].some(
      ([owner, deadlineMs]) => armedMs > deadlineMs + (this.#slacks.get(owner) ?? 0),
    );
    if (!pressing) return;
    this.#armedMs = Math.min(...this.#deadlines.values());
    this.#platform.setAlarm(this.#armedMs);
  }
}
