// Tables of text: each column as wide as its widest cell, two spaces between.

export interface ColumnOptions {
  /** What stands between columns. */
  gap?: string;
}

/** Lines without the last line break. The last cell of a line is not padded. */
export function columns(
  rows: readonly (readonly string[])[],
  { gap = "  " }: ColumnOptions = {},
): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) {
      widths[at] = Math.max(widths[at] ?? 0, displayWidth(cell));
    }
  }
  return rows.map((row) => tableLine(row, widths, gap)).join("\n");
}

function tableLine(row: readonly string[], widths: readonly number[], gap: string): string {
  const last = row.length - 1;
  return row
    .map((cell, at) =>
      at === last ? cell : cell + " ".repeat((widths[at] ?? 0) - displayWidth(cell)),
    )
    .join(gap);
}

/** In code points. */
function displayWidth(cell: string): number {
  return Array.from(cell).length;
}
