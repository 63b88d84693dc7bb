// Many clients that write at once, each its own keys, and remember what was acknowledged.

import { request } from "./proconsul.ts";

export class Writers {
  /** Keys whose write was answered with `true`. */
  readonly acknowledged = new Set<string>();
  readonly #prefix: string;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Starts `count` writers at the agent with this address. A writer ends at its first failure. */
  start(count: number, url: string): void {
    this.#stopped = false;
    const from = this.acknowledged.size;
    const writers = Array.from({ length: count }, (_, n) => this.#write(url, `${from}-${n}`));
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

  async #write(url: string, name: string): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const key = `${this.#prefix}/${name}/${n}`;
      try {
        const { status } = await request(`${url}/v1/kv/${key}`, { method: "PUT", body: key });
        if (status !== 200) return;
        this.acknowledged.add(key);
      } catch {
        return;
      }
    }
  }
}
