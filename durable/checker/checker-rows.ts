// What a Checker keeps over hibernation: the checks it was given, and what it said of each. A run that says what the
// one before it said writes nothing.

import type { Sql } from "../../src/core/lib/sql.ts";
import type { CheckStatus } from "../../src/core/agent/definitions.ts";
import type { EdgeCheck, RegionResult } from "./edge-check.ts";

export interface Kept extends RegionResult {
  /** The EdgeAgent has heard of it. */
  isTold: boolean;
  toldMs: number;
  /** Runs in a row that said the opposite, as far as thresholds ask for them. */
  streak: number;
}

interface CheckRow extends Record<string, string> {
  id: string;
  definition: string;
}

interface ResultRow extends Record<string, string | number> {
  id: string;
  kept: string;
}

export class CheckerRows {
  readonly #sql: Sql;
  #checks: readonly EdgeCheck[];
  readonly #results = new Map<string, Kept>();

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS checker_check (id TEXT NOT NULL, definition TEXT NOT NULL, " +
        "PRIMARY KEY (id)) STRICT, WITHOUT ROWID",
    );
    sql.exec(
      "CREATE TABLE IF NOT EXISTS checker_result (id TEXT NOT NULL, kept TEXT NOT NULL, " +
        "PRIMARY KEY (id)) STRICT, WITHOUT ROWID",
    );
    this.#checks = sql
      .exec<CheckRow>("SELECT id, definition FROM checker_check ORDER BY id")
      .map(({ definition }) => JSON.parse(definition) as EdgeCheck);
    for (const { id, kept } of sql.exec<ResultRow>(
      "SELECT id, kept FROM checker_result ORDER BY id",
    )) {
      this.#results.set(id, JSON.parse(kept) as Kept);
    }
  }

  get checks(): readonly EdgeCheck[] {
    return this.#checks;
  }

  /** Null until it ran as it is defined now. */
  result({ id, key }: EdgeCheck): Kept | null {
    const kept = this.#results.get(id);
    return kept?.key === key ? kept : null;
  }

  get untold(): Kept[] {
    return [...this.#results.values()].filter(({ isTold }) => !isTold);
  }

  /** All there are from now on. What another EdgeAgent of the same name was told is told again. */
  assign(checks: readonly EdgeCheck[]): void {
    const before = new Map(this.#checks.map((check) => [check.id, check.key]));
    this.#sql.transaction(() => {
      for (const id of before.keys()) {
        if (checks.some((check) => check.id === id)) continue;
        this.#sql.exec("DELETE FROM checker_check WHERE id = ?", id);
        this.#sql.exec("DELETE FROM checker_result WHERE id = ?", id);
        this.#results.delete(id);
      }
      for (const check of checks) {
        if (before.get(check.id) === check.key) continue;
        const definition = JSON.stringify(check);
        this.#sql.exec(
          "INSERT INTO checker_check VALUES (?, ?) " +
            "ON CONFLICT (id) DO UPDATE SET definition = excluded.definition",
          check.id,
          definition,
        );
      }
    });
    this.#checks = checks;
    for (const check of checks) {
      const kept = this.result(check);
      if (kept) this.#results.set(check.id, { ...kept, isTold: false });
    }
  }

  keep(kept: Kept): void {
    this.#results.set(kept.id, kept);
    this.#sql.exec(
      "INSERT INTO checker_result VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET kept = excluded.kept",
      kept.id,
      JSON.stringify(kept),
    );
  }
}

const outputToldEveryMs = 300_000;

/**
 * What to keep after a run; null when that is what is kept. Thresholds hold a change back until it was seen often
 * enough, but not the first result; an output that changed alone is told every five minutes at most.
 */
export function keptAfter(
  before: Kept | null,
  check: EdgeCheck,
  { status, output }: { status: CheckStatus; output: string },
  nowMs: number,
): Kept | null {
  const { id, key } = check;
  const fresh = { id, key, status, output, isTold: false, toldMs: nowMs, streak: 0 };
  if (!before) return fresh;
  const isBad = status === "critical";
  const wasBad = before.status === "critical";
  const needed = isBad ? check.failuresBeforeCritical : check.successBeforePassing;
  const streak = isBad === wasBad ? 0 : before.streak + 1;
  if (isBad !== wasBad && streak < needed) return { ...before, streak };
  if (status !== before.status) return fresh;
  if (output !== before.output && nowMs - before.toldMs >= outputToldEveryMs) return fresh;
  return before.streak === 0 ? null : { ...before, streak: 0 };
}
