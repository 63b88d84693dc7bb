// The simulator's command line.
//
//   node test/sim/main.ts --seed 42          one run, with a readable trace
//   node test/sim/main.ts --seeds 1..10000   many, over all cores
//   … --machine sqlite                       replicate the real state machine; or: toy
//
// Of many seeds the last tenth replicates the real state machine, unless told otherwise. Every
// failure prints the command that replays it.

import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { MachineName } from "./machine.ts";
import { run } from "./run.ts";
import { printing } from "./trace.ts";

/** Which seeds a worker runs. */
interface Job {
  machine: MachineName;
  first: number;
  last: number;
  stride: number;
}

interface Report {
  failures: { seed: number; reason: string }[];
  operations: number;
}

const sqliteShare = 0.1;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    machine: { type: "string" },
    workers: { type: "string" },
    worker: { type: "boolean" },
    quiet: { type: "boolean" },
  },
});

function machineNamed(name: string): MachineName {
  if (name === "toy" || name === "sqlite") return name;
  throw new Error(`--machine is toy or sqlite, not ${name}`);
}

function replay(seed: number): void {
  const trace = printing((line) => process.stdout.write(`${line}\n`));
  const machine = machineNamed(values.machine ?? "toy");
  const result = run(values.quiet === true ? { seed, machine } : { seed, machine, trace });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function runJob({ machine, first, last, stride }: Job): Report {
  const report: Report = { failures: [], operations: 0 };
  for (let seed = first; seed <= last; seed += stride) {
    try {
      report.operations += run({ seed, machine }).operations;
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      report.failures.push({ seed, reason });
    }
  }
  return report;
}

/** Runs a range of seeds over all cores and says how it went; returns whether all held. */
async function spread(machine: MachineName, first: number, last: number): Promise<boolean> {
  if (first > last) return true;
  const started = performance.now();
  const workers = Number(values.workers ?? availableParallelism());
  const reports = await Promise.all(
    Array.from({ length: workers }, async (_, number) => {
      return await delegate({ machine, first: first + number, last, stride: workers });
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const failures = reports.flatMap((report) => report.failures);
  const operations = reports.reduce((sum, report) => sum + report.operations, 0);
  for (const { seed, reason } of failures.toSorted((left, right) => left.seed - right.seed)) {
    process.stdout.write(
      `FAILED: ${reason}\n  npm run sim -- --seed ${seed} --machine ${machine}\n`,
    );
  }
  const count = last - first + 1;
  const rate = (count / seconds).toFixed(0);
  process.stdout.write(
    `${machine} state machine, seeds ${first}..${last}: ${count} runs, ${operations} operations, ` +
      `${failures.length} failed, ${seconds.toFixed(1)} s (${rate} seeds/s)\n`,
  );
  return failures.length === 0;
}

async function delegate(job: Job): Promise<Report> {
  const child = fork(import.meta.filename, ["--worker"]);
  return await new Promise<Report>((resolve, reject) => {
    child.once("message", (message) => resolve(message as Report));
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code !== 0) reject(new Error(`worker ended with ${code}`));
    });
    child.send(job);
  });
}

async function runRange(first: number, last: number): Promise<boolean> {
  if (values.machine !== undefined) return await spread(machineNamed(values.machine), first, last);
  const lastToy = last - Math.floor((last - first + 1) * sqliteShare);
  const toyHeld = await spread("toy", first, lastToy);
  return (await spread("sqlite", lastToy + 1, last)) && toyHeld;
}

if (values.worker === true) {
  process.once("message", (message) => {
    process.send?.(runJob(message as Job), () => process.disconnect());
  });
} else if (values.seed !== undefined) {
  replay(Number(values.seed));
} else {
  const [first = 1, last = first] = (values.seeds ?? "1..100").split("..").map(Number);
  process.exitCode = (await runRange(first, last)) ? 0 : 1;
}
