// What the primary's leader does for replication: it answers what the secondaries ask, and tells them at once when
// something that they copy has changed. Whom it has told of what is kept in a local table, so that nothing is sent
// while nothing changes, and a secondary that could not be told is told later, by alarm.

import type { Sql } from "../../src/core/lib/sql.ts";
import type { Applied, StateMachine } from "../../src/core/state/machine.ts";
import {
  manifestPage,
  rowsOf,
  sourceIndexes,
} from "../../src/core/state/tables/replication/compare.ts";
import { caRootsIndex } from "../../src/core/state/tables/ca/authority.ts";
import type { ReplicatedKind } from "../../src/core/state/tables/replication/sources.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import { retryDelayMs } from "./retry.ts";

const owner = "replication";
/** All of it is to be compared: indexes say nothing after a restore. */
const everything = -1;
/** What is copied is changed by these. */
const areas = /^(acl|auth|ca|config|intention|snapshot|federation)\./;

export type ReplicationQuestion =
  | { ask: "indexes" }
  | { ask: "manifest"; kind: ReplicatedKind; after: string }
  | { ask: "rows"; kind: ReplicatedKind; keys: string[] };

export interface ReplicationNews {
  /** Compare everything, whatever indexes say. */
  all: boolean;
}

export interface ReplicationSourceParts {
  sql: Sql;
  machine: Pick<StateMachine, "ask">;
  clock: Pick<AlarmClock, "handle" | "set" | "clear">;
  secondaries(): readonly string[];
  nowMs(): number;
  leads(): boolean;
  waitUntil(work: Promise<unknown>): void;
  warn(line: string): void;
  /** Resolves when the secondary has copied what there was. */
  tell(dc: string, news: ReplicationNews): Promise<void>;
}

interface ToldRow extends Record<string, string | number> {
  dc: string;
  told: number;
}

export class ReplicationSource {
  readonly #parts: ReplicationSourceParts;
  readonly #telling = new Set<string>();
  #failures = 0;

  constructor(parts: ReplicationSourceParts) {
    this.#parts = parts;
    parts.sql.exec(`CREATE TABLE IF NOT EXISTS replication_told (
      dc TEXT PRIMARY KEY, told INTEGER NOT NULL) STRICT, WITHOUT ROWID`);
    parts.clock.handle(owner, () => this.arm());
  }

  /** To be called when this server begins to lead, or wakes as leader: goes on with what is left to tell. */
  arm(): void {
    const { leads, secondaries, waitUntil } = this.#parts;
    if (!leads()) return;
    for (const dc of secondaries()) {
      if (this.#isBehind(dc) && !this.#telling.has(dc)) waitUntil(this.#tell(dc));
    }
  }

  applied(entries: readonly Applied[]): void {
    if (entries.some(({ replaced }) => replaced)) this.replaced();
    if (entries.some(({ command, replaced }) => replaced || areas.test(command?.type ?? ""))) {
      this.arm();
    }
  }

  /** The state is another one: what was told of the last one says nothing. */
  replaced(): void {
    for (const dc of this.#parts.secondaries()) this.#keep(dc, everything);
  }

  /** Answers a secondary. The state here must be a leader's of now. */
  answer(question: ReplicationQuestion): unknown {
    const { machine, nowMs } = this.#parts;
    return machine.ask((state) => {
      if (question.ask === "indexes") return sourceIndexes(state);
      const { kind } = question;
      return question.ask === "manifest"
        ? manifestPage(state, kind, question.after, nowMs())
        : rowsOf(state, kind, question.keys, nowMs());
    });
  }

  async #tell(dc: string): Promise<void> {
    const { tell, leads, clock, nowMs, warn } = this.#parts;
    this.#telling.add(dc);
    try {
      while (leads() && this.#isBehind(dc)) {
        const index = this.#index();
        await tell(dc, { all: this.#told(dc) === everything });
        this.#keep(dc, index);
        this.#failures = 0;
      }
    } catch (failure) {
      this.#failures += 1;
      const delayMs = retryDelayMs(this.#failures);
      clock.set(owner, nowMs() + delayMs, delayMs);
      const seconds = Math.round(delayMs / 1_000);
      warn(`cannot replicate to datacenter ${dc}: ${String(failure)}; again in ${seconds} s`);
    } finally {
      this.#telling.delete(dc);
    }
  }

  #isBehind(dc: string): boolean {
    return this.#told(dc) !== this.#index();
  }

  /** Of the last change to anything that is copied, or to roots of certificates. */
  #index(): number {
    return this.#parts.machine.ask((state) =>
      Math.max(...Object.values(sourceIndexes(state)), state.meta.index(caRootsIndex)),
    );
  }

  #told(dc: string): number {
    const [row] = this.#parts.sql.exec<ToldRow>("SELECT * FROM replication_told WHERE dc = ?", dc);
    return row?.told ?? 0;
  }

  #keep(dc: string, told: number): void {
    this.#parts.sql.exec(
      `INSERT INTO replication_told VALUES (?, ?)
         ON CONFLICT (dc) DO UPDATE SET told = excluded.told`,
      dc,
      told,
    );
  }
}
