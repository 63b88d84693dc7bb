// What the worker keeps for one tab: what it shows, and what of that was sent.

import { SentBody } from "./patch.ts";
import type { Ask, Patch, ToPage, ToWorker } from "./port.ts";
import type { Scheduler } from "./scheduler.ts";

interface Held {
  ask: string;
  sent: SentBody;
  letGo(): void;
}

/** A tab that says nothing for so long is gone: nobody hears of its end otherwise. */
export const silentMs = 90_000;

export class Tab {
  heardMs = 0;
  readonly #scheduler: Scheduler;
  readonly #post: (message: ToPage) => void;
  readonly #held = new Map<string, Held>();

  constructor(scheduler: Scheduler, post: (message: ToPage) => void) {
    this.#scheduler = scheduler;
    this.#post = post;
  }

  hear(message: ToWorker, nowMs: number): void {
    this.heardMs = nowMs;
    if (message.kind === "want") this.#want(message.root, message.asks);
    if (message.kind === "retry") this.#scheduler.retry();
    if (message.kind === "rest" || message.kind === "bye") this.letGo();
  }

  letGo(): void {
    for (const [id, held] of this.#held) {
      held.letGo();
      this.#held.delete(id);
    }
  }

  #want(root: string, asks: Readonly<Record<string, Ask>>): void {
    for (const [id, held] of this.#held) {
      const ask = asks[id];
      if (ask && JSON.stringify([root, ask]) === held.ask) continue;
      held.letGo();
      this.#held.delete(id);
    }
    for (const [id, ask] of Object.entries(asks)) {
      if (!this.#held.has(id)) this.#hold(id, root, ask);
    }
  }

  #hold(id: string, root: string, ask: Ask): void {
    const sent = new SentBody(ask.rowKey);
    const held: Held = { ask: JSON.stringify([root, ask]), sent, letGo: () => undefined };
    this.#held.set(id, held);
    held.letGo = this.#scheduler.watch(root, ask, (resource) => {
      const { standing, text, body } = resource;
      if (standing.phase === "denied" || standing.phase === "missing") sent.forget();
      const patch: Patch = standing.phase === "ready" ? sent.patch(text, body) : { kind: "same" };
      this.#post({ id, standing, patch });
    });
  }
}
