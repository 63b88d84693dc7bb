// `debug`: what is known of an agent, and how it changes within some minutes, as an archive to look at elsewhere.

import { existsSync, mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { openError } from "../../../agent/go-reasons.ts";
import { formatDuration } from "../../../core/model/duration.ts";
import { type Call, command, Failure, messageOf } from "../../command.ts";
import { durationFlag, type FlagTable, listFlag, switchFlag, textFlag } from "../../flags.ts";
import { nanosecondsPerMs } from "../../time.ts";
import { archiveDirectory } from "./archive.ts";
import { type Target, targets, Capture } from "./capture.ts";

const seconds = 1_000 * nanosecondsPerMs;
const durationMin = 10 * seconds;
const intervalMin = 5 * seconds;
const archiveSuffix = ".tar.gz";
/** Of what index.json says. */
const formatVersion = 1;

const flags = {
  archive: switchFlag("Makes an archive of the files. Without it the directory is left.", true),
  capture: listFlag(
    "Captures this kind of information only: metrics, logs, pprof, host, agent or cluster. May be repeated.",
  ),
  duration: durationFlag("How long to capture. Defaults to 2m0s.", 120 * seconds, "2m0s"),
  interval: durationFlag(
    "How often what changes is captured. Defaults to 30s.",
    30 * seconds,
    "30s",
  ),
  output: textFlag("Path of the archive, without its ending."),
} satisfies FlagTable;

export default command({
  usage: ["debug [options]"],
  about: `
Captures what an agent knows of itself, its host and its cluster, and for a while its metrics and its log,
and puts it into an archive. It may hold what nobody else is to see: look at it before you pass it on.
Interrupted, it archives what it has. With ACLs its token needs operator:read.

    $ consul debug

    $ consul debug -interval=20s -duration=1m

    $ consul debug -capture metrics -capture agent

    $ consul debug -output=/foo/bar/my-debugging -archive=false`,
  asks: "agent",
  flags,
  async run(call) {
    if (call.args.length > 0) {
      throw new Failure("==> debug: Too many arguments provided, expected 0");
    }
    const plan = await planOf(call).catch((failure: unknown) => {
      throw new Failure(`==> Capture validation failed: ${messageOf(failure)}`);
    });
    announce(call, plan);
    await collect(call, plan);
    if (call.flags.archive) await archiveDirectory(plan.directory, plan.output);
    call.print(`    Saved debug archive: ${plan.output}`);
  },
});

interface Plan {
  version: string;
  wanted: readonly Target[];
  directory: string;
  /** What is left when it is done: the archive, or the directory. */
  output: string;
  /** In nanoseconds. */
  interval: number;
  duration: number;
}

interface Self {
  Config: { Version: string };
  DebugConfig?: { EnableDebug?: boolean };
}

async function planOf({ api, flags: given, complain }: Call<typeof flags>): Promise<Plan> {
  const { duration, interval, capture, archive } = given;
  const answer = await api.get("/v1/agent/self").catch((failure: unknown) => {
    const why = messageOf(failure);
    throw new Error(`error querying target agent: ${why}. verify connectivity and agent address`);
  });
  if (duration < durationMin) throw new Error("duration must be longer than 10s");
  if (interval < intervalMin) throw new Error("interval must be longer than 5s");
  const directory =
    given.output === "" ? `consul-debug-${Math.floor(Date.now() / 1_000)}` : given.output;
  if (existsSync(directory)) throw new Error(`output directory already exists: ${directory}`);
  const { Config: config, DebugConfig: debug } = answer.json<Self>();
  const wanted = capture.length === 0 ? targets : capture.map(targetOf);
  const able = debug?.EnableDebug === true ? wanted : wanted.filter((name) => name !== "pprof");
  if (able.length < wanted.length) {
    complain(
      "[WARN] Unable to capture pprof. Set enable_debug to true on target agent to enable profiling.",
    );
  }
  makeDirectory(directory);
  const output = archive ? directory + archiveSuffix : directory;
  return { version: config.Version, wanted: able, directory, output, interval, duration };
}

/** Only for whoever asked: what it is for may hold secrets. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (failure) {
    throw new Error(`could not create output directory: ${openError(path, failure)}`, {
      cause: failure,
    });
  }
}

function targetOf(name: string): Target {
  const target = targets.find((one) => one === name);
  if (!target) throw new Error(`target not found: ${name}`);
  return target;
}

function announce({ print }: Call<typeof flags>, plan: Plan): void {
  print("==> Starting debugger and capturing static information...");
  print(`     Agent Version: '${plan.version}'`);
  print(`          Interval: '${formatDuration(plan.interval)}'`);
  print(`          Duration: '${formatDuration(plan.duration)}'`);
  print(`            Output: '${plan.output}'`);
  print(`           Capture: '${plan.wanted.join(", ")}'`);
}

/** What cannot be had is said, and left out. */
async function collect(call: Call<typeof flags>, plan: Plan): Promise<void> {
  const { api, print, complain, around } = call;
  const { directory, wanted } = plan;
  const signal = around.interrupted();
  const failed = (failure: unknown): void => {
    complain(`==> Error encountered during collection: ${messageOf(failure)}`);
  };
  const capture = new Capture({ api, directory, wanted, signal, failed });
  await capture.once();
  const intervalMs = plan.interval / nanosecondsPerMs;
  const beginMs = Date.now();
  const endMs = beginMs + plan.duration / nanosecondsPerMs;
  print(`==> Beginning capture interval ${goTime(beginMs)} (0)`);
  for (let n = 0; Date.now() < endMs; n++) {
    const startMs = Date.now();
    const leftMs = Math.min(intervalMs, endMs - startMs);
    await Promise.all([
      capture.again(startMs, leftMs),
      sleep(leftMs, undefined, { signal }).catch(() => undefined),
    ]);
    if (signal.aborted) {
      failed(new Error("stopping collection due to shutdown signal"));
      break;
    }
    print(`==> Capture successful ${goTime(startMs - (startMs % 1_000))} (${n + 1})`);
  }
  const [Interval, Duration] = [plan.interval, plan.duration].map(formatDuration);
  const index = { Version: formatVersion, AgentVersion: plan.version, Interval, Duration };
  await capture.index({ ...index, Targets: wanted });
}

/** As Go prints a time. */
function goTime(atMs: number): string {
  const text = new Date(atMs).toISOString().replace("T", " ").replace("Z", "");
  return `${text.replace(/\.?0+$/, "")} +0000 UTC`;
}
