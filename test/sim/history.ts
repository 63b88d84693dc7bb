// What clients saw, and whether each consistency mode kept its word:
//
//   consistent  linearizable
//   default     linearizable while clocks drift within bounds and no old instance runs on; beyond,
//               as if each such read had been called one lease earlier
//   stale       the state after some prefix of the committed log, the one it names

import type { Entry } from "../../src/core/raft/types.ts";
import { decodeCommand, encodeCommand } from "./commands.ts";
import type { Operation, Outcome } from "./commands.ts";
import { checkRegister } from "./linearizability.ts";
import type { RegisterOperation } from "./linearizability.ts";
import { Violation } from "./violation.ts";

export interface HistoryRecord {
  client: string;
  operation: Operation;
  call: number;
  return: number;
  /** null: unanswered. */
  outcome: Outcome | null;
  server: string;
}

export class History {
  readonly records: HistoryRecord[] = [];

  add(record: HistoryRecord): void {
    this.records.push(record);
  }

  check(options: { keys: string[]; slackMs: number; committed: (Entry | null)[] }): void {
    const versions = versionsOf(options.committed);
    for (const key of options.keys) {
      const records = this.records.filter((record) => record.operation.key === key);
      for (const record of records) checkStale(record, versions.get(key) ?? []);
      const history = records
        .filter((record) => record.outcome !== null || tookEffect(record, options.committed))
        .flatMap((record) => toRegister(record, options.slackMs));
      const result = checkRegister(history);
      if (result === null) continue;
      throw new Violation(
        `linearizability: ${key}: only ${result.placed} of ${history.length} operations fit\n` +
          records.map(describeRecord).join("\n"),
      );
    }
  }
}

function toRegister(record: HistoryRecord, slackMs: number): RegisterOperation[] {
  const { operation, outcome } = record;
  const unanswered = outcome === null;
  const times = {
    call: record.call,
    return: unanswered ? Number.POSITIVE_INFINITY : record.return,
  };
  if (operation.type === "get") {
    if (operation.mode === "stale" || outcome?.type !== "read") return [];
    const call = operation.mode === "default" ? record.call - slackMs : record.call;
    const result = outcome.value;
    return [{ ...times, call, kind: "get", value: null, expected: null, result }];
  }
  if (outcome !== null && outcome.type !== "written") return []; // it never happened
  const result = outcome?.result ?? null;
  const expected = operation.type === "cas" ? operation.expected : null;
  return [{ ...times, kind: operation.type, value: operation.value, expected, result }];
}

/** An unanswered write may take effect at any time; one that is not in the log never did. Values
 * are unique, and leaving such writes out keeps the search narrow. */
function tookEffect(record: HistoryRecord, committed: (Entry | null)[]): boolean {
  const { operation } = record;
  if (operation.type === "get") return false;
  const data = encodeCommand(operation);
  return committed.some((entry) => entry !== null && equal(entry.data, data));
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

interface Version {
  index: number;
  value: string;
}

/** Every value each key ever had, with the index that set it. */
function versionsOf(committed: (Entry | null)[]): Map<string, Version[]> {
  const versions = new Map<string, Version[]>();
  for (const entry of committed) {
    if (entry === null || entry.kind !== "command") continue;
    const command = decodeCommand(entry.data);
    const known = versions.get(command.key) ?? [];
    const current = known.at(-1)?.value ?? null;
    if (command.type === "cas" && current !== command.expected) continue;
    known.push({ index: entry.index, value: command.value });
    versions.set(command.key, known);
  }
  return versions;
}

function checkStale(record: HistoryRecord, versions: Version[]): void {
  const { outcome } = record;
  if (outcome?.type !== "read") return;
  const version = versions.findLast((candidate) => candidate.index <= outcome.index);
  if ((version?.value ?? null) === outcome.value) return;
  throw new Violation(
    `prefix: a read at index ${outcome.index} must see ${version?.value ?? null}\n` +
      describeRecord(record),
  );
}

function describeRecord(record: HistoryRecord): string {
  const { operation, outcome } = record;
  const until = Number.isFinite(record.return) ? (record.return / 1000).toFixed(3) : "…";
  const span = `${(record.call / 1000).toFixed(3)}–${until}`;
  const result = outcome === null ? "?" : JSON.stringify(outcome);
  return `  ${span} ${record.client} ${record.server} ${JSON.stringify(operation)} → ${result}`;
}
