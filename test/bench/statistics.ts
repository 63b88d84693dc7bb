// What repetitions say: the middle and the spread, and whether two subjects differ by more than either differs from
// itself.

export interface Summary {
  min: number;
  median: number;
  max: number;
}

/** Undefined without samples. */
export function summarize(samples: readonly number[]): Summary | undefined {
  const sorted = samples.toSorted((a, b) => a - b);
  const [min] = sorted;
  if (min === undefined) return undefined;
  return { min, median: middleOf(sorted), max: sorted.at(-1) ?? min };
}

function middleOf(sorted: readonly number[]): number {
  const half = sorted.length / 2;
  const above = sorted[Math.floor(half)] ?? Number.NaN;
  return Number.isInteger(half) ? ((sorted[half - 1] ?? Number.NaN) + above) / 2 : above;
}

/** Whether the medians are no further apart than the repetitions of one of the two were. */
export function isNoise(left: Summary, right: Summary): boolean {
  const spread = Math.max(left.max - left.min, right.max - right.min);
  return Math.abs(left.median - right.median) <= spread;
}

/** How many times better `ours` is: above 1 it is the better one, whether more or less is better. */
export function advantage(ours: Summary, theirs: Summary, better: "more" | "less"): number {
  return better === "more" ? ours.median / theirs.median : theirs.median / ours.median;
}
