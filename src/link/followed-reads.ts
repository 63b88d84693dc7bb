// Local views: answers that are kept and followed. The first question fetches; from then on a waiting read on the link
// brings every change, and everybody is answered from memory, also while the link is down. A view that nobody asked
// for during `unusedMs` is dropped, and the least recently used ones go first when there are too many (Consul
// semantics §4).

import { ServiceError } from "../core/model/errors.ts";
import { memoryOf } from "../core/lib/bounded-map.ts";
import { limits } from "../core/model/limits.ts";
import type { BlockingReads } from "./blocking-reads.ts";
import type { ReadAnswer, ReadRequest } from "./protocol.ts";

const unusedMs = 72 * 3_600_000;
const viewsMax = 1_024;
const followWaitMs = 600_000;
const retryMinMs = 500;
const retryMaxMs = 30_000;

export interface FollowedAnswer {
  answer: ReadAnswer;
  /** False for the answer that was fetched for this very question. */
  hit: boolean;
  /** For how long the answer has not been followed; 0 while it is. */
  ageSeconds: number;
  /** Under which {@link FollowedReads.isCurrent} knows it. */
  key: string;
}

interface View {
  request: Omit<ReadRequest, "id">;
  answer: ReadAnswer;
  usedMs: number;
  /** When following failed; null while it works. */
  cutOffMs: number | null;
  stop: AbortController;
  /** Memory that it takes, as last measured. */
  bytes: number;
}

export class FollowedReads {
  readonly #reads: BlockingReads;
  readonly #fetch: (request: Omit<ReadRequest, "id">) => Promise<ReadAnswer>;
  readonly #waitMs: number;
  readonly #views = new Map<string, View>();
  #bytes = 0;
  readonly #fetching = new Map<string, Promise<ReadAnswer>>();

  /** `waitMs`: how long a wait lasts before it is begun anew. */
  constructor(
    reads: BlockingReads,
    fetch: (request: Omit<ReadRequest, "id">) => Promise<ReadAnswer>,
    waitMs = followWaitMs,
  ) {
    this.#waitMs = waitMs;
    this.#reads = reads;
    this.#fetch = fetch;
  }

  /** Rejects with ServiceError only when there is no view yet and it cannot be fetched. */
  async read(request: Omit<ReadRequest, "id">): Promise<FollowedAnswer> {
    const key = JSON.stringify(request);
    const view = this.#views.get(key);
    if (view) {
      // Most recently used last.
      this.#views.delete(key);
      this.#views.set(key, view);
      view.usedMs = Date.now();
      const ageMs = view.cutOffMs === null ? 0 : view.usedMs - view.cutOffMs;
      return { answer: view.answer, hit: true, ageSeconds: Math.floor(ageMs / 1_000), key };
    }
    const fetching = this.#fetching.get(key) ?? this.#start(key, request);
    return { answer: await fetching, hit: false, ageSeconds: 0, key };
  }

  /** Whether a view still has this very answer, and follows it. Who asks uses the view. */
  isCurrent(key: string, answer: ReadAnswer): boolean {
    const view = this.#views.get(key);
    if (view?.answer !== answer || view.cutOffMs !== null) return false;
    view.usedMs = Date.now();
    return true;
  }

  stop(): void {
    for (const { stop } of this.#views.values()) stop.abort();
    this.#views.clear();
    this.#bytes = 0;
  }

  #start(key: string, request: Omit<ReadRequest, "id">): Promise<ReadAnswer> {
    const fetching = this.#fetch(request)
      .then((answer) => {
        // What does not exist is not followed: anybody could ask for any number of such things.
        const isNothing = answer.body === null || answer.body === "[]";
        if (isNothing || answer.isNotFollowed) return answer;
        const stop = new AbortController();
        const view: View = { request, answer, usedMs: Date.now(), cutOffMs: null, stop, bytes: 0 };
        this.#views.set(key, view);
        this.#measure(key, view);
        void this.#follow(key, view);
        return answer;
      })
      .finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetching);
    return fetching;
  }

  #makeRoom(): void {
    for (const [key, view] of this.#views) {
      if (this.#views.size <= viewsMax && this.#bytes <= limits.followedReadsBytesMax) return;
      this.#drop(key, view);
    }
  }

  #drop(key: string, view: View): void {
    if (this.#views.get(key) === view) {
      this.#views.delete(key);
      this.#bytes -= view.bytes;
    }
    view.stop.abort();
  }

  /** A view has another answer, or its first one. */
  #measure(key: string, view: View): void {
    if (this.#views.get(key) !== view) return;
    const bytes = memoryOf(key) + memoryOf(view.answer.body ?? "");
    this.#bytes += bytes - view.bytes;
    view.bytes = bytes;
    this.#makeRoom();
  }

  async #follow(key: string, view: View): Promise<void> {
    const { signal } = view.stop;
    let retryMs = retryMinMs;
    while (!signal.aborted) {
      if (Date.now() - view.usedMs > unusedMs) return this.#drop(key, view);
      try {
        const request = { ...view.request, minIndex: view.answer.index, follows: true as const };
        const answer = await this.#reads.read(request, this.#waitMs, signal);
        if (answer.isNotFollowed) return this.#drop(key, view);
        if (answer.index !== view.answer.index || answer.body !== view.answer.body) {
          view.answer = answer;
          this.#measure(key, view);
        }
        view.cutOffMs = null;
        retryMs = retryMinMs;
      } catch (failure) {
        // The token that it was asked with is gone, or may not see it any more.
        const isDenied = failure instanceof ServiceError && failure.code === "permission-denied";
        if (isDenied) return this.#drop(key, view);
        view.cutOffMs ??= Date.now();
        await pause(retryMs, signal);
        retryMs = Math.min(retryMaxMs, retryMs * 2);
      }
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
