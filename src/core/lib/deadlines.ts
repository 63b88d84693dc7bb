// Deadlines by name, the earliest first: a binary heap that knows where each name stands, so that setting, moving and
// forgetting one of a hundred thousand costs microseconds.

interface Deadline {
  readonly name: string;
  atMs: number;
}

export class Deadlines {
  /** No deadline is earlier than the one at (its place - 1) / 2, rounded down. */
  readonly #heap: Deadline[] = [];
  readonly #places = new Map<string, number>();

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest, in ms since 1970; null when there is none. */
  get earliestMs(): number | null {
    return this.#heap[0]?.atMs ?? null;
  }

  get(name: string): number | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.#heap[place]?.atMs;
  }

  set(name: string, atMs: number): void {
    const place = this.#places.get(name) ?? this.#heap.length;
    const deadline = this.#heap[place] ?? { name, atMs };
    deadline.atMs = atMs;
    this.#settle(deadline, place);
  }

  /** Says whether there was one. */
  delete(name: string): boolean {
    const place = this.#places.get(name);
    if (place === undefined) return false;
    this.#places.delete(name);
    const last = this.#heap.pop();
    if (last && place < this.#heap.length) this.#settle(last, place);
    return true;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#places.clear();
  }

  /** Names whose deadline is not after `nowMs`, the earliest first, at most `limit` of them. They stay. */
  due(nowMs: number, limit: number): string[] {
    const names: string[] = [];
    const open = new Deadlines();
    const consider = (place: number): void => {
      const deadline = this.#heap[place];
      if (deadline && deadline.atMs <= nowMs) open.set(deadline.name, deadline.atMs);
    };
    consider(0);
    for (let next = open.#heap[0]; next && names.length < limit; next = open.#heap[0]) {
      names.push(next.name);
      open.delete(next.name);
      const place = this.#places.get(next.name) ?? 0;
      consider(2 * place + 1);
      consider(2 * place + 2);
    }
    return names;
  }

  /** Puts `deadline` where it belongs, beginning at a place that is free or its own. */
  #settle(deadline: Deadline, start: number): void {
    let place = start;
    for (let above = this.#above(place); above; above = this.#above(place)) {
      if (above.atMs <= deadline.atMs) break;
      this.#put(above, place);
      place = (place - 1) >> 1;
    }
    for (let below = this.#below(place); below; below = this.#below(place)) {
      const from = this.#places.get(below.name) ?? place;
      if (below.atMs >= deadline.atMs) break;
      this.#put(below, place);
      place = from;
    }
    this.#put(deadline, place);
  }

  #above(place: number): Deadline | undefined {
    return place === 0 ? undefined : this.#heap[(place - 1) >> 1];
  }

  /** The earlier of the two below. */
  #below(place: number): Deadline | undefined {
    const left = this.#heap[2 * place + 1];
    const right = this.#heap[2 * place + 2];
    return right && left && right.atMs < left.atMs ? right : left;
  }

  #put(deadline: Deadline, place: number): void {
    this.#heap[place] = deadline;
    this.#places.set(deadline.name, place);
  }
}
