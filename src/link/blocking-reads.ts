// Blocking queries on the asking side. Callers who ask the same question with the same index share one waiting read
// on the link, so that a thousand of them cost the server one answer. Each keeps its own deadline; at the deadline it
// gets the answer as it was before it blocked, as in Consul.

import { ServiceError } from "../core/model/errors.ts";
import type { LinkClient } from "./client.ts";
import type { ReadAnswer, ReadRequest } from "./protocol.ts";

export type BlockingRead = Omit<ReadRequest, "id"> & { minIndex: number };

interface SharedWait {
  answer: Promise<ReadAnswer>;
  /** The answer before blocking; null until the server gave it. */
  before: ReadAnswer | null;
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
    const key = JSON.stringify(request);
    const wait = this.#waits.get(key) ?? this.#start(key, request);
    wait.callers += 1;
    const deadline = deadlineOf(waitMs, signal);
    try {
      const answer = await Promise.race([wait.answer, deadline.reached]);
      if (answer) return answer;
      if (wait.before) return wait.before;
      throw new ServiceError("no-leader", "No cluster leader");
    } finally {
      deadline.clear();
      wait.callers -= 1;
      if (wait.callers === 0) this.#end(key, wait);
    }
  }

  #start(key: string, request: BlockingRead): SharedWait {
    const wait: SharedWait = {
      answer: Promise.resolve(null as unknown as ReadAnswer),
      before: null,
      callers: 0,
      cancel: () => undefined,
    };
    const { reply, cancel } = this.#link.askBlocking(request, (before) => {
      wait.before = before;
    });
    wait.cancel = cancel;
    wait.answer = reply.then((answer) => {
      // Whoever asks from now on must not get an answer from before.
      this.#forget(key, wait);
      return answer as ReadAnswer;
    });
    wait.answer.catch(() => this.#forget(key, wait));
    this.#waits.set(key, wait);
    return wait;
  }

  #end(key: string, wait: SharedWait): void {
    if (this.#waits.get(key) !== wait) return;
    this.#waits.delete(key);
    wait.cancel();
  }

  #forget(key: string, wait: SharedWait): void {
    if (this.#waits.get(key) === wait) this.#waits.delete(key);
  }
}

function deadlineOf(
  waitMs: number,
  signal: AbortSignal | undefined,
): { reached: Promise<null>; clear(): void } {
  let clear = (): void => undefined;
  const reached = new Promise<null>((resolve) => {
    const done = (): void => resolve(null);
    const timer = setTimeout(done, waitMs);
    signal?.addEventListener("abort", done, { once: true });
    clear = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
    };
  });
  return { reached, clear };
}
