// Lists in components: which rows are shown, in which order, and what happens to them under somebody's pointer.

import { useEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

import { frozenOrder } from "../model/rows.ts";
import type { View } from "../model/rows.ts";
import { prefs } from "./prefs.ts";

export interface Held<Row> {
  rows: readonly Row[];
  pending: number;
  /** Shows everything as it is. */
  apply(): void;
}

/**
 * Rows in an order that does not change while `isHeld`: what is in them does. `reason`: another one, such as another
 * filter, shows everything as it is.
 */
export function useHeld<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  isHeld: boolean,
  reason: string,
): Held<Row> {
  const held = useRef<{ keys: readonly string[]; rows: Map<string, Row>; reason: string } | null>(
    null,
  );
  const [, again] = useState(0);
  if (!isHeld || held.current?.reason !== reason) held.current = null;
  const now = new Map(rows.map((row) => [keyOf(row), row]));
  const keys = [...now.keys()];
  const apply = (): void => {
    held.current = null;
    again((count) => count + 1);
  };
  if (!isHeld) return { rows, pending: 0, apply };
  held.current ??= { keys, rows: now, reason };
  const { rows: before } = held.current;
  // Rows that are gone stay as they were.
  for (const [key, row] of now) before.set(key, row);
  const frozen = frozenOrder(held.current.keys, keys);
  return {
    rows: frozen.keys.flatMap((key) => before.get(key) ?? []),
    pending: frozen.pending,
    apply,
  };
}

const unseen: View = { scrollTop: 0, height: 800, rowHeight: 36 };

/** What is in view of something that scrolls. */
export function useView(scroller: RefObject<HTMLElement | null>): View {
  const [view, setView] = useState(unseen);
  const density = prefs.density.value;
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const look = (): void => {
      const { scrollTop, clientHeight: height } = element;
      const row = getComputedStyle(element).getPropertyValue("--row");
      setView({ scrollTop, height, rowHeight: Number.parseFloat(row) || unseen.rowHeight });
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [scroller, density]);
  return view;
}
