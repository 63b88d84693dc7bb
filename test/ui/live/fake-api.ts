// An API with one value at each path, that can be waited for, and a clock that tests move.

import type { Answered } from "../../../src/ui/live/resource.ts";
import type { Asked, Ports } from "../../../src/ui/live/scheduler.ts";

interface Waiting {
  asked: Asked;
  answer(answer: Answered): void;
  untilMs: number;
}

export class FakeApi implements Ports {
  waitsMax = 4;
  /** Everything that was asked, in order. */
  readonly asked: Asked[] = [];
  /** Requests on their way now. */
  open = 0;
  openMax = 0;
  /** What is answered instead, where it is something. */
  instead: ((asked: Asked) => Answered | Error | null) | null = null;
  #nowMs = 1_000_000;
  #timers: { atMs: number; act(): void }[] = [];
  readonly #values = new Map<string, { index: number; body: unknown }>();
  #waiting: Waiting[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  random(): number {
    return 0.5;
  }

  after(ms: number, act: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, act };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Lets time pass, and everything happen that is due. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const [next] = [
        ...this.#timers.map(({ atMs, act }) => ({ atMs, act })),
        ...this.#waiting.map((one) => ({
          atMs: one.untilMs,
          act: () => one.answer(this.#now(one.asked.path)),
        })),
      ]
        .filter(({ atMs }) => atMs <= endMs)
        .toSorted((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#timers = this.#timers.filter(({ act }) => act !== next.act);
      next.act();
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }

  set(path: string, index: number, body: unknown): void {
    this.#values.set(path, { index, body });
    for (const one of this.#waiting.filter(({ asked }) => asked.path === path)) {
      one.answer(this.#now(path));
    }
  }

  get(asked: Asked, signal: AbortSignal): Promise<Answered> {
    this.asked.push(asked);
    this.open += 1;
    this.openMax = Math.max(this.openMax, this.open);
    return new Promise<Answered>((resolve, reject) => {
      const done = (): void => {
        this.open -= 1;
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
      };
      const answer = (answer: Answered): void => {
        done();
        resolve(answer);
      };
      const waiting = { asked, answer, untilMs: this.#nowMs + asked.waitMs };
      signal.addEventListener("abort", () => {
        if (!this.#waiting.includes(waiting)) return;
        done();
        reject(new Error("aborted"));
      });
      const instead = this.instead?.(asked) ?? null;
      if (instead instanceof Error) {
        done();
        reject(instead);
      } else if (instead) answer(instead);
      else if (asked.index === null || asked.index !== this.#now(asked.path).index) {
        answer(this.#now(asked.path));
      } else this.#waiting.push(waiting);
    });
  }

  #now(path: string): Answered {
    const value = this.#values.get(path);
    return value ? ok(value.body, value.index) : refused(404, "");
  }
}

export function ok(body: unknown, index: number | null): Answered {
  const text = JSON.stringify(body);
  return {
    ...{ status: 200, text, body, isFiltered: false, retryAfterMs: null },
    index: index === null ? null : String(index),
  };
}

export function refused(
  status: number,
  text: string,
  retryAfterMs: number | null = null,
): Answered {
  return { status, index: null, text, body: null, isFiltered: false, retryAfterMs };
}

/** Everything that is resolved already has had its say. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
