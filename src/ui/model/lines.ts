// Texts by their lines: what differs between two of them, and what two people made of a third.

/** A run of lines that is the same in both, or that is not. */
export interface Run {
  kind: "same" | "removed" | "added";
  lines: readonly string[];
}

/** Beyond so many pairs of lines what is between the first and the last difference counts as changed as a whole. */
const pairsMax = 4_000_000;

export function diffLines(before: string, after: string): Run[] {
  const left = before.split("\n");
  const right = after.split("\n");
  const runs: Run[] = [];
  const push = (kind: Run["kind"], lines: readonly string[]): void => {
    if (lines.length > 0) runs.push({ kind, lines });
  };
  let [atLeft, atRight] = [0, 0];
  for (const { from, to, length } of [...matches(left, right), endOf(left, right)]) {
    push("removed", left.slice(atLeft, from));
    push("added", right.slice(atRight, to));
    push("same", left.slice(from, from + length));
    [atLeft, atRight] = [from + length, to + length];
  }
  return runs;
}

export interface Merged {
  text: string;
  /** Places where both changed the same lines, each otherwise. */
  conflicts: number;
}

/** Lines that one of them changed are as that one made them. Where both did, both are there, between marks. */
export function mergeLines(base: string, mine: string, theirs: string): Merged {
  const lines = { base: base.split("\n"), mine: mine.split("\n"), theirs: theirs.split("\n") };
  const inMine = placesOf(lines.base, lines.mine);
  const inTheirs = placesOf(lines.base, lines.theirs);
  const out: string[] = [];
  let conflicts = 0;
  const at = { base: 0, mine: 0, theirs: 0 };
  const chunk = (to: typeof at): void => {
    const part = (name: keyof typeof at): string[] => lines[name].slice(at[name], to[name]);
    const { text, isConflict } = choose(part("base"), part("mine"), part("theirs"));
    out.push(...text);
    if (isConflict) conflicts += 1;
    Object.assign(at, to);
  };
  for (const [base, line] of lines.base.entries()) {
    const [mine, theirs] = [inMine.get(base), inTheirs.get(base)];
    if (mine === undefined || theirs === undefined) continue;
    chunk({ base, mine, theirs });
    out.push(line);
    Object.assign(at, { base: base + 1, mine: mine + 1, theirs: theirs + 1 });
  }
  chunk({ base: lines.base.length, mine: lines.mine.length, theirs: lines.theirs.length });
  return { text: out.join("\n"), conflicts };
}

function choose(
  base: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
): { text: readonly string[]; isConflict: boolean } {
  if (isSame(mine, theirs) || isSame(base, theirs)) return { text: mine, isConflict: false };
  if (isSame(base, mine)) return { text: theirs, isConflict: false };
  return {
    text: ["<<<<<<< mine", ...mine, "=======", ...theirs, ">>>>>>> theirs"],
    isConflict: true,
  };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, at) => line === other[at]);
}

/** Where lines of the first are in the second. */
function placesOf(left: readonly string[], right: readonly string[]): Map<number, number> {
  return new Map(
    matches(left, right).flatMap(({ from, to, length }) =>
      Array.from({ length }, (_, at): [number, number] => [from + at, to + at]),
    ),
  );
}

interface Match {
  from: number;
  to: number;
  length: number;
}

function endOf(left: readonly string[], right: readonly string[]): Match {
  return { from: left.length, to: right.length, length: 0 };
}

/** The longest common sequence, as runs in order. */
function matches(left: readonly string[], right: readonly string[]): Match[] {
  let start = 0;
  const shortest = Math.min(left.length, right.length);
  while (start < shortest && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < shortest - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  const middle = common(
    left.slice(start, left.length - end),
    right.slice(start, right.length - end),
  );
  return [
    { from: 0, to: 0, length: start },
    ...middle.map(({ from, to }) => ({ from: from + start, to: to + start, length: 1 })),
    { from: left.length - end, to: right.length - end, length: end },
  ].filter(({ length }) => length > 0);
}

function common(left: readonly string[], right: readonly string[]): { from: number; to: number }[] {
  const [rows, columns] = [left.length, right.length];
  if (rows === 0 || columns === 0 || rows * columns > pairsMax) return [];
  const width = columns + 1;
  // Of what is left of both from here on.
  const longest = new Uint16Array((rows + 1) * width);
  const value = (row: number, column: number): number => longest[row * width + column] ?? 0;
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      longest[row * width + column] =
        left[row] === right[column]
          ? value(row + 1, column + 1) + 1
          : Math.max(value(row + 1, column), value(row, column + 1));
    }
  }
  const found: { from: number; to: number }[] = [];
  for (let [row, column] = [0, 0]; row < rows && column < columns;) {
    if (left[row] === right[column]) found.push({ from: row++, to: column++ });
    else if (value(row + 1, column) >= value(row, column + 1)) row += 1;
    else column += 1;
  }
  return found;
}
