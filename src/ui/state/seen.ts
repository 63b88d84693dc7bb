// How checks changed while this page was open: the API tells how they are, not how they were.

import { signal } from "@preact/signals";

import type { Check } from "../model/instance.ts";

export interface Change {
  atMs: number;
  from: string;
  to: string;
  output: string;
}

interface Seen {
  status: string;
  changes: readonly Change[];
}

const checksMax = 2_000;
const changesMax = 20;

const seen = new Map<string, Seen>();
/** Changes whenever something was seen. */
const version = signal(0);

export function watchChecks(checks: readonly Check[], nowMs: number): void {
  let hasChanged = false;
  for (const check of checks) {
    const key = keyOf(check);
    const before = seen.get(key);
    if (before?.status === check.Status) continue;
    const change = {
      atMs: nowMs,
      from: before?.status ?? "",
      to: check.Status,
      output: check.Output,
    };
    const changes = before ? [change, ...before.changes].slice(0, changesMax) : [];
    seen.delete(key);
    seen.set(key, { status: check.Status, changes });
    hasChanged ||= before !== undefined;
    const [oldest] = seen.keys();
    if (seen.size > checksMax && oldest !== undefined) seen.delete(oldest);
  }
  if (hasChanged) version.value += 1;
}

/** Newest first. */
export function changesOf(check: Check): readonly Change[] {
  // Whoever asks is told again when there is more.
  return version.value < 0 ? [] : (seen.get(keyOf(check))?.changes ?? []);
}

function keyOf({ Node, ServiceID, CheckID }: Check): string {
  return JSON.stringify([Node, ServiceID, CheckID]);
}
