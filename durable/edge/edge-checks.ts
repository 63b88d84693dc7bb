// The HTTP and TCP checks of an EdgeAgent, which Checkers run: each is given to one object for each region, and what
// most of them say is the check's result. Who has been given what, and what each said last, are rows.

import type { Sql } from "../../src/core/lib/sql.ts";
import type { LocalAgentState } from "../../src/core/agent/local-state.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import { isSuccess, type Platform, textOf } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import { hashOf } from "../platform/shard.ts";
import { checkerObject, checkerRegions } from "../platform/topology.ts";
import { type EdgeCheck, edgeCheck, type RegionResult } from "../checker/edge-check.ts";
import { agreeingOf, verdictOf } from "../checker/verdict.ts";

const assignTimeoutMs = 5_000;
const assignRetryMs = 15_000;
const checksMax = 500;
const tooMany = `an object of this deployment runs ${checksMax} checks at most: set a higher \`agents\``;

interface AssignedRow extends Record<string, string> {
  region: string;
  said: string;
}

interface ResultRow extends Record<string, string> {
  id: string;
  region: string;
  result: string;
}

export interface EdgeChecksParts {
  platform: Pick<Platform, "objects" | "nowMs" | "log" | "waitUntil">;
  sql: Sql;
  state: LocalAgentState;
  clock: AlarmClock;
  settings: Settings;
  shard: number;
}

export class EdgeChecks {
  readonly #parts: EdgeChecksParts;
  /** What each region was given last, as a hash. */
  readonly #assigned = new Map<string, string>();
  #assigning: Promise<void> = Promise.resolve();

  /** Before the state is filled. */
  constructor(parts: EdgeChecksParts) {
    this.#parts = parts;
    const { sql, state, clock } = parts;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS checker_assigned (region TEXT NOT NULL, said TEXT NOT NULL, " +
        "PRIMARY KEY (region)) STRICT, WITHOUT ROWID",
    );
    sql.exec(
      "CREATE TABLE IF NOT EXISTS checker_said (id TEXT NOT NULL, region TEXT NOT NULL, " +
        "result TEXT NOT NULL, PRIMARY KEY (id, region)) STRICT, WITHOUT ROWID",
    );
    const rows = sql.exec<AssignedRow>("SELECT * FROM checker_assigned ORDER BY region");
    for (const { region, said } of rows) this.#assigned.set(region, said);
    state.rows.subscribe(({ type, id }) => {
      if (type === "check" && !state.rows.checks.has(id)) {
        sql.exec("DELETE FROM checker_said WHERE id = ?", id);
      }
    });
    clock.handle("assign", () => this.assign());
  }

  /** Gives every region what is to be run, where that has changed; what fails is done again. Never rejects. */
  assign(): Promise<void> {
    this.#assigning = this.#assigning.then(() => this.#assignAll());
    return this.#assigning;
  }

  async #assignAll(): Promise<void> {
    const { settings, platform, clock } = this.#parts;
    const checks = this.#checks();
    const body = JSON.stringify({ checks });
    const said = checks.length === 0 ? "" : `${body.length}.${hashOf(body).toString(36)}`;
    const regions = checkerRegions(settings, settings.DEFAULT_DC);
    const stale = regions.filter((region) => (this.#assigned.get(region) ?? "") !== said);
    const gone = [...this.#assigned.keys()].filter((region) => !regions.includes(region));
    const outcomes = await Promise.all([
      ...stale.map((region) => this.#assignTo(region, body, said)),
      ...gone.map((region) => this.#assignTo(region, JSON.stringify({ checks: [] }), "")),
    ]);
    if (outcomes.includes(false)) clock.set("assign", platform.nowMs() + assignRetryMs);
  }

  async #assignTo(region: string, body: string, said: string): Promise<boolean> {
    const { platform, settings, shard, sql } = this.#parts;
    const object = checkerObject(settings.DEFAULT_DC, shard, region);
    try {
      const answer = await platform.objects.call(object, "/assign", body, assignTimeoutMs);
      if (!isSuccess(answer)) throw new Error(textOf(answer.body));
    } catch (failure) {
      platform.log("warn", `edge agent: checker ${region}: ${String(failure)}`);
      return false;
    }
    if (said === "") {
      this.#assigned.delete(region);
      sql.exec("DELETE FROM checker_assigned WHERE region = ?", region);
      return true;
    }
    this.#assigned.set(region, said);
    sql.exec(
      "INSERT INTO checker_assigned VALUES (?, ?) ON CONFLICT (region) DO UPDATE SET said = excluded.said",
      region,
      said,
    );
    return true;
  }

  #checks(): EdgeCheck[] {
    const { state, platform } = this.#parts;
    const all = [...state.rows.checks].flatMap(
      ([id, { definition }]) => edgeCheck(id, definition) ?? [],
    );
    for (const { id } of all.slice(checksMax)) {
      state.reportCheck(id, "critical", tooMany, platform.nowMs());
    }
    return all.slice(0, checksMax);
  }

  /** A region says something new; what all of them say together is the check's status. */
  heard(region: string, results: readonly RegionResult[]): void {
    const { sql, state, platform, settings } = this.#parts;
    const regions = checkerRegions(settings, settings.DEFAULT_DC);
    if (!regions.includes(region)) return;
    const agreeing = agreeingOf(
      regions.length,
      settings.DATACENTERS[settings.DEFAULT_DC]?.checkersAgreeing,
    );
    for (const result of results) {
      const known = edgeCheck(result.id, state.rows.checks.get(result.id)?.definition ?? null);
      if (known?.key !== result.key) continue;
      sql.exec(
        "INSERT INTO checker_said VALUES (?, ?, ?) " +
          "ON CONFLICT (id, region) DO UPDATE SET result = excluded.result",
        ...[result.id, region, JSON.stringify(result)],
      );
      const verdict = verdictOf(this.#said(result, regions), agreeing);
      if (verdict) state.reportCheck(result.id, verdict.status, verdict.output, platform.nowMs());
    }
  }

  /** Of the check as it is defined now, in the order of the regions. */
  #said({ id, key }: RegionResult, regions: readonly string[]): Map<string, RegionResult> {
    const rows = this.#parts.sql
      .exec<ResultRow>("SELECT * FROM checker_said WHERE id = ? ORDER BY region", id)
      .map(({ region, result }) => [region, JSON.parse(result) as RegionResult] as const);
    const current = new Map(rows.filter(([, result]) => result.key === key));
    return new Map(
      regions.flatMap((region) => {
        const result = current.get(region);
        return result ? [[region, result] as const] : [];
      }),
    );
  }
}
