// Follows the configuration entries of the proxies and gateways that are registered here, and fills in what they say.
// Each has one blocking read; until its first answer the service is as it was registered.

import { withDefaults, defaultsSubject } from "../core/agent/central-defaults.ts";
import type { CentralDefaults, DefaultsSubject } from "../core/agent/central-defaults.ts";
import type { SyncPace } from "../core/agent/sync-interval.ts";
import type { LocalAgentState } from "../core/agent/local-state.ts";
import { filledService } from "../core/agent/registration.ts";
import type { Cluster, ReadOptions } from "../ports/cluster.ts";
import { sleep, type Timers } from "../ports/timers.ts";
import type { AgentLog } from "./log.ts";

export interface CentralConfigParts {
  state: LocalAgentState;
  cluster: Cluster;
  timers: Timers;
  log: Pick<AgentLog, "warn">;
  pace: Pick<SyncPace, "waitMs">;
}

const retryMs = 5_000;

interface Following {
  /** What is asked, and with which token: another question begins anew. */
  question: string;
  end: AbortController;
  defaults: CentralDefaults | null;
  /** Resolves with the first answer, or when there will be none. */
  answered: PromiseWithResolvers<void>;
}

export class CentralConfig {
  readonly #parts: CentralConfigParts;
  /** By id of the service. */
  readonly #following = new Map<string, Following>();
  #stopped = false;

  constructor(parts: CentralConfigParts) {
    this.#parts = parts;
    const { rows } = parts.state;
    rows.completeServices((service) => {
      const defaults = this.#following.get(service.ID)?.defaults;
      return defaults && defaultsSubject(service) ? withDefaults(service, defaults) : service;
    });
    rows.subscribe(({ type, id }) => {
      if (type === "service") this.#follow(id);
    });
  }

  /** Resolves when what is registered has been filled in for a first time, or after `limitMs`. */
  async settled(limitMs: number): Promise<void> {
    const first = [...this.#following.values()].map(({ answered }) => answered.promise);
    if (first.length === 0) return;
    await Promise.race([Promise.all(first), sleep(this.#parts.timers, limitMs)]);
  }

  stop(): void {
    this.#stopped = true;
    for (const id of this.#following.keys()) this.#unfollow(id);
  }

  /** A service was registered, changed or removed. */
  #follow(id: string): void {
    const entry = this.#parts.state.rows.services.get(id);
    const subject = entry && !this.#stopped ? defaultsSubject(entry.definition.service) : null;
    if (!entry || !subject) return this.#unfollow(id);
    const question = JSON.stringify([subject, entry.token]);
    const known = this.#following.get(id);
    if (known?.question === question) return;
    this.#unfollow(id);
    const following: Following = {
      question,
      end: new AbortController(),
      // What was known goes on until there is something newer.
      defaults: known?.defaults ?? null,
      answered: Promise.withResolvers<void>(),
    };
    this.#following.set(id, following);
    void this.#watch(id, following, subject, entry.token);
  }

  #unfollow(id: string): void {
    const following = this.#following.get(id);
    if (!following) return;
    this.#following.delete(id);
    following.end.abort();
    following.answered.resolve();
  }

  async #watch(
    id: string,
    following: Following,
    subject: DefaultsSubject,
    token: string,
  ): Promise<void> {
    const { cluster, timers, log, pace } = this.#parts;
    const { waitMs } = pace;
    const { signal } = following.end;
    const args = { service: subject.service, upstreams: subject.upstreams };
    let minIndex = 0;
    while (!signal.aborted) {
      const blocking = minIndex > 0 ? { minIndex, waitMs } : {};
      const options: ReadOptions = { signal, ...(token !== "" && { token }), ...blocking };
      try {
        const { index, body } = await cluster.read("config.resolve", args, options);
        if (signal.aborted) return;
        minIndex = index;
        if (body !== null) this.#take(id, following, JSON.parse(body) as CentralDefaults);
      } catch (failure) {
        if (signal.aborted) return;
        log.warn(
          "agent.service_manager",
          `cannot read the defaults of service ${id}: ${String(failure)}`,
        );
        await sleep(timers, retryMs);
      }
      following.answered.resolve();
    }
  }

  #take(id: string, following: Following, defaults: CentralDefaults): void {
    if (JSON.stringify(defaults) === JSON.stringify(following.defaults)) return;
    following.defaults = defaults;
    const { rows } = this.#parts.state;
    const entry = rows.services.get(id);
    if (entry) rows.putService({ ...entry, service: filledService(entry.definition.service) });
  }
}
