// The name that somebody may have meant.

/** More slips than this are no slip. */
const slipsMax = 2;

/** Null when no name is near. */
export function nearest(typed: string, names: readonly string[]): string | null {
  const [best] = names
    .map((name) => ({ name, slips: slips(typed, name) }))
    .filter(({ name, slips: count }) => count <= slipsMax && count < name.length)
    .toSorted((a, b) => a.slips - b.slips);
  return best?.name ?? null;
}

/** Characters to insert, remove or replace to make one of the other. */
function slips(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
