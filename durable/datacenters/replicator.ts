// What a secondary's leader does for replication: when the primary says that something changed, and when it begins to
// lead, it compares what differs and writes that as commands, page by page, each of bounded size. Whatever was missed
// before is found by the same comparison.

import type { Command } from "../../src/core/state/commands.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { differences, type ManifestPage } from "../../src/core/state/tables/replication/compare.ts";
import { copiedIndex, lastTimes } from "../../src/core/state/tables/replication/rows.ts";
import {
  type ReplicatedKind,
  replicatedKinds,
  type ReplicatedRow,
} from "../../src/core/state/tables/replication/sources.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import type { ReplicationNews, ReplicationQuestion } from "./replication-source.ts";
import { retryDelayMs } from "./retry.ts";

const owner = "replicator";
/** Keys that are asked for, or removed, at a time. */
const keysMax = 500;

export interface ReplicatorParts {
  machine: Pick<StateMachine, "ask">;
  clock: Pick<AlarmClock, "handle" | "set" | "clear">;
  primary: string;
  /** Connect is enabled here: then intentions are the primary's. */
  hasConnect: boolean;
  nowMs(): number;
  leads(): boolean;
  warn(line: string): void;
  /** The primary's leader answers. Rejects when it cannot be asked. */
  ask(question: ReplicationQuestion): Promise<unknown>;
  /** Proposes it in this server's own term. Rejects when it could not. */
  write(command: Command): Promise<unknown>;
}

export class Replicator {
  readonly #parts: ReplicatorParts;
  #running: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(parts: ReplicatorParts) {
    this.#parts = parts;
    parts.clock.handle(owner, () => this.begin());
  }

  /** To be called when this server begins to lead. Never rejects: what fails is tried again by alarm. */
  async begin(): Promise<void> {
    const { leads, clock, nowMs, warn, primary } = this.#parts;
    if (!leads()) return;
    try {
      await this.pull({ all: false });
    } catch (failure) {
      this.#failures += 1;
      const delayMs = retryDelayMs(this.#failures);
      clock.set(owner, nowMs() + delayMs, delayMs);
      warn(`cannot copy from datacenter ${primary}: ${String(failure)}`);
    }
  }

  /** Resolves when all that the primary had at this moment is here. One at a time. Rejects when it could not. */
  async pull({ all }: ReplicationNews): Promise<void> {
    const pulling = this.#running.then(() => this.#pull(all));
    this.#running = pulling.catch(() => undefined);
    await pulling;
  }

  async #pull(all: boolean): Promise<void> {
    try {
      await this.#copyAll(all);
      this.#failures = 0;
      this.#parts.clock.clear(owner);
    } catch (failure) {
      await this.#noteFailure();
      throw failure;
    }
  }

  async #copyAll(all: boolean): Promise<void> {
    const { machine, ask } = this.#parts;
    const answer = await ask({ ask: "indexes" });
    const indexes = answer as Partial<Record<ReplicatedKind, number>>;
    for (const kind of replicatedKinds) {
      const index = indexes[kind];
      // A primary of an older version does not know every kind.
      if (index === undefined || !this.#copies(kind)) continue;
      const isKnown = machine.ask((state) => copiedIndex(state, kind)) === index;
      if (all || !isKnown) await this.#copy(kind, index);
    }
  }

  #copies(kind: ReplicatedKind): boolean {
    if (kind === "config") return true;
    const { hasConnect, machine } = this.#parts;
    return kind === "intentions" ? hasConnect : machine.ask(({ acl }) => acl.enabled);
  }

  async #copy(kind: ReplicatedKind, index: number): Promise<void> {
    const { machine, ask, nowMs } = this.#parts;
    let after: string | null = "";
    while (after !== null) {
      const from: string = after;
      const page = (await ask({ ask: "manifest", kind, after: from })) as ManifestPage;
      const found = machine.ask((state) => differences(state, kind, from, page, nowMs()));
      // What is revoked goes first.
      for (let at = 0; at < found.gone.length; at += keysMax) {
        await this.#write(kind, { removed: found.gone.slice(at, at + keysMax) });
      }
      await this.#take(kind, found.wanted);
      after = page.upTo;
    }
    if (index > 0) await this.#write(kind, { index });
  }

  async #take(kind: ReplicatedKind, keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length;) {
      const question = { ask: "rows", kind, keys: keys.slice(at, at + keysMax) } as const;
      const { rows, taken } = (await this.#parts.ask(question)) as {
        rows: ReplicatedRow[];
        taken: number;
      };
      if (taken === 0) throw new Error("the primary gave no rows");
      if (rows.length > 0) {
        const bodies = rows.map(({ body }) => body);
        await this.#write(kind, { keys: rows.map(({ key }) => key), bodies });
      }
      at += taken;
    }
  }

  async #write(
    kind: ReplicatedKind,
    some: { keys?: string[]; bodies?: string[]; removed?: string[]; index?: number },
  ): Promise<void> {
    const nothing = { keys: null, bodies: null, removed: null, index: 0 };
    await this.#parts.write({ type: "replication.copy", kind, ...nothing, ...some });
  }

  /** Once for each time that it begins to fail. */
  async #noteFailure(): Promise<void> {
    const { machine, nowMs, leads, write } = this.#parts;
    const { successMs, failureMs } = machine.ask(lastTimes);
    const isNoted = failureMs > 0 && failureMs >= successMs;
    if (isNoted || !leads()) return;
    await write({ type: "replication.failed", atMs: nowMs() }).catch(() => undefined);
  }
}
