// Who waits for what. A topic is a short text that names what a read depends on; each applied command says
// which topics it touched, and the registry answers which waiters that concerns. It knows no clocks, no
// sockets and no reads: a waiter is whatever the caller registers.
//
// Most topics match exactly. A kind whose arguments are paths also matches by prefix, in both directions: a
// waiter on a prefix hears everything below it, and a change of a whole tree is heard by all inside it and by
// every prefix above it. How a topic matches stands in its text, so the registry needs no list of kinds.

/** `kind:argument`, or `kind` followed by one of the marks below; build them with the areas' `topics`. */
export type Topic = string;

/** Between the kind of a topic and a path: one path, any path below it, all paths below it at once. */
const marks = { one: "=", below: "<", tree: ">" } as const;

/** Topics of a kind whose arguments are paths. `kind` consists of lower-case letters and hyphens. */
export function pathTopics(kind: string) {
  return {
    /** One path; heard by whoever waits for it or for a prefix of it. */
    one: (path: string): Topic => kind + marks.one + path,
    /** Waits for any path that starts with `prefix`; "" is all of them. */
    below: (prefix: string): Topic => kind + marks.below + prefix,
    /** Touched when everything that starts with `prefix` changed at once. */
    tree: (prefix: string): Topic => kind + marks.tree + prefix,
  };
}

/** The parts of a topic that matches by prefix; null for one that does not. */
function pathOf(topic: Topic): { kind: string; mark: string; path: string } | null {
  const at = topic.search(/[^a-z-]/);
  const mark = topic[at];
  if (mark === undefined || mark === ":") return null;
  return { kind: topic.slice(0, at), mark, path: topic.slice(at + 1) };
}

export class WatchRegistry<Waiter> {
  readonly #waiters = new Map<Topic, Set<Waiter>>();
  readonly #topicsOf = new Map<Waiter, readonly Topic[]>();
  /** Kind → prefix length in UTF-16 units → number of topics that wait for a prefix of that length. */
  readonly #prefixLengths = new Map<string, Map<number, number>>();

  /** Number of waiters. */
  get size(): number {
    return this.#topicsOf.size;
  }

  /** `waiter` hears about any of `on` until it is removed. Registering it again replaces its topics. */
  register(on: readonly Topic[], waiter: Waiter): void {
    this.remove(waiter);
    this.#topicsOf.set(waiter, on);
    for (const topic of on) {
      const present = this.#waiters.get(topic);
      if (present) {
        present.add(waiter);
        continue;
      }
      this.#waiters.set(topic, new Set([waiter]));
      this.#countPrefix(topic, 1);
    }
  }

  /** Forgets a waiter; unknown ones are fine. */
  remove(waiter: Waiter): void {
    const on = this.#topicsOf.get(waiter);
    if (!on) return;
    this.#topicsOf.delete(waiter);
    for (const topic of on) {
      const waiting = this.#waiters.get(topic);
      if (!waiting?.delete(waiter) || waiting.size > 0) continue;
      this.#waiters.delete(topic);
      this.#countPrefix(topic, -1);
    }
  }

  /** Waiters concerned by what a command touched, each once. They stay registered: remove them. */
  fire(touched: readonly Topic[]): Set<Waiter> {
    const woken = new Set<Waiter>();
    if (this.#waiters.size === 0) return woken;
    for (const topic of touched) {
      this.#wake(topic, woken);
      const touchedPath = pathOf(topic);
      if (!touchedPath) continue;
      const { kind, mark, path } = touchedPath;
      this.#wakePrefixesOf(kind, path, woken);
      if (mark === marks.tree) this.#wakeInside(kind, path, woken);
    }
    return woken;
  }

  /** Every waiter, for when the whole state was replaced. */
  all(): Set<Waiter> {
    return new Set(this.#topicsOf.keys());
  }

  #wake(topic: Topic, woken: Set<Waiter>): void {
    for (const waiter of this.#waiters.get(topic) ?? []) woken.add(waiter);
  }

  #wakePrefixesOf(kind: string, path: string, woken: Set<Waiter>): void {
    for (const length of this.#prefixLengths.get(kind)?.keys() ?? []) {
      if (length <= path.length) this.#wake(kind + marks.below + path.slice(0, length), woken);
    }
  }

  #wakeInside(kind: string, prefix: string, woken: Set<Waiter>): void {
    const starts = [kind + marks.one + prefix, kind + marks.below + prefix];
    for (const topic of this.#waiters.keys()) {
      if (starts.some((start) => topic.startsWith(start))) this.#wake(topic, woken);
    }
  }

  #countPrefix(topic: Topic, by: 1 | -1): void {
    const waitedFor = pathOf(topic);
    if (waitedFor?.mark !== marks.below) return;
    const { kind, path } = waitedFor;
    const lengths = this.#prefixLengths.get(kind) ?? new Map<number, number>();
    const count = (lengths.get(path.length) ?? 0) + by;
    if (count > 0) lengths.set(path.length, count);
    else lengths.delete(path.length);
    if (lengths.size > 0) this.#prefixLengths.set(kind, lengths);
    else this.#prefixLengths.delete(kind);
  }
}
