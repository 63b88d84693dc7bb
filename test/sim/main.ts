// The simulator's command line.
//
//   node test/sim/main.ts --seed 42                  one cluster of cores, with a readable trace
//   node test/sim/main.ts --seeds 1..10000           many, over all cores
//   … --machine sqlite                               replicate the real state machine; or: toy
//   node test/sim/main.ts --hosts --seed 42          one datacenter of real hosts, with a trace
//   node test/sim/main.ts --hosts --minutes 4        as many seeds, from --first on, as that takes
//   … --preset edge                                  objects of a deployment instead of servers; or: lan, the default
//   node test/sim/main.ts --gossip --seeds 1..1000   50 agents that probe each other, and their pool; or --minutes
//
// Of many seeds the last tenth replicates the real state machine, unless told otherwise. Every
// failure prints the command that replays it.

import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { median, runGossip, usualGossip } from "./gossip/run.ts";
import { runHosts } from "./hosts/run.ts";
import type { HostPreset } from "./hosts/world.ts";
import type { MachineName } from "./machine.ts";
import { run } from "./run.ts";
import { printing } from "./trace.ts";

type Subject = MachineName | "hosts" | "gossip";

/** Which seeds a worker runs. */
interface Job {
  subject: Subject;
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
  /** Of gossip: from each death to the verdict. */
  noticedMs: number[];
}

const sqliteShare = 0.1;
const seedMax = 1_000_000_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    machine: { type: "string" },
    hosts: { type: "boolean" },
    gossip: { type: "boolean" },
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
  const trace = (atMs: number, who: string, what: string): void =>
    write(`${(atMs / 1_000).toFixed(3)} ${who}: ${what}`);
  if (values.gossip === true) {
    const told = (atMs: number, fault: string): void => trace(atMs, "FAULT", fault);
    write(
      JSON.stringify(await runGossip(seed, quiet ? usualGossip : { ...usualGossip, trace: told })),
    );
    return;
  }
  if (values.hosts === true) {
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
  const report: Report = {
    ...{ failures: [], runs: 0, operations: 0, simulatedMs: 0, faults: {}, noticedMs: [] },
  };
  for (let seed = first; seed <= last; seed += stride) {
    if (untilMs !== null && Date.now() >= untilMs) break;
    report.runs += 1;
    try {
      if (subject === "hosts") {
        const result = await runHosts(seed, { preset: hosts });
        report.operations += result.operations;
        add(report, result);
      } else if (subject === "gossip") {
        const result = await runGossip(seed);
        report.noticedMs.push(...result.noticedMs);
        add(report, result);
      } else report.operations += run({ seed, machine: subject }).operations;
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      report.failures.push({ seed, reason });
    }
  }
  return report;
}

function add(
  report: Report,
  { simulatedMs, faults }: Pick<Report, "simulatedMs" | "faults">,
): void {
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
  const tookSeconds = (performance.now() - started) / 1000;
  const failures = reports.flatMap((report) => report.failures);
  for (const { seed, reason } of failures.toSorted((left, right) => left.seed - right.seed)) {
    process.stdout.write(
      `FAILED: ${reason}\n  npm run sim -- ${replayOf(subject)} --seed ${seed}\n`,
    );
  }
  const count = sum(reports, "runs");
  const operations = sum(reports, "operations");
  const what = lineOf(subject, reports);
  process.stdout.write(
    `${what}, seeds from ${first}: ${count} runs, ${operations > 0 ? `${operations} operations, ` : ""}` +
      `${failures.length} failed, ${tookSeconds.toFixed(1)} s (${(count / tookSeconds).toFixed(1)} seeds/s)\n`,
  );
  return failures.length === 0;
}

function sum(reports: readonly Report[], key: "runs" | "operations" | "simulatedMs"): number {
  return reports.reduce((total, report) => total + report[key], 0);
}

function replayOf(subject: Subject): string {
  if (subject === "gossip") return "--gossip";
  return subject === "hosts" ? `--hosts --preset ${preset}` : `--machine ${subject}`;
}

function lineOf(subject: Subject, reports: readonly Report[]): string {
  if (subject !== "hosts" && subject !== "gossip") return `${subject} state machine`;
  const faults = reports.flatMap((report) => Object.values(report.faults));
  const injected = faults.reduce((total, count) => total + count, 0);
  const hours = sum(reports, "simulatedMs") / 3_600_000;
  const simulated = `${hours.toFixed(1)} hours simulated, ${injected} faults injected`;
  if (subject === "hosts") return `real hosts, ${simulated}`;
  const noticed = reports.flatMap(({ noticedMs }) => noticedMs);
  const [usual, most] = [median(noticed), noticed.reduce((a, b) => Math.max(a, b), 0)];
  const deaths = `${noticed.length} deaths noticed after ${seconds(usual)} (median), ${seconds(most)} at most`;
  return `gossip of ${usualGossip.agents} agents, ${simulated}, ${deaths}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
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

async function runHostRange(
  subject: "hosts" | "gossip",
  first: number,
  last: number,
): Promise<boolean> {
  const minutes = values.minutes === undefined ? null : Number(values.minutes);
  if (minutes === null) return await spread({ subject, first, last, untilMs: null });
  const untilMs = Date.now() + minutes * 60_000;
  const from = Number(values.first ?? 1);
  return await spread({ subject, first: from, last: seedMax, untilMs });
}

async function runRange(first: number, last: number): Promise<boolean> {
  const untilMs = null;
  if (values.hosts === true) return await runHostRange("hosts", first, last);
  if (values.gossip === true) return await runHostRange("gossip", first, last);
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
