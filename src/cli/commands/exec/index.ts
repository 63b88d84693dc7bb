// `exec`: runs a command on other nodes, by a user event that tells them of a job in the key-value store.

import { setTimeout as sleep } from "node:timers/promises";

import { compileRegExp } from "../../../core/lib/regexp.ts";
import { misused } from "../../arguments.ts";
import { type Call, command, Failure, failing, messageOf } from "../../command.ts";
import { durationFlag, type FlagTable, switchFlag, textFlag } from "../../flags.ts";
import { nanosecondsPerMs } from "../../time.ts";
import { HeldSession } from "../../held-session.ts";
import { regexpProblem } from "../members.ts";
import { Job, type News, type Spec } from "./job.ts";

const flags = {
  node: textFlag("Regular expression for the names of nodes."),
  prefix: textFlag("Where in the key-value store the job is put.", "_rexec"),
  service: textFlag("Regular expression for services: only nodes that have one."),
  shell: switchFlag("Let a shell read the command.", true),
  tag: textFlag("Regular expression for tags of those services. Needs -service."),
  verbose: switchFlag("Say what is done."),
  wait: durationFlag("How long without news counts as the end.", 2_000 * nanosecondsPerMs, "2s"),
  "wait-repl": durationFlag(
    "How long to wait for replication before nodes are told.",
    200 * nanosecondsPerMs,
    "200ms",
  ),
} satisfies FlagTable;

type ExecCall = Call<typeof flags>;

const failedCode = 2;
const eventName = "_rexec";

export default command({
  usage: ["exec [options] [-|command...]"],
  about: `
Runs a command on the nodes of the datacenter whose agents allow it (disable_remote_exec), all of them
or those that filters name. For "-" it runs the script that stdin gives. Exits with 2 when it fails
anywhere.

    $ consul exec -service=web uptime`,
  asks: "servers",
  flags,
  async run(call) {
    const spec = await specFrom(call);
    checkFilters(call);
    const { api, flags: given, around, print } = call;
    await api.get("/v1/agent/self").catch(failing("Error querying Consul agent"));
    const interrupted = around.interrupted();
    const definition = { Name: "Remote Exec", Behavior: "delete" as const };
    const session = await HeldSession.create(api, definition, () => undefined).catch(
      failing("Failed to create session"),
    );
    const job = new Job(api, given.prefix, session.id);
    try {
      if (given.verbose) print(`Created remote execution session: ${session.id}`);
      await announce(call, { job, spec, session: session.id });
      return await follow(call, job, interrupted);
    } finally {
      await session.destroy();
      await job.remove().catch((failure: unknown) => {
        call.complain(`Failed to destroy data: ${messageOf(failure)}`);
      });
    }
  },
});

async function specFrom(call: ExecCall): Promise<Spec> {
  const { args, around, flags: given } = call;
  if (given.prefix === "") throw new Failure("Prefix must be given");
  const wait = { Wait: given.wait };
  if (args.length === 1 && args[0] === "-") {
    const script = await around.stdin();
    if (script.length > 0) return { Script: script.toString("base64"), ...wait };
  } else if (args.length > 0) {
    return given.shell ? { Command: args.join(" "), ...wait } : { Args: args, ...wait };
  }
  throw misused(call, "Must specify a command to execute");
}

function checkFilters({ flags: { node, service, tag } }: ExecCall): void {
  if (tag !== "" && service === "") {
    throw new Failure("Cannot provide tag filter without service filter.");
  }
  for (const [what, pattern] of Object.entries({ node, service, tag })) {
    try {
      compileRegExp(pattern);
    } catch (failure) {
      throw new Failure(`Failed to compile ${what} filter regexp: ${regexpProblem(failure)}`);
    }
  }
}

async function announce(
  { api, flags: given, print }: ExecCall,
  { job, spec, session }: { job: Job; spec: Spec; session: string },
): Promise<void> {
  const isUploaded = await job.upload(spec).catch(failing("Failed to create job file"));
  if (!isUploaded) throw new Failure("Failed to create job file: failed to acquire key");
  if (given.verbose) print("Uploaded remote execution spec");
  await sleep(given["wait-repl"] / nanosecondsPerMs);
  const { node, service, tag } = given;
  const filters = Object.entries({ node, service, tag }).filter(([, pattern]) => pattern !== "");
  const answer = await api
    .put(`/v1/event/fire/${eventName}`, {
      query: Object.fromEntries(filters),
      body: { Prefix: given.prefix, Session: session },
    })
    .catch(failing("Failed to fire event"));
  if (given.verbose) {
    print(`Fired remote execution event: ${answer.json<{ ID: string }>().ID}`);
  }
}

/** Until there is no news for a while. */
async function follow(call: ExecCall, job: Job, signal: AbortSignal): Promise<number> {
  const { flags: given, print } = call;
  const startedMs = performance.now();
  const counts = { acknowledged: 0, finished: 0, failed: 0 };
  const waitMs = given.wait / nanosecondsPerMs;
  let lastMs = startedMs;
  while (!signal.aborted) {
    // Whoever is at work may be silent for longer.
    const patienceMs = counts.acknowledged > counts.finished ? 2 * waitMs : waitMs;
    const leftMs = lastMs + patienceMs - performance.now();
    if (leftMs <= 0) break;
    const news = await job.news(leftMs, signal).catch((failure: unknown): News[] => {
      if (signal.aborted) return [];
      throw new Failure(`Failed to read results: ${messageOf(failure)}`);
    });
    if (news.length > 0) lastMs = performance.now();
    for (const one of news) tell(call, one, counts);
  }
  if (signal.aborted) return 1;
  const { acknowledged, finished, failed } = counts;
  print(`${finished} / ${acknowledged} node(s) completed / acknowledged`);
  if (given.verbose) {
    print(`Completed in ${((performance.now() - startedMs) / 1_000).toFixed(2)} seconds`);
  }
  return failed > 0 || finished < acknowledged ? failedCode : 0;
}

function tell(
  { flags: { verbose }, print }: ExecCall,
  news: News,
  counts: { acknowledged: number; finished: number; failed: number },
): void {
  const { node } = news;
  switch (news.kind) {
    case "acknowledged":
      counts.acknowledged++;
      if (verbose) print(`==> ${node}: acknowledged`);
      break;
    case "alive":
      if (verbose) print(`==> ${node}: heartbeat received`);
      break;
    case "output": {
      const lines = news.text.split("\n").map((line) => `    ${node}: ${line}`);
      print(lines.join("\n").replace(/[ \n]+$/, ""));
      break;
    }
    case "finished":
      counts.finished++;
      if (news.code !== 0) counts.failed++;
      print(`==> ${node}: finished with exit code ${news.code}`);
      break;
  }
}
