// `npm run bench`: the same load on our datacenter and, if CONSUL_BIN names one, on Consul's, in one run. Prints a
// table with ratios and ends with 1 if anything could not be measured. Figures vary by a fifth from run to run;
// ratios less.
//
// BENCH_SECONDS (4): how long each row is under load. BENCH_FAILOVERS (5), BENCH_STARTS (5): how often.
// BENCH_ONLY: only rows whose title has this in it.

import { spawnSync } from "node:child_process";

import { workerUrl } from "./edge.ts";
import { failovers } from "./failover.ts";
import { memory, type MemoryFigures } from "./memory.ts";
import { Agent } from "./processes.ts";
import { type Measured, prepare, rows, type Target } from "./rows.ts";
import { consul, inDirectory, proconsul, type Subject, withAgents } from "./subjects.ts";

const starts = Number(process.env.BENCH_STARTS ?? 5);
const only = process.env.BENCH_ONLY ?? "";
const memoryTitle = "memory";
const workerUrlTitle = "the Worker's URL";

const failover: Target = {
  title: "leader killed to next write, 3 processes",
  ...{ unit: "ms", mustReach: 2_000, aim: 1_000, absolute: true },
};
const start: Target = {
  title: "start of agent -dev to the first write",
  ...{ unit: "ms", mustReach: 1, aim: 2 },
};
const targets: Target[] = [...rows, failover, start];

class Report {
  readonly figures = new Map<string, number>();
  readonly failures: string[] = [];
  memory: MemoryFigures | null = null;
  readonly subject: Subject;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** Measures one row; a failure is noted and the others go on. */
  async row(title: string, measure: () => Promise<Measured>): Promise<void> {
    const { name } = this.subject;
    try {
      const { value, note } = await measure();
      this.figures.set(title, value);
      console.log(`${name}: ${title}: ${show(value)} (${note})`);
    } catch (failure) {
      this.failures.push(`${name}: ${title}: ${(failure as Error).message}`);
      console.log(this.failures.at(-1));
    }
  }
}

async function measure(subject: Subject): Promise<Report> {
  const report = new Report(subject);
  if (isWanted(start))
    await report.row(start.title, () => medianOf(starts, () => startMs(subject)));
  const wanted = rows.filter(isWanted);
  if (wanted.length > 0) {
    await inDirectory(async (directory) => {
      await withAgents(await subject.cluster(directory), async (agents) => {
        await prepare(agents.at(-1) as Agent);
        for (const row of wanted) await report.row(row.title, () => row.measure(agents));
      });
    });
  }
  if (isWanted(failover)) {
    await report.row(failover.title, async () => median(await failovers(subject)));
  }
  if (isWanted({ title: memoryTitle })) {
    await report.row(memoryTitle, async () => {
      report.memory = await memory(subject);
      return { value: report.memory.idle, note: "MB when idle" };
    });
  }
  return report;
}

function isWanted({ title }: Pick<Target, "title">): boolean {
  return title.includes(only);
}

/** From nothing to a write that was accepted. */
async function startMs(subject: Subject): Promise<number> {
  const program = await subject.dev();
  const beganMs = performance.now();
  return await withAgents([program], () => Promise.resolve(performance.now() - beganMs));
}

async function medianOf(count: number, sample: () => Promise<number>): Promise<Measured> {
  const samples: number[] = [];
  for (let n = 0; n < count; n++) samples.push(await sample());
  return median(samples);
}

function median(samples: readonly number[]): Measured {
  const sorted = samples.toSorted((a, b) => a - b);
  const note = `all: ${sorted.map(show).join(", ")}`;
  return { value: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, note };
}

function show(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  return value >= 1_000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

/** A Markdown table, as docs/benchmarks.md has it. */
function table(mine: Report, theirs: Report | null): string {
  const head = ["work", "proconsul", "Consul 1.8.7", "ratio", "must reach (aim)", ""];
  const lines = targets.filter(isWanted).map((target) => {
    const { title, unit, mustReach, aim, absolute } = target;
    const a = mine.figures.get(title);
    const b = theirs?.figures.get(title);
    const ratio = a === undefined || b === undefined ? undefined : unit === "/s" ? a / b : b / a;
    const wanted = `${mustReach} (${aim})${absolute ? " ms" : ""}`;
    const verdict = verdictOf(target, a, ratio);
    return [title, `${show(a)} ${unit}`, `${show(b)} ${unit}`, show(ratio), wanted, verdict];
  });
  const all = [head, head.map(() => "---"), ...lines];
  const widths = head.map((_, at) => Math.max(...all.map((line) => line[at]?.length ?? 0)));
  return all
    .map((line) => `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`)
    .join("\n");
}

function verdictOf(
  { mustReach, aim, absolute }: Target,
  value: number | undefined,
  ratio: number | undefined,
): string {
  const judged = absolute ? value : ratio;
  if (judged === undefined) return "";
  const reaches = (wanted: number): boolean => (absolute ? judged <= wanted : judged >= wanted);
  return reaches(aim) ? "aim reached" : reaches(mustReach) ? "reached" : "MISSED";
}

function memoryLine({ memory: figures, subject }: Report): string {
  if (!figures) return "";
  const { idle, restarted, peak } = figures;
  return (
    `resident memory of ${subject.name}: agent -dev before the first request ${show(idle)} MB; ` +
    `restarted on 10,000 services ${show(restarted)} MB; at most ${show(peak)} MB under load`
  );
}

async function workerUrlLine(): Promise<string> {
  if (!isWanted({ title: workerUrlTitle })) return "";
  try {
    const { ours, bareHop } = await workerUrl();
    const least = `a bare Worker → object hop ${show(bareHop)} /s`;
    return `KV GET stale at the Worker's URL ${show(ours)} /s; ${least}`;
  } catch (failure) {
    mine.failures.push(`${workerUrlTitle}: ${(failure as Error).message}`);
    return "";
  }
}

const built = spawnSync(process.execPath, [".ci/build.ts"], { stdio: "inherit" });
if (built.status !== 0) process.exit(1);
const binary = process.env.CONSUL_BIN;
if (binary === undefined) console.log("CONSUL_BIN is not set: only our own figures");
const mine = await measure(proconsul);
const theirs = binary === undefined ? null : await measure(consul(binary));
console.log(`\n${table(mine, theirs)}\n`);
for (const report of [mine, theirs]) if (report) console.log(memoryLine(report));
console.log(await workerUrlLine());
const failures = [...mine.failures, ...(theirs?.failures ?? [])];
for (const failure of failures) console.log(`could not be measured: ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);
