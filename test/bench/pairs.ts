// What one thing costs more than another in processor time, finer than repetitions tell. Of two equal processes the
// one that was started first was seen to take 10 to 20 % more for a request, and a machine has slow seconds: so both
// run at the same time, are asked in turns of less than a second, each keeps its best turn, and the next pair is
// started in the other order.

import { type LoadRow, withLoaded } from "./load-rows.ts";
import type { Agent } from "./processes.ts";
import { markdown } from "./results.ts";
import type { Subject } from "./subjects.ts";
import type { Effort } from "./trials.ts";

/** The first is what the other one is compared with. */
export type Pair = readonly [Subject, Subject];

export interface PairLine {
  title: string;
  /** Processor time of a request, in µs, of the first and of the other: the least of each pair. */
  micros: readonly (readonly [number, number])[];
}

/** A turn, its warm-up included. */
const turnMs = 700;
/** The other one may cost so much more: within 10 %. */
const ratioMax = 1.1;

export async function comparePairs(
  pair: Pair,
  rows: readonly LoadRow[],
  effort: Effort,
): Promise<PairLine[]> {
  const lines = rows.map(({ title }) => ({ title, micros: [] as [number, number][] }));
  for (let round = 0; round < effort.pairs; round++) {
    await withBoth(pair, round % 2 === 1, async (both) => {
      for (const [n, row] of rows.entries()) {
        const least = await leastMicros(both, row, effort);
        lines[n]?.micros.push(least);
        console.log(
          `pair ${round + 1}: ${row.title}: ${least.map((one) => one.toFixed(1)).join(", ")}`,
        );
      }
    });
  }
  return lines;
}

type Asked = { agents: readonly Agent[]; token: string };

async function withBoth(
  [first, second]: Pair,
  isTurned: boolean,
  use: (both: readonly [Asked, Asked]) => Promise<void>,
): Promise<void> {
  const [early, late] = isTurned ? [second, first] : [first, second];
  await withLoaded(early, async (...[agents, token]) => {
    await withLoaded(late, async (...[others, otherToken]) => {
      const started = [
        { agents, token },
        { agents: others, token: otherToken },
      ] as const;
      await use(isTurned ? [started[1], started[0]] : started);
    });
  });
}

async function leastMicros(
  both: readonly [Asked, Asked],
  row: LoadRow,
  effort: Effort,
): Promise<[number, number]> {
  const least: [number, number] = [Infinity, Infinity];
  for (let turn = 0; turn < effort.turns * 2; turn++) {
    // First, second, second, first: what drifts does not favour one of them.
    const n = turn % 4 === 1 || turn % 4 === 2 ? 1 : 0;
    const { agents, token } = both[n];
    const samples = await row.samples(agents, { ...effort, loadMs: turnMs }, token);
    for (const { cpuMicros = Infinity } of samples) least[n] = Math.min(least[n], cpuMicros);
  }
  return least;
}

/** A Markdown table: the mean of the pairs decides. */
export function pairTable(lines: readonly PairLine[]): string {
  const head = ["work", "µs CPU each, without", "with", "ratio: min / mean / max", "at most", ""];
  const rows = lines.map(({ title, micros }) => {
    const ratios = micros.map(([plain, secured]) => secured / plain);
    const ratio = mean(ratios);
    return [
      title,
      mean(micros.map(([plain]) => plain)).toFixed(1),
      mean(micros.map(([, secured]) => secured)).toFixed(1),
      [Math.min(...ratios), ratio, Math.max(...ratios)].map((one) => one.toFixed(2)).join(" / "),
      ratioMax.toFixed(2),
      ratio <= ratioMax ? "reached" : "MISSED",
    ];
  });
  return markdown([head, head.map(() => "---"), ...rows]);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
