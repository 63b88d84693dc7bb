// Who is asked next, for all tabs together: browsers give an origin six connections, of which waiting may take four,
// and what is to be answered at once one more. Knows no clock and no network; both are given.

import type { Ask, Priority } from "./port.ts";
import { Resource, waitMs } from "./resource.ts";
import type { Answered } from "./resource.ts";

export interface Ports {
  /** Rejects where there is no answer, and when the signal aborts. `index`: null for an answer at once. */
  get(asked: Asked, signal: AbortSignal): Promise<Answered>;
  nowMs(): number;
  /** Calls back after so long; what it gives back forgets that. */
  after(ms: number, then: () => void): () => void;
  /** In [0, 1). */
  random(): number;
  /** Requests that wait at the same time. */
  waitsMax: number;
}

export interface Asked {
  root: string;
  path: string;
  token: string;
  index: string | null;
  waitMs: number;
}

/** Told of everything that happens to a resource. */
export type Watcher = (resource: Resource) => void;

interface Wanted {
  ask: Ask;
  root: string;
  resource: Resource;
  watchers: Map<Watcher, Priority>;
  running: { cancel: AbortController; isWaiting: boolean } | null;
  /** When it last had a connection. */
  servedMs: number;
}

/** Where more is watched than there are connections, each waits no longer than this. */
const shortWaitMs = 5_000;

export class Scheduler {
  readonly #ports: Ports;
  readonly #wanted = new Map<string, Wanted>();
  #forgetTimer: () => void = () => undefined;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Asks, and goes on asking, until what it gives back is called. */
  watch(root: string, ask: Ask, watcher: Watcher): () => void {
    const key = JSON.stringify([root, ask.path, ask.token, ask.pollMs ?? 0]);
    const wanted = this.#wanted.get(key) ?? this.#begin(key, root, ask);
    // Whoever looks again wants to know how it is now.
    if (wanted.watchers.size === 0) wanted.resource.refresh(this.#ports.nowMs());
    wanted.watchers.set(watcher, ask.priority);
    watcher(wanted.resource);
    this.#pump();
    return () => {
      wanted.watchers.delete(watcher);
      if (wanted.watchers.size > 0) return;
      wanted.running?.cancel.abort();
      if (this.#wanted.get(key) === wanted) this.#wanted.delete(key);
      this.#pump();
    };
  }

  /** What was refused, or waits after a failure, is asked again now. */
  retry(): void {
    const nowMs = this.#ports.nowMs();
    for (const { resource, running } of this.#wanted.values()) {
      if (!running && resource.standing.failure !== null) resource.refresh(nowMs);
    }
    this.#pump();
  }

  #begin(key: string, root: string, ask: Ask): Wanted {
    const resource = new Resource(ask.pollMs);
    const wanted: Wanted = { ask, root, resource, watchers: new Map(), running: null, servedMs: 0 };
    this.#wanted.set(key, wanted);
    return wanted;
  }

  #pump(): void {
    this.#forgetTimer();
    const nowMs = this.#ports.nowMs();
    const all = [...this.#wanted.values()];
    const idle = all.filter(({ running }) => !running);
    const due = idle.filter(({ resource }) => resource.dueMs <= nowMs).toSorted(byUrgency);
    const running = all.flatMap((wanted) => wanted.running ?? []);
    let waiting = running.filter(({ isWaiting }) => isWaiting).length;
    let atOnce = running.length - waiting;
    const { waitsMax } = this.#ports;
    for (const wanted of due) {
      const isWaiting = waits(wanted);
      // Whatever is answered at once finds a connection, however many wait.
      const isFree = waiting + atOnce < waitsMax + (isWaiting ? 0 : 1);
      if (!isFree) continue;
      if (isWaiting) waiting += 1;
      else atOnce += 1;
      void this.#run(wanted, all.filter(({ ask }) => ask.pollMs === undefined).length);
    }
    const nextMs = Math.min(
      ...idle.map(({ resource }) => resource.dueMs).filter((dueMs) => dueMs > nowMs),
    );
    if (nextMs < Infinity) {
      this.#forgetTimer = this.#ports.after(nextMs - nowMs, () => this.#pump());
    }
  }

  /** `count`: how many wait, or would. */
  async #run(wanted: Wanted, count: number): Promise<void> {
    const { ask, root, resource } = wanted;
    const ports = this.#ports;
    const startedMs = ports.nowMs();
    const cancel = new AbortController();
    const isWaiting = waits(wanted);
    const running = { cancel, isWaiting };
    wanted.running = running;
    wanted.servedMs = startedMs;
    const patience = count > ports.waitsMax ? shortWaitMs : waitMs;
    const index = isWaiting ? resource.index : null;
    const asked = { root, path: ask.path, token: ask.token, index, waitMs: patience };
    try {
      const answer = await ports.get(asked, cancel.signal);
      if (!cancel.signal.aborted)
        resource.answered(answer, startedMs, ports.nowMs(), ports.random());
    } catch (failure) {
      if (!cancel.signal.aborted) {
        resource.failed({ status: 0, text: textOf(failure) }, ports.nowMs(), ports.random());
      }
    }
    if (wanted.running === running) wanted.running = null;
    if (!cancel.signal.aborted) for (const watcher of wanted.watchers.keys()) watcher(resource);
    this.#pump();
  }
}

/** Whether its next request waits for something new. */
function waits({ ask, resource }: Wanted): boolean {
  return ask.pollMs === undefined && resource.index !== null;
}

function byUrgency(a: Wanted, b: Wanted): number {
  const isNew = ({ resource }: Wanted): number => (resource.standing.phase === "loading" ? 0 : 1);
  const priority = ({ watchers }: Wanted): number => Math.min(...watchers.values());
  return isNew(a) - isNew(b) || a.servedMs - b.servedMs || priority(a) - priority(b);
}

function textOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
