// Which rows of a long list are in the page: those in view and some around them, and the one that has the focus.

export interface RowWindow {
  /** Places of rows that are there, ascending, and of none twice. */
  places: readonly number[];
  /** How many rows are left out before each of them, and after the last. */
  gaps: readonly number[];
}

const around = 12;

export interface View {
  scrollTop: number;
  height: number;
  rowHeight: number;
}

/** `focused`: place of the row that has the focus; -1: none has it. */
export function rowWindow(count: number, view: View, focused: number): RowWindow {
  const { scrollTop, height, rowHeight } = view;
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - around);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + around);
  const places: number[] = [];
  if (focused >= 0 && focused < Math.min(first, count)) places.push(focused);
  for (let place = first; place < end; place++) places.push(place);
  if (focused >= Math.max(first, end) && focused < count) places.push(focused);
  const gaps = places.map((place, at) => place - (at === 0 ? 0 : (places[at - 1] ?? 0) + 1));
  return { places, gaps: [...gaps, count - (places.at(-1) ?? -1) - 1] };
}

/** Keys as they stay while somebody points at the list, and how many changes wait. */
export interface Frozen {
  keys: readonly string[];
  pending: number;
}

/** `held`: the order at which it froze. */
export function frozenOrder(held: readonly string[], now: readonly string[]): Frozen {
  const known = new Set(held);
  const there = new Set(now);
  const added = now.filter((key) => !known.has(key)).length;
  const removed = held.filter((key) => !there.has(key)).length;
  const moved = added + removed === 0 && held.some((key, at) => key !== now[at]) ? 1 : 0;
  return { keys: held, pending: added + removed + moved };
}
