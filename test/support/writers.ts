// Many clients that write at once, each its own keys, and remember what was acknowledged.

import { request } from "./proconsul.ts";

export class Writers {
  /** Keys whose write was answered with `true`. */
  readonly acknowledged = new Set<string>();
  /** Answers, or errors, of writes that were not acknowledged. */
  readonly failures: string[] = [];
  /** How long no write was acknowledged, at the worst. */
  longestGapMs = 0;
  readonly #prefix: string;
  #lastMs = Number.NaN;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Starts `count` writers at the agent with this address. A writer ends at its first failure, or `goesOn`. */
  start(count: number, url: string, goesOn = false): void {
    this.#stopped = false;
    this.#lastMs = performance.now();
    const from = this.acknowledged.size;
    const writers = Array.from({ length: count }, (_, n) =>
      this.#write(url, `${from}-${n}`, goesOn),
    );
    this.#running = Promise.all(writers);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Acknowledged keys that the agent with this address does not have. */
  async lost(url: string): Promise<string[]> {
    const answer = await request(`${url}/v1/kv/${this.#prefix}/?keys&consistent`);
    const kept = new Set(answer.json<string[]>());
    return [...this.acknowledged].filter((key) => !kept.has(key));
  }

  async #write(url: string, name: string, goesOn: boolean): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const key = `${this.#prefix}/${name}/${n}`;
      const failure = await put(`${url}/v1/kv/${key}`, key);
      if (failure === null) this.#accepted(key);
      else {
        this.failures.push(failure);
        if (!goesOn) return;
      }
    }
  }

  #accepted(key: string): void {
    const nowMs = performance.now();
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.acknowledged.add(key);
  }
}

/** Null when it was acknowledged, else why not. */
async function put(url: string, body: string): Promise<string | null> {
  try {
    const { status, text } = await request(url, { method: "PUT", body });
    return status === 200 ? null : `${status} ${text}`;
  } catch (failure) {
    return String(failure);
  }
}
