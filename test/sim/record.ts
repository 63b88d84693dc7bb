// What one client saw of one operation, and what judges need to know beside it.

import type { Entry } from "../../src/core/raft/types.ts";
import type { Operation, Outcome } from "./commands.ts";

export interface HistoryRecord {
  client: string;
  operation: Operation;
  call: number;
  return: number;
  /** null: unanswered. */
  outcome: Outcome | null;
  server: string;
}

export interface HistoryFacts {
  /** Registers. */
  keys: string[];
  /** By how much default reads may be late. */
  slackMs: number;
  /** What was committed, in order, from index 1. */
  committed: Entry[];
}

export function describeRecord(record: HistoryRecord): string {
  const { operation, outcome } = record;
  const until = Number.isFinite(record.return) ? (record.return / 1000).toFixed(3) : "…";
  const span = `${(record.call / 1000).toFixed(3)}–${until}`;
  const result = outcome === null ? "?" : JSON.stringify(outcome);
  return `  ${span} ${record.client} ${record.server} ${JSON.stringify(operation)} → ${result}`;
}
