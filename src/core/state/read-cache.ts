// Answers that are asked for again and again, kept as encoded text until something they depend on changes. The
// topics of a read are exactly that dependency, so the watch registry decides what to drop.

import { WatchRegistry } from "./watch.ts";
import type { Topic } from "./watch.ts";

export class ReadCache {
  readonly #charactersMax: number;
  readonly #bodies = new Map<string, string>();
  readonly #dependencies = new WatchRegistry<string>();
  #characters = 0;

  constructor(charactersMax: number) {
    this.#charactersMax = charactersMax;
  }

  get(question: string): string | undefined {
    return this.#bodies.get(question);
  }

  put(question: string, topics: readonly Topic[], body: string): void {
    this.#drop(question);
    if (body.length > this.#charactersMax) return;
    // The oldest go first; what is asked for often comes back at once.
    for (const oldest of this.#bodies.keys()) {
      if (this.#characters + body.length <= this.#charactersMax) break;
      this.#drop(oldest);
    }
    this.#bodies.set(question, body);
    this.#characters += body.length;
    this.#dependencies.register(topics, question);
  }

  /** Drops what depends on any of the topics. */
  invalidate(touched: readonly Topic[]): void {
    for (const question of this.#dependencies.fire(touched)) this.#drop(question);
  }

  clear(): void {
    for (const question of this.#bodies.keys()) this.#drop(question);
  }

  #drop(question: string): void {
    const body = this.#bodies.get(question);
    if (body === undefined) return;
    this.#bodies.delete(question);
    this.#characters -= body.length;
    this.#dependencies.remove(question);
  }
}
