// Answers that are asked for again and again, kept as encoded text until something they depend on changes. The
// topics of a read are exactly that dependency, so the watch registry decides what to drop.

import { BoundedMap, memoryOf } from "../lib/bounded-map.ts";
import { WatchRegistry } from "./watch.ts";
import type { Topic } from "./watch.ts";

export class ReadCache {
  readonly #dependencies = new WatchRegistry<string>();
  readonly #bodies: BoundedMap<string>;

  constructor(bytesMax: number) {
    this.#bodies = new BoundedMap(bytesMax, (question) => this.#dependencies.remove(question));
  }

  get(question: string): string | undefined {
    return this.#bodies.get(question);
  }

  /** The oldest go first; what is asked for often comes back at once. */
  put(question: string, topics: readonly Topic[], body: string): void {
    const topicBytes = topics.reduce((sum, topic) => sum + memoryOf(topic), 0);
    this.#bodies.set(question, body, memoryOf(body) + topicBytes);
    if (this.#bodies.get(question) !== undefined) this.#dependencies.register(topics, question);
  }

  /** Drops what depends on any of the topics. */
  invalidate(touched: readonly Topic[]): void {
    for (const question of this.#dependencies.fire(touched)) this.#bodies.delete(question);
  }

  clear(): void {
    this.#bodies.clear();
  }
}
