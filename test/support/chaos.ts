// How hard the tests that kill processes try: a few rounds in CI, more when asked for.

/** Rounds of a chaos test: PROCONSUL_CHAOS_ROUNDS, else `usual`. */
export function chaosRounds(usual: number): number {
  return Number(process.env.PROCONSUL_CHAOS_ROUNDS ?? usual);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
