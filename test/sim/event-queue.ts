// The one queue of a simulated world: a binary heap ordered by time, then by insertion, so that a
// run depends on its seed alone.

interface Event {
  at: number;
  order: number;
  run: () => void;
}

export class EventQueue {
  #heap: Event[] = [];
  #order = 0;
  now = 0;

  get size(): number {
    return this.#heap.length;
  }

  at(time: number, run: () => void): void {
    const event = { at: Math.max(time, this.now), order: this.#order++, run };
    const heap = this.#heap;
    let position = heap.push(event) - 1;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!before(event, heap[parent] as Event)) break;
      heap[position] = heap[parent] as Event;
      position = parent;
    }
    heap[position] = event;
  }

  after(delay: number, run: () => void): void {
    this.at(this.now + delay, run);
  }

  /** Runs events until the queue is empty or the next one lies beyond `until`. */
  runUntil(until: number): void {
    while (this.step(until));
  }

  /** Runs the next event, unless it lies beyond `until`; then time moves there. Returns whether there was one. */
  step(until: number): boolean {
    const [next] = this.#heap;
    if (next === undefined || next.at > until) {
      this.now = until;
      return false;
    }
    this.#pop();
    this.now = next.at;
    next.run();
    return true;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    const size = heap.length;
    if (size === 0) return;
    let position = 0;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && before(heap[right] as Event, heap[child] as Event)) child = right;
      if (!before(heap[child] as Event, last)) break;
      heap[position] = heap[child] as Event;
      position = child;
    }
    heap[position] = last;
  }
}

function before(left: Event, right: Event): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}
