// Bodies as differences: what the worker sends, and what a page makes of it. A row that is the same keeps its object,
// so that nothing of it is rendered again.

import type { Patch } from "./port.ts";

type Row = Record<string, unknown>;

/** A body as it was last sent to a tab. */
export class SentBody {
  #text: string | null = null;
  #rows = new Map<string, string>();
  readonly #rowKey: string | undefined;

  constructor(rowKey: string | undefined) {
    this.#rowKey = rowKey;
  }

  /** `text`: of the body, which `body` was parsed from. */
  patch(text: string, body: unknown): Patch {
    if (text === this.#text) return { kind: "same" };
    this.#text = text;
    if (this.#rowKey === undefined || !Array.isArray(body)) return { kind: "whole", body };
    return this.#rowPatch(body as Row[], this.#rowKey);
  }

  /** What was sent counts no more. */
  forget(): void {
    this.#text = null;
    this.#rows = new Map();
  }

  #rowPatch(rows: readonly Row[], rowKey: string): Patch {
    const before = this.#rows;
    const now = new Map<string, string>();
    const changed: Row[] = [];
    for (const row of rows) {
      const key = String(row[rowKey]);
      const text = JSON.stringify(row);
      now.set(key, text);
      if (before.get(key) !== text) changed.push(row);
    }
    this.#rows = now;
    const order = [...now.keys()];
    const hadOrder = [...before.keys()];
    const isSameOrder =
      order.length === hadOrder.length && order.every((key, at) => key === hadOrder[at]);
    return { kind: "rows", order: isSameOrder ? null : order, changed };
  }
}

/** The body that a patch makes of the one before; the same object where nothing changed. */
export function patched(before: unknown, patch: Patch, rowKey: string | undefined): unknown {
  if (patch.kind === "same") return before;
  if (patch.kind === "whole") return patch.body;
  const name = rowKey ?? "";
  const known = new Map(
    (Array.isArray(before) ? (before as Row[]) : []).map((row) => [String(row[name]), row]),
  );
  for (const row of patch.changed as Row[]) known.set(String(row[name]), row);
  const order = patch.order ?? [...known.keys()];
  return order.flatMap((key) => known.get(key) ?? []);
}
