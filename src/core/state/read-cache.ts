// Answers that are asked for again and again, kept as encoded text until something they depend on changes. The
// topics of a read are exactly that dependency, so the watch registry decides what to drop.

import { BoundedMap, memoryOf } from "../lib/bounded-map.ts";
import { WatchRegistry } from "./watch.ts";
import type { Topic } from "./watch.ts";

export interface KeptAnswer {
  body: string;
  /** Something was left out because the bearer may not see it. */
  isFiltered?: true;
}

export class ReadCache {
  readonly #dependencies = new WatchRegistry<string>();
  readonly #answers: BoundedMap<KeptAnswer>;

  constructor(bytesMax: number) {
    this.#answers = new BoundedMap(bytesMax, (question) => this.#dependencies.remove(question));
  }

  get(question: string): KeptAnswer | undefined {
    return this.#answers.get(question);
  }

  /** The oldest go first; what is asked for often comes back at once. */
  put(question: string, topics: readonly Topic[], answer: KeptAnswer): void {
    const topicBytes = topics.reduce((sum, topic) => sum + memoryOf(topic), 0);
    this.#answers.set(question, answer, memoryOf(answer.body) + topicBytes);
    if (this.#answers.get(question) !== undefined) this.#dependencies.register(topics, question);
  }

  /** Drops what depends on any of the topics. */
  invalidate(touched: readonly Topic[]): void {
    for (const question of this.#dependencies.fire(touched)) this.#answers.delete(question);
  }

  clear(): void {
    this.#answers.clear();
  }
}
