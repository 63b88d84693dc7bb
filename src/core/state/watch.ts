// Who waits for what. A topic is a short text that names what a read depends on; each applied command says
// which topics it touched, and the registry answers which waiters that concerns. It knows no clocks, no
// sockets and no reads: a waiter is whatever the caller registers.
//
// Most topics match exactly. Keys of the KV store also match by prefix, in both directions: a waiter on a
// prefix hears every key below it, and the deletion of a tree is heard by every key and prefix inside it.

/** `kind` or `kind:argument`; build them with {@link topics}. */
export type Topic = string;

const keyTopic = "kv:";
const prefixTopic = "kv-prefix:";
const treeTopic = "kv-tree:";

/** Every topic there is. Names of nodes and services are lower case, as everywhere in the tables. */
export const topics = {
  /** One key: set, deleted or created. */
  key: (key: string): Topic => keyTopic + key,
  /** Waits for any key under a prefix; "" is the whole store. */
  prefix: (prefix: string): Topic => prefixTopic + prefix,
  /** Touched when everything under a prefix was deleted. */
  tree: (prefix: string): Topic => treeTopic + prefix,
  session: (id: string): Topic => `session:${id}`,
  sessionsOfNode: (node: string): Topic => `session-node:${node}`,
  sessions: "sessions",
  /** Any node row. */
  nodes: "nodes",
  /** Any service instance. */
  services: "services",
  /** One node's row or any of its services. */
  node: (node: string): Topic => `node:${node}`,
  /** Instances of a service and the rows of their nodes, not their checks. */
  instances: (service: string): Topic => `instances:${service}`,
  /** Everything about a service: instances, nodes, checks. */
  service: (service: string): Topic => `service:${service}`,
  /** The same two for what is reachable through Connect under a name. */
  connectInstances: (service: string): Topic => `connect-instances:${service}`,
  connect: (service: string): Topic => `connect:${service}`,
  /** The last instance of any service vanished. */
  extinction: "extinction",
  checks: "checks",
  checksOfNode: (node: string): Topic => `checks-node:${node}`,
  checksOfService: (service: string): Topic => `checks-service:${service}`,
  checksInState: (status: string): Topic => `checks-state:${status}`,
} as const;

export class WatchRegistry<Waiter> {
  readonly #waiters = new Map<Topic, Set<Waiter>>();
  readonly #topicsOf = new Map<Waiter, readonly Topic[]>();
  /** Prefix length in UTF-16 units → number of prefix topics of that length. */
  readonly #prefixLengths = new Map<number, number>();

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
      if (topic.startsWith(keyTopic)) this.#wakePrefixesOf(topic.slice(keyTopic.length), woken);
      else if (topic.startsWith(treeTopic)) this.#wakeTree(topic.slice(treeTopic.length), woken);
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

  #wakePrefixesOf(key: string, woken: Set<Waiter>): void {
    for (const length of this.#prefixLengths.keys()) {
      if (length <= key.length) this.#wake(prefixTopic + key.slice(0, length), woken);
    }
  }

  #wakeTree(prefix: string, woken: Set<Waiter>): void {
    this.#wakePrefixesOf(prefix, woken);
    for (const topic of this.#waiters.keys()) {
      if (topic.startsWith(keyTopic + prefix) || topic.startsWith(prefixTopic + prefix)) {
        this.#wake(topic, woken);
      }
    }
  }

  #countPrefix(topic: Topic, by: 1 | -1): void {
    if (!topic.startsWith(prefixTopic)) return;
    const length = topic.length - prefixTopic.length;
    const count = (this.#prefixLengths.get(length) ?? 0) + by;
    if (count > 0) this.#prefixLengths.set(length, count);
    else this.#prefixLengths.delete(length);
  }
}
