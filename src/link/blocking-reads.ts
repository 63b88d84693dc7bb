// Blocking queries on the asking side. Callers who ask the same question with the same index share one waiting read on
// the link, so that a thousand of them cost the server one answer. Each keeps its own deadline; at the deadline the
// question is evaluated anew. So no answer is older than the question it answers: not what was seen when the wait
// began, nor what ended the wait of somebody else before this caller came.

import type { Timers } from "../ports/timers.ts";
import type { LinkClient } from "./client.ts";
import { isNews, type ReadAnswer, type ReadRequest } from "./protocol.ts";

export type BlockingRead = Omit<ReadRequest, "id"> & { minIndex: number };

interface SharedWait {
  answer: Promise<ReadAnswer>;
  /** It has not left yet: whoever joins it now asks as early as it does. */
  isQueued(): boolean;
  callers: number;
  cancel(): void;
}

export class BlockingReads {
  readonly #link: LinkClient;
  readonly #waits = new Map<string, SharedWait>();

  constructor(link: LinkClient) {
    this.#link = link;
  }

  /** Resolves when the index is above `minIndex`, or after `waitMs` or `signal`. Rejects with ServiceError. */
  async read(request: BlockingRead, waitMs: number, signal?: AbortSignal): Promise<ReadAnswer> {
    const deadline = deadlineOf(this.#link.timers, waitMs, signal);
    try {
      return (await this.#news(request, deadline.reached)) ?? (await this.#now(request));
    } finally {
      deadline.clear();
    }
  }

  /** Null at the deadline. */
  async #news(request: BlockingRead, deadline: Promise<null>): Promise<ReadAnswer | null> {
    const key = JSON.stringify(request);
    const running = this.#waits.get(key);
    if (running && !running.isQueued()) {
      // Its answer may be on the way already. Replies keep their order: if none came before this one, none is older.
      const now = await Promise.race([this.#now(request), deadline]);
      if (!now || isNews(now.index, request)) return now;
    }
    const wait = this.#waits.get(key) ?? this.#start(key, request);
    wait.callers += 1;
    try {
      return await Promise.race([wait.answer, deadline]);
    } finally {
      wait.callers -= 1;
      if (wait.callers === 0 && this.#forget(key, wait)) wait.cancel();
    }
  }

  async #now({
    minIndex: _index,
    follows: _follows,
    ...request
  }: BlockingRead): Promise<ReadAnswer> {
    return (await this.#link.ask(request)) as ReadAnswer;
  }

  #start(key: string, request: BlockingRead): SharedWait {
    const { reply, isQueued, cancel } = this.#link.askBlocking(request);
    const answer = reply.finally(() => this.#forget(key, wait)) as Promise<ReadAnswer>;
    const wait: SharedWait = { answer, isQueued, callers: 0, cancel };
    answer.catch(() => undefined);
    this.#waits.set(key, wait);
    return wait;
  }

  /** Whoever asks from now on must not get its answer. */
  #forget(key: string, wait: SharedWait): boolean {
    return this.#waits.get(key) === wait && this.#waits.delete(key);
  }
}

function deadlineOf(
  timers: Timers,
  waitMs: number,
  signal: AbortSignal | undefined,
): { reached: Promise<null>; clear(): void } {
  let clear = (): void => undefined;
  const reached = new Promise<null>((resolve) => {
    const done = (): void => resolve(null);
    const timer = timers.set(done, waitMs);
    signal?.addEventListener("abort", done, { once: true });
    clear = () => {
      timers.clear(timer);
      signal?.removeEventListener("abort", done);
    };
  });
  return { reached, clear };
}
