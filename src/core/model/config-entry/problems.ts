// How several things that are wrong with one entry are reported at once.

/** Go's list of errors, each on a line of its own. */
export function listProblems(problems: readonly string[]): string {
  const count = problems.length === 1 ? "1 error" : `${problems.length} errors`;
  return `${count} occurred:\n${problems.map((problem) => `\t* ${problem}\n`).join("")}\n`;
}
