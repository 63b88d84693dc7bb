// What was measured, and the Markdown table of it: for each row the rate, the processor time of a request and the
// memory, with the spread of its own repetitions.

import { advantage, isNoise, summarize, type Summary } from "./statistics.ts";
import type { Row, Sample } from "./trials.ts";

type Figure = keyof Sample;

interface Line {
  row: Row;
  figure: Figure;
}

const figures: readonly Figure[] = ["value", "cpuMicros", "privateMegabytes"];
const figureUnits = { cpuMicros: "µs CPU each", privateMegabytes: "MB private" } as const;
const noiseMark = "~";

export class Results {
  readonly #samples = new Map<string, Sample[]>();

  add(subject: string, row: string, sample: Sample): void {
    const key = keyOf(subject, row);
    this.#samples.set(key, [...(this.#samples.get(key) ?? []), sample]);
  }

  /** Undefined when it was not measured. */
  summary(subject: string, { row, figure }: Line): Summary | undefined {
    const samples = this.#samples.get(keyOf(subject, row.name)) ?? [];
    return summarize(samples.flatMap((sample) => sample[figure] ?? []));
  }

  /** Subjects in the order of columns; the first is compared with each of the others. */
  table(rows: readonly Row[], subjects: readonly [string, ...string[]]): string {
    const [ours, ...others] = subjects;
    const head = [
      ...["work", "", `${ours}: min / median / max`],
      ...others.flatMap((name) => [name, `× ${name}`]),
      ...["to reach", ""],
    ];
    const lines = rows
      .flatMap((row) => figures.map((figure) => ({ row, figure })))
      .filter((line) => subjects.some((name) => this.summary(name, line)))
      .map((line) => this.#cells(line, subjects));
    return markdown([head, head.map(() => "---"), ...lines]);
  }

  #cells(line: Line, [ours, ...others]: readonly [string, ...string[]]): string[] {
    const { row, figure } = line;
    const mine = this.summary(ours, line);
    const isMain = figure === "value";
    return [
      isMain ? row.title : "",
      figure === "value" ? row.unit : figureUnits[figure],
      cell(mine),
      ...others.flatMap((name) => {
        const theirs = this.summary(name, line);
        return [cell(theirs), ratioCell(mine, theirs, betterOf(line))];
      }),
      isMain ? reachCell(row) : "",
      isMain ? this.#verdict(line, mine) : "",
    ];
  }

  #verdict(line: Line, mine: Summary | undefined): string {
    const { reach } = line.row;
    if (!mine) return "";
    if ("atMost" in reach) return mine.median <= reach.atMost ? "reached" : "MISSED";
    const theirs = this.summary(reach.than, line);
    if (!theirs) return "";
    return advantage(mine, theirs, betterOf(line)) >= reach.times ? "reached" : "MISSED";
  }
}

function keyOf(subject: string, row: string): string {
  return `${subject}\n${row}`;
}

function betterOf({ row, figure }: Line): "more" | "less" {
  return figure === "value" && row.unit === "/s" ? "more" : "less";
}

function cell(summary: Summary | undefined): string {
  if (!summary) return "–";
  return [summary.min, summary.median, summary.max].map(show).join(" / ");
}

function ratioCell(
  mine: Summary | undefined,
  theirs: Summary | undefined,
  better: "more" | "less",
): string {
  if (!mine || !theirs) return "–";
  const ratio = advantage(mine, theirs, better).toFixed(2);
  return isNoise(mine, theirs) ? `${ratio} ${noiseMark}` : ratio;
}

function reachCell({ reach, unit }: Row): string {
  return "atMost" in reach ? `${reach.atMost} ${unit}` : `${reach.times} × ${reach.than}`;
}

export function show(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

export function markdown(all: readonly (readonly string[])[]): string {
  const widths = (all[0] ?? []).map((_, at) =>
    Math.max(...all.map((line) => line[at]?.length ?? 0)),
  );
  return all
    .map((line) => `| ${line.map((text, at) => text.padEnd(widths[at] ?? 0)).join(" | ")} |`)
    .join("\n");
}
