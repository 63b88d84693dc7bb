// News that is passed on: each piece a limited number of times, what was told least first (SWIM §4.1).

import type { MemberUpdate } from "./members.ts";
import { packUpdate } from "./messages.ts";

interface Broadcast {
  bytes: Uint8Array;
  told: number;
}

export class Broadcasts {
  /** By member: what is newer about one replaces what was said before. */
  readonly #news = new Map<string, Broadcast>();

  get isEmpty(): boolean {
    return this.#news.size === 0;
  }

  queue(update: MemberUpdate): void {
    this.#news.delete(update.name);
    this.#news.set(update.name, { bytes: packUpdate(update), told: 0 });
  }

  forget(name: string): void {
    this.#news.delete(name);
  }

  /** What fits `bytesMax`; a piece that was told `limit` times is never told again. */
  take(bytesMax: number, limit: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let left = bytesMax;
    for (const [name, news] of [...this.#news].toSorted(([, a], [, b]) => a.told - b.told)) {
      if (news.bytes.length > left) continue;
      left -= news.bytes.length;
      taken.push(news.bytes);
      news.told += 1;
      if (news.told >= limit) this.#news.delete(name);
    }
    return taken;
  }
}
