// `npm run bench`: the same load on the working tree, on another commit (`--against COMMIT`) and, if CONSUL_BIN names
// one, on Consul, by turns in one run. Prints a table of the repetitions' spread and of ratios (above 1: ours is
// better; `~`: the difference is within the spread, so it may be noise), and ends with 1 if anything could not be
// measured.
//
// `--acl` measures what ACLs cost instead, by pairs of datacenters that run at the same time (pairs.ts).
// `--rows NAME,...` measures only these; `--quick` is for trying the tool, not for figures.

import { checkOut, workingTree } from "./checkouts.ts";
import { agentsTrial, trafficTrial } from "./agents.ts";
import { failoverTrial } from "./failover.ts";
import { loadRows, loadTrial } from "./load-rows.ts";
import { memoryTrial } from "./memory.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { Results, show } from "./results.ts";
import { startTrial } from "./start.ts";
import { comparePairs, pairTable } from "./pairs.ts";
import { consul, proconsul, type Subject, withAcls } from "./subjects.ts";
import { type Effort, fullEffort, type Trial } from "./trials.ts";
import { bareWorker, workerUrlTrial } from "./worker-url.ts";

function trialsOf(effort: Effort): Trial[] {
  return [
    startTrial,
    loadTrial,
    failoverTrial,
    memoryTrial,
    agentsTrial,
    trafficTrial,
    workerUrlTrial,
  ].map((trial) => trial(effort));
}

function subjectsOf({ against }: BenchOptions): [Subject, ...Subject[]] {
  const ours = proconsul(workingTree());
  const before = against === null ? [] : [proconsul(checkOut(against))];
  const binary = process.env.CONSUL_BIN;
  if (binary === undefined) console.log("CONSUL_BIN is not set: only our own figures");
  return [ours, ...before, ...(binary === undefined ? [] : [consul(binary)]), bareWorker];
}

/** Returns what could not be measured. Who goes first changes with each repetition. */
async function measureAll(
  trials: readonly Trial[],
  subjects: readonly Subject[],
  { rows: wanted, effort }: BenchOptions,
  results: Results,
): Promise<string[]> {
  const failures: string[] = [];
  for (const trial of trials.filter(({ rows }) => rows.some(({ name }) => wanted.has(name)))) {
    const able = subjects.filter((subject) => trial.applies(subject));
    for (let repetition = 0; repetition < effort.repetitions; repetition++) {
      for (let turn = 0; turn < able.length; turn++) {
        const subject = able[(turn + repetition) % able.length] as Subject;
        const report = (row: string, sample: Parameters<Results["add"]>[2]): void => {
          results.add(subject.name, row, sample);
          console.log(`${subject.name}, ${repetition + 1}: ${row}: ${show(sample.value)}`);
        };
        await trial.measure(subject, wanted, report).catch((failure: unknown) => {
          const about = `${subject.name}, ${repetition + 1}: ${trial.rows[0]?.name}`;
          failures.push(`${about}: ${(failure as Error).message}`);
          console.log(failures.at(-1));
        });
      }
    }
  }
  return failures;
}

const names = trialsOf(fullEffort).flatMap(({ rows }) => rows.map(({ name }) => name));
const options = parseOptions(process.argv.slice(2), names);
// So that temporary checkouts go, which `process.on("exit")` sees to.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
if (options.acl) {
  const ours = proconsul(workingTree());
  const wanted = loadRows.filter(({ name, unit }) => unit === "/s" && options.rows.has(name));
  if (wanted.length === 0) throw new Error("--acl measures rates under load: none was chosen");
  console.log(
    `\n${pairTable(await comparePairs([ours, withAcls(ours)], wanted, options.effort))}\n`,
  );
  process.exit(0);
}
const subjects = subjectsOf(options);
const trials = trialsOf(options.effort);
const results = new Results();
const failures = await measureAll(trials, subjects, options, results);
const rows = trials.flatMap((trial) => trial.rows).filter(({ name }) => options.rows.has(name));
const shown = subjects.filter(
  (subject) => subject !== bareWorker || options.rows.has("worker-url"),
);
const [ours, ...others] = shown.map(({ name }) => name);
console.log(`\n${results.table(rows, [ours ?? "", ...others])}\n`);
for (const failure of failures) console.log(`could not be measured: ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);
