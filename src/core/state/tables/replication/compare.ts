// How two datacenters find out what differs: the primary lists keys with a fingerprint of each body, in pages, and the
// secondary compares each page with its own rows in the same range of keys.

import type { State } from "../../state.ts";
import { type ReplicatedKind, replicatedKinds, type ReplicatedRow, sources } from "./sources.ts";

const pageRows = 2_000;
/** What the bodies of one answer take together, unless one alone takes more. */
const bodiesLengthMax = 300_000;

export interface ManifestPage {
  entries: [key: string, fingerprint: string][];
  /** The page goes up to and with this key; null: to the end. */
  upTo: string | null;
}

export interface Differences {
  /** Keys whose rows are missing here, or other ones. */
  wanted: string[];
  /** Keys that are only here. */
  gone: string[];
}

/** The index of each kind's last change. */
export function sourceIndexes(state: State): Record<ReplicatedKind, number> {
  const indexes = replicatedKinds.map((kind) => [kind, state.meta.index(sources[kind].index)]);
  return Object.fromEntries(indexes) as Record<ReplicatedKind, number>;
}

export function manifestPage(
  state: State,
  kind: ReplicatedKind,
  after: string,
  nowMs: number,
): ManifestPage {
  const rows = rowsAfter(state, kind, after, nowMs);
  const page = rows.slice(0, pageRows);
  const isLast = page.length === rows.length;
  return {
    entries: page.map(({ key, body }) => [key, fingerprint(body)]),
    upTo: isLast ? null : (page.at(-1)?.key ?? null),
  };
}

/** Rows with these keys: as many as fit, from the first on. Those that are gone by now are left out. */
export function rowsOf(
  state: State,
  kind: ReplicatedKind,
  keys: readonly string[],
  nowMs: number,
): { rows: ReplicatedRow[]; taken: number } {
  const known = new Map(sources[kind].rows(state, nowMs).map((row) => [row.key, row]));
  const rows: ReplicatedRow[] = [];
  let length = 0;
  let taken = 0;
  for (const key of keys) {
    const row = known.get(key);
    const more = row ? row.body.length + key.length : 0;
    if (taken > 0 && length + more > bodiesLengthMax) break;
    length += more;
    taken += 1;
    if (row) rows.push(row);
  }
  return { rows, taken };
}

export function differences(
  state: State,
  kind: ReplicatedKind,
  after: string,
  { entries, upTo }: ManifestPage,
  nowMs: number,
): Differences {
  const here = new Map(
    rowsAfter(state, kind, after, nowMs)
      .filter(({ key }) => upTo === null || key <= upTo)
      .map(({ key, body }) => [key, fingerprint(body)]),
  );
  const there = new Map(entries);
  return {
    wanted: entries.filter(([key, print]) => here.get(key) !== print).map(([key]) => key),
    gone: [...here.keys()].filter((key) => !there.has(key)),
  };
}

function rowsAfter(
  state: State,
  kind: ReplicatedKind,
  after: string,
  nowMs: number,
): ReplicatedRow[] {
  const rows = sources[kind].rows(state, nowMs).filter(({ key }) => key > after);
  return rows.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

const primes = [0x01000193, 0x5bd1e995] as const;

/** 64 bits by which two texts are told apart, where nobody gains by making them collide; and the length. */
function fingerprint(text: string): string {
  const sums = [0x811c9dc5, 0x9747b28c];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    for (const [n, prime] of primes.entries()) sums[n] = Math.imul((sums[n] ?? 0) ^ code, prime);
  }
  return [text.length, ...sums.map((sum) => sum >>> 0)].map((each) => each.toString(36)).join(".");
}
