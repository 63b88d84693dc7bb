// What clients were told, compared with what Consul's rules say of the committed log. The log is
// the order of things: each answer names the index it stands for, so one pass over the log, applied
// to the model (toy-machine.ts), judges every answer, of keys, locks and sessions alike.

import type { Entry } from "../../src/core/raft/types.ts";
import { decodeCommand } from "./commands.ts";
import { describeRecord } from "./record.ts";
import type { HistoryFacts, HistoryRecord } from "./record.ts";
import { ToyMachine } from "./toy-machine.ts";
import { Violation } from "./violation.ts";

export function checkAgainstModel(records: readonly HistoryRecord[], facts: HistoryFacts): void {
  checkAnswers(records, facts.committed);
  checkOrder(records, facts.slackMs);
}

/** The state that the committed log stands for. */
export function modelOf(committed: readonly Entry[]): ToyMachine {
  const model = new ToyMachine();
  model.apply(committed);
  return model;
}

/** Each answer is what the model says at the index that the answer names. */
function checkAnswers(records: readonly HistoryRecord[], committed: readonly Entry[]): void {
  const byIndex = new Map<number, HistoryRecord[]>();
  for (const record of records) {
    const index = indexOf(record);
    if (index === null) continue;
    const others = byIndex.get(index);
    if (others) others.push(record);
    else byIndex.set(index, [record]);
  }
  const model = new ToyMachine();
  for (let index = 0; index <= committed.length; index += 1) {
    const entry = committed[index - 1];
    const result = entry === undefined ? null : (model.apply([entry])[0] ?? null);
    for (const record of byIndex.get(index) ?? []) {
      checkAnswer(record, { model, entry, result });
    }
    byIndex.delete(index);
  }
  const [beyond] = [...byIndex.values()].flat();
  if (beyond) throw new Violation(`model: not in the log\n${describeRecord(beyond)}`);
}

function checkAnswer(
  record: HistoryRecord,
  at: { model: ToyMachine; entry: Entry | undefined; result: string | null },
): void {
  const { operation, outcome } = record;
  if (operation.type === "get") {
    if (outcome?.type !== "read") return;
    const expected = JSON.stringify(describeFound(at.model.get(operation.key)));
    if (JSON.stringify(describeFound(outcome.found)) === expected) return;
    throw new Violation(`model: a read must see ${expected}\n${describeRecord(record)}`);
  }
  if (outcome?.type !== "written") return;
  const { entry, result } = at;
  const id = entry?.kind === "command" ? decodeCommand(entry.data).command.id : null;
  if (id === operation.id && outcome.result === result) return;
  throw new Violation(`model: the log has ${id}, ${result} there\n${describeRecord(record)}`);
}

function describeFound(found: ReturnType<ToyMachine["get"]>): unknown[] {
  return found === null ? [] : [found.value, found.index, found.session];
}

function indexOf({ outcome }: HistoryRecord): number | null {
  return outcome?.type === "read" || outcome?.type === "written" ? outcome.index : null;
}

/** Whatever was answered before an operation was called lies before it in the log. */
function checkOrder(records: readonly HistoryRecord[], slackMs: number): void {
  const answered = records
    .filter((record) => indexOf(record) !== null)
    .toSorted((left, right) => left.return - right.return);
  const calls = answered
    .filter(({ operation }) => operation.type !== "get" || operation.mode !== "stale")
    .map((record) => ({ record, callMs: record.call - lateness(record, slackMs) }))
    .toSorted((left, right) => left.callMs - right.callMs);
  let position = 0;
  let newest: HistoryRecord | null = null;
  for (const { record, callMs } of calls) {
    for (;;) {
      const next = answered[position];
      if (next === undefined || next.return >= callMs) break;
      if (newest === null || (indexOf(next) ?? 0) > (indexOf(newest) ?? 0)) newest = next;
      position += 1;
    }
    if (newest === null || (indexOf(record) ?? 0) >= (indexOf(newest) ?? 0)) continue;
    throw new Violation(
      `order: the second was called after the first was answered\n` +
        `${describeRecord(newest)}\n${describeRecord(record)}`,
    );
  }
}

function lateness({ operation }: HistoryRecord, slackMs: number): number {
  return operation.type === "get" && operation.mode === "default" ? slackMs : 0;
}
