// The arithmetic of majorities. No Raft state here: numbers in, a number or a verdict out, so that
// a table of cases can check it by eye.

export function majority(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}

/** The largest value that a majority has reached: the k-th largest, k being the majority. With no
 * voters at all nothing is ever reached. Sorts `values` in place. */
export function quorumValue(values: number[]): number {
  if (values.length === 0) return 0;
  values.sort((left, right) => right - left);
  return values[majority(values.length) - 1] as number;
}

export type VoteResult = "won" | "lost" | "pending";

/** `votes` holds true for granted, false for refused; voters without an entry have not answered. */
export function voteResult(voters: readonly string[], votes: Map<string, boolean>): VoteResult {
  let granted = 0;
  let refused = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === true) granted += 1;
    else if (vote === false) refused += 1;
  }
  const needed = majority(voters.length);
  if (voters.length > 0 && granted >= needed) return "won";
  return refused > voters.length - needed ? "lost" : "pending";
}
