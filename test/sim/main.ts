// The simulator's command line.
//
//   node test/sim/main.ts --seed 42                  one cluster of cores, with a readable trace
//   node test/sim/main.ts --seeds 1..10000           many, over all cores
//   … --machine sqlite                               replicate the real state machine; or: toy
//   node test/sim/main.ts --hosts --seed 42          one datacenter of real hosts, with a trace
//   node test/sim/main.ts --hosts --minutes 4        as many seeds, from --first on, as that takes
//   … --preset edge                                  objects of a deployment instead of servers; or: lan, the default
//
// Of many seeds the last tenth replicates the real state machine, unless told otherwise. Every
// failure prints the command that replays it.

import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runHosts, type HostResult } from "./hosts/run.ts";
import type { HostPreset } from "./hosts/world.ts";
import type { MachineName } from "./machine.ts";
import { run } from "./run.ts";
import { printing } from "./trace.ts";

/** Which seeds a worker runs. */
interface Job {
  subject: MachineName | "hosts";
  /** Of hosts. */
  preset: HostPreset;
  first: number;
  last: number;
  stride: number;
  /** Wall clock at which no further seed is begun; null: never. */
  untilMs: number | null;
}

interface Report {
  failures: { seed: number; reason: string }[];
  runs: number;
  operations: number;
  simulatedMs: number;
  faults: Record<string, number>;
}

const sqliteShare = 0.1;
const seedMax = 1_000_000_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    machine: { type: "string" },
    hosts: { type: "boolean" },
    preset: { type: "string" },
    minutes: { type: "string" },
    first: { type: "string" },
    workers: { type: "string" },
    worker: { type: "boolean" },
    quiet: { type: "boolean" },
  },
});

function machineNamed(name: string): MachineName {
  if (name === "toy" || name === "sqlite") return name;
  throw new Error(`--machine is toy or sqlite, not ${name}`);
}

function presetNamed(name: string): HostPreset {
  if (name === "lan" || name === "edge") return name;
  throw new Error(`--preset is lan or edge, not ${name}`);
}

const preset = presetNamed(values.preset ?? "lan");

async function replay(seed: number): Promise<void> {
  const quiet = values.quiet === true;
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  if (values.hosts === true) {
    const trace = (atMs: number, who: string, what: string): void =>
      write(`${(atMs / 1_000).toFixed(3)} ${who}: ${what}`);
    write(JSON.stringify(await runHosts(seed, { preset, trace: quiet ? null : trace })));
    return;
  }
  const machine = machineNamed(values.machine ?? "toy");
  write(JSON.stringify(run(quiet ? { seed, machine } : { seed, machine, trace: printing(write) })));
}

async function runJob({
  subject,
  preset: hosts,
  first,
  last,
  stride,
  untilMs,
}: Job): Promise<Report> {
  const report: Report = { failures: [], runs: 0, operations: 0, simulatedMs: 0, faults: {} };
  for (let seed = first; seed <= last; seed += stride) {
    if (untilMs !== null && Date.now() >= untilMs) break;
    report.runs += 1;
    try {
      if (subject === "hosts") add(report, await runHosts(seed, { preset: hosts }));
      else report.operations += run({ seed, machine: subject }).operations;
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      report.failures.push({ seed, reason });
    }
  }
  return report;
}

function add(report: Report, { operations, simulatedMs, faults }: HostResult): void {
  report.operations += operations;
  report.simulatedMs += simulatedMs;
  for (const [name, count] of Object.entries(faults)) {
    report.faults[name] = (report.faults[name] ?? 0) + count;
  }
}

/** Runs a range of seeds over all cores and says how it went; returns whether all held. */
async function spread(job: Omit<Job, "stride" | "preset">): Promise<boolean> {
  const { subject, first, last } = job;
  if (first > last) return true;
  const started = performance.now();
  const workers = Number(values.workers ?? availableParallelism());
  const reports = await Promise.all(
    Array.from({ length: workers }, async (_, number) => {
      return await delegate({ ...job, preset, first: first + number, stride: workers });
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const failures = reports.flatMap((report) => report.failures);
  const replayed = subject === "hosts" ? `--hosts --preset ${preset}` : `--machine ${subject}`;
  for (const { seed, reason } of failures.toSorted((left, right) => left.seed - right.seed)) {
    process.stdout.write(`FAILED: ${reason}\n  npm run sim -- ${replayed} --seed ${seed}\n`);
  }
  const count = sum(reports, "runs");
  const what = subject === "hosts" ? hostsLine(reports) : `${subject} state machine`;
  process.stdout.write(
    `${what}, seeds from ${first}: ${count} runs, ${sum(reports, "operations")} operations, ` +
      `${failures.length} failed, ${seconds.toFixed(1)} s (${(count / seconds).toFixed(1)} seeds/s)\n`,
  );
  return failures.length === 0;
}

function sum(reports: readonly Report[], key: "runs" | "operations" | "simulatedMs"): number {
  return reports.reduce((total, report) => total + report[key], 0);
}

function hostsLine(reports: readonly Report[]): string {
  const faults = reports.flatMap((report) => Object.values(report.faults));
  const injected = faults.reduce((total, count) => total + count, 0);
  const hours = sum(reports, "simulatedMs") / 3_600_000;
  return `real hosts, ${hours.toFixed(1)} hours simulated, ${injected} faults injected`;
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

async function runHostRange(first: number, last: number): Promise<boolean> {
  const minutes = values.minutes === undefined ? null : Number(values.minutes);
  if (minutes === null) return await spread({ subject: "hosts", first, last, untilMs: null });
  const untilMs = Date.now() + minutes * 60_000;
  const from = Number(values.first ?? 1);
  return await spread({ subject: "hosts", first: from, last: seedMax, untilMs });
}

async function runRange(first: number, last: number): Promise<boolean> {
  const untilMs = null;
  if (values.hosts === true) return await runHostRange(first, last);
  if (values.machine !== undefined) {
    return await spread({ subject: machineNamed(values.machine), first, last, untilMs });
  }
  const lastToy = last - Math.floor((last - first + 1) * sqliteShare);
  const toyHeld = await spread({ subject: "toy", first, last: lastToy, untilMs });
  return (await spread({ subject: "sqlite", first: lastToy + 1, last, untilMs })) && toyHeld;
}

if (values.worker === true) {
  process.once("message", (message) => {
    void runJob(message as Job).then((report) =>
      process.send?.(report, () => process.disconnect()),
    );
  });
} else if (values.seed !== undefined) {
  await replay(Number(values.seed));
} else {
  const [first = 1, last = first] = (values.seeds ?? "1..100").split("..").map(Number);
  process.exitCode = (await runRange(first, last)) ? 0 : 1;
}
