// The pages' end of live data: signals that follow what the worker sends.

import { signal } from "@preact/signals";
import type { ReadonlySignal, Signal } from "@preact/signals";

import { patched } from "./patch.ts";
import type { Ask, Standing, ToPage, ToWorker } from "./port.ts";
import { workerUrl } from "./worker-url.ts";

export interface Live<Body> {
  standing: Standing;
  /** The last one that there was. */
  body: Body | undefined;
}

interface Entry {
  ask: Ask;
  state: Signal<Live<unknown>>;
  holders: number;
}

const aliveMs = 30_000;
/** What a page let go of is kept so long, because people go back. */
const lingerMs = 5_000;
const restMs = 5_000;

const fresh: Standing = {
  phase: "loading",
  contactMs: 0,
  failure: null,
  failingMs: 0,
  isFiltered: false,
};

export class LiveClient {
  /** Since when nothing is asked because somebody said so; 0: it is. */
  readonly pausedMs: Signal<number> = signal(0);
  readonly #root: string;
  readonly #entries = new Map<string, Entry>();
  readonly #send: (message: ToWorker) => void;
  #isHidden = false;
  #isSending = false;

  /** `root`: of the API. */
  constructor(root: string) {
    this.#root = root;
    this.#send = connect((message) => this.#hear(message));
    setInterval(() => this.#send({ kind: this.#rests ? "rest" : "alive" }), aliveMs);
    addEventListener("pagehide", () => this.#send({ kind: "bye" }));
    addEventListener("pageshow", () => this.#tell());
    let timer = 0;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(timer);
      if (document.hidden) timer = window.setTimeout(() => this.#hide(true), restMs);
      else this.#hide(false);
    });
  }

  /** Follows it from now on, until it is released as often as it was held. */
  hold(ask: Ask): ReadonlySignal<Live<unknown>> {
    const key = JSON.stringify(ask);
    const known = this.#entries.get(key);
    if (known) {
      known.holders += 1;
      return known.state;
    }
    const entry: Entry = { ask, state: signal({ standing: fresh, body: undefined }), holders: 1 };
    this.#entries.set(key, entry);
    this.#tellSoon();
    return entry.state;
  }

  release(ask: Ask): void {
    const entry = this.#entries.get(JSON.stringify(ask));
    if (!entry) return;
    entry.holders -= 1;
    setTimeout(() => {
      if (entry.holders > 0 || !this.#entries.delete(JSON.stringify(ask))) return;
      this.#tellSoon();
    }, lingerMs);
  }

  retry(): void {
    this.#send({ kind: "retry" });
  }

  pause(isPaused: boolean): void {
    this.pausedMs.value = isPaused ? Date.now() : 0;
    this.#tell();
  }

  /** What is followed now, for lists of requests. */
  get asks(): Ask[] {
    return [...this.#entries.values()].flatMap(({ ask, holders }) => (holders > 0 ? [ask] : []));
  }

  get #rests(): boolean {
    return this.#isHidden || this.pausedMs.value > 0;
  }

  #hide(isHidden: boolean): void {
    if (this.#isHidden === isHidden) return;
    this.#isHidden = isHidden;
    this.#tell();
  }

  /** Many hold something while a page is made. */
  #tellSoon(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    queueMicrotask(() => {
      this.#isSending = false;
      this.#tell();
    });
  }

  #tell(): void {
    if (this.#rests) return this.#send({ kind: "rest" });
    const asks = Object.fromEntries([...this.#entries].map(([key, { ask }]) => [key, ask]));
    this.#send({ kind: "want", root: this.#root, asks });
  }

  #hear({ id, standing, patch }: ToPage): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const isGone = standing.phase === "denied" || standing.phase === "missing";
    const before = entry.state.peek().body;
    const body = isGone ? undefined : patched(before, patch, entry.ask.rowKey);
    // A tab that comes back is told of its asks anew, before there is an answer.
    const isAgain = standing.phase === "loading" && before !== undefined;
    if (!isAgain) entry.state.value = { standing, body };
  }
}

function connect(hear: (message: ToPage) => void): (message: ToWorker) => void {
  const url = workerUrl();
  if (typeof SharedWorker === "function") {
    const { port } = new SharedWorker(url, { type: "module", name: "proconsul" });
    port.addEventListener("message", ({ data }: MessageEvent<ToPage>) => hear(data));
    port.start();
    return (message) => port.postMessage(message);
  }
  const worker = new Worker(url, { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<ToPage>) => hear(data));
  return (message) => worker.postMessage(message);
}
