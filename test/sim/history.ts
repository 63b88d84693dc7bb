// What clients saw, and whether each consistency mode kept its word:
//
//   consistent  linearizable
//   default     linearizable while clocks drift within bounds and no old instance runs on; beyond,
//               as if each such read had been called one lease earlier
//   stale       the state after some prefix of the committed log, the one it names
//
// Two judges that do not know of each other: one searches an order that explains each register
// (linearizability.ts), the other takes the order of the log for it (model-checker.ts).

import type { Entry } from "../../src/core/raft/types.ts";
import { decodeCommand } from "./commands.ts";
import { checkRegister } from "./linearizability.ts";
import type { RegisterOperation } from "./linearizability.ts";
import { checkAgainstModel } from "./model-checker.ts";
import { describeRecord } from "./record.ts";
import type { HistoryFacts, HistoryRecord } from "./record.ts";
import { Violation } from "./violation.ts";

export class History {
  readonly records: HistoryRecord[] = [];

  add(record: HistoryRecord): void {
    this.records.push(record);
  }

  check(facts: HistoryFacts): void {
    checkAgainstModel(this.records, facts);
    const committedIds = idsOf(facts.committed);
    for (const key of facts.keys) this.#checkRegister(key, facts, committedIds);
  }

  #checkRegister(key: string, facts: HistoryFacts, committedIds: Set<string>): void {
    const records = this.records.filter(({ operation }) => {
      return "key" in operation && operation.key === key;
    });
    const history = records
      // An unanswered write may take effect at any time; one that is not in the log never did.
      // Leaving such writes out keeps the search narrow.
      .filter(({ outcome, operation }) => {
        return outcome !== null || (operation.type !== "get" && committedIds.has(operation.id));
      })
      .flatMap((record) => toRegister(record, facts.slackMs));
    const result = checkRegister(history);
    if (result === null) return;
    throw new Violation(
      `linearizability: ${key}: only ${result.placed} of ${history.length} operations fit\n` +
        records.map(describeRecord).join("\n"),
    );
  }
}

function idsOf(committed: readonly Entry[]): Set<string> {
  const commands = committed.filter(({ kind }) => kind === "command");
  return new Set(commands.map(({ data }) => decodeCommand(data).command.id));
}

function toRegister(record: HistoryRecord, slackMs: number): RegisterOperation[] {
  const { operation, outcome, call } = record;
  const unanswered = outcome === null;
  const times = { call, return: unanswered ? Number.POSITIVE_INFINITY : record.return };
  if (operation.type === "get") {
    if (operation.mode === "stale" || outcome?.type !== "read") return [];
    const early = operation.mode === "default" ? call - slackMs : call;
    const result = outcome.found?.value ?? null;
    return [{ ...times, call: early, kind: "get", value: null, expected: null, result }];
  }
  if (outcome !== null && outcome.type !== "written") return []; // it never happened
  const result = outcome?.result ?? null;
  if (operation.type === "cas") {
    const { value, expected } = operation;
    return [{ ...times, kind: "cas", value, expected, result }];
  }
  const value = operation.type === "put" ? operation.value : null; // or it is deleted
  return [{ ...times, kind: "put", value, expected: null, result }];
}
