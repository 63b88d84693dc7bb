// How many of all serve, as a bar: one piece for each state, in an order that never changes.

import { formatNumber } from "../text/index.ts";

export interface BarProps {
  label: string;
  well: number;
  all: number;
  /** How many are in each state. */
  parts: readonly { state: "passing" | "warning" | "critical" | "maintenance"; count: number }[];
}

export function Bar({ label, well, all, parts }: BarProps) {
  return (
    <span class="serving" title={label}>
      <span class="offscreen">{label}</span>
      <span class="number" aria-hidden="true">
        {formatNumber(well)}/{formatNumber(all)}
      </span>
      <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        {pieces(parts).map(({ state, from, width }) => (
          <rect key={state} class={`is-${state}`} x={from} y="0" width={width} height="8" />
        ))}
      </svg>
    </span>
  );
}

/** Of a hundred; what is there is never narrower than can be seen. */
function pieces(parts: BarProps["parts"]): { state: string; from: number; width: number }[] {
  const there = parts.filter(({ count }) => count > 0);
  const sum = there.reduce((total, { count }) => total + count, 0);
  const widths = there.map(({ count }) => Math.max(4, (count / sum) * 100));
  const total = widths.reduce((all, width) => all + width, 0);
  let from = 0;
  return there.map(({ state }, at) => {
    const width = ((widths[at] ?? 0) / total) * 100;
    from += width;
    return { state, from: from - width, width };
  });
}
