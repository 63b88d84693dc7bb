// The simulator's command line.
//
//   node test/sim/main.ts --seed 42          one run, with a readable trace
//   node test/sim/main.ts --seeds 1..10000   many, over all cores
//
// Every failure prints the command that replays it.

import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { run } from "./run.ts";
import { printing } from "./trace.ts";

interface Report {
  failures: { seed: number; reason: string }[];
  operations: number;
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    workers: { type: "string" },
    worker: { type: "boolean" },
    quiet: { type: "boolean" },
  },
});

function replay(seed: number): void {
  const trace = printing((line) => process.stdout.write(`${line}\n`));
  const result = run(values.quiet === true ? { seed } : { seed, trace });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function runMany(first: number, last: number, stride: number): Report {
  const report: Report = { failures: [], operations: 0 };
  for (let seed = first; seed <= last; seed += stride) {
    try {
      report.operations += run({ seed }).operations;
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      report.failures.push({ seed, reason });
    }
  }
  return report;
}

async function spread(first: number, last: number): Promise<void> {
  const started = performance.now();
  const workers = Number(values.workers ?? availableParallelism());
  const seeds = `${first}..${last}`;
  const reports = await Promise.all(
    Array.from({ length: workers }, async (_, number) => {
      const child = fork(import.meta.filename, ["--worker"]);
      return await new Promise<Report>((resolve, reject) => {
        child.once("message", (message) => resolve(message as Report));
        child.once("error", reject);
        child.once("exit", (code) => {
          if (code !== 0) reject(new Error(`worker ended with ${code}`));
        });
        child.send({ first: first + number, last, stride: workers });
      });
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const failures = reports.flatMap((report) => report.failures);
  const operations = reports.reduce((sum, report) => sum + report.operations, 0);
  for (const { seed, reason } of failures.toSorted((left, right) => left.seed - right.seed)) {
    process.stdout.write(`FAILED: ${reason}\n  npm run sim -- --seed ${seed}\n`);
  }
  const count = last - first + 1;
  const rate = (count / seconds).toFixed(0);
  process.stdout.write(
    `seeds ${seeds}: ${count} runs, ${operations} operations, ${failures.length} failed, ` +
      `${seconds.toFixed(1)} s (${rate} seeds/s)\n`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}

if (values.worker === true) {
  process.once("message", (message) => {
    const { first, last, stride } = message as { first: number; last: number; stride: number };
    process.send?.(runMany(first, last, stride), () => process.disconnect());
  });
} else if (values.seed !== undefined) {
  replay(Number(values.seed));
} else {
  const [first = 1, last = first] = (values.seeds ?? "1..100").split("..").map(Number);
  await spread(first, last);
}
