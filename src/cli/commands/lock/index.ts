// `lock`: runs a program while a lock is held.

import { startChild, type Child } from "../../child.ts";
import { type Call, command, Failure, failing, messageOf } from "../../command.ts";
import { durationFlag, type FlagTable, intFlag, switchFlag, textFlag } from "../../flags.ts";
import { HeldSession } from "../../held-session.ts";
import { type Holding, KeyLock, type Lockable, Semaphore } from "./lock.ts";

const flags = {
  "child-exit-code": switchFlag("Exit with 2 when the program fails."),
  "monitor-retry": intFlag(
    "How often the lock may fail to be watched before it counts as lost.",
    3,
  ),
  n: intFlag("How many may hold it at a time; with more than one it is a semaphore.", 1),
  name: textFlag("Name of the session; by default it tells program and prefix."),
  "pass-stdin": switchFlag("Give the program our stdin."),
  shell: switchFlag("Start the program by a shell, that of SHELL if it is set.", true),
  timeout: durationFlag("How long to try to get the lock; 0 for as long as it takes."),
  try: durationFlag("Deprecated: the same as -timeout."),
  verbose: switchFlag("Say what is done."),
} satisfies FlagTable;

type LockCall = Call<typeof flags>;

const childFailedCode = 2;
const graceMs = 5_000;
const nanosecondsPerMs = 1e6;

export default command({
  usage: ["lock [options] prefix child..."],
  about: `
Gets a lock, or a place of a semaphore, and runs a program while it is held. When the lock is lost the
program gets SIGTERM, and SIGKILL five seconds later.

    $ consul lock service/web/leader ./work`,
  asks: "servers",
  flags,
  async run(call) {
    const [prefix, child] = checked(call);
    const { api, flags: given } = call;
    await api.get("/v1/agent/self").catch(failing("Error querying Consul agent"));
    const interrupted = call.around.interrupted();
    const stop = new AbortController();
    interrupted.addEventListener("abort", () => stop.abort(), { once: true });
    const name =
      given.name === "" ? `Consul lock for '${child.join(" ")}' at '${prefix}'` : given.name;
    const lockable = lockableOf(call, prefix);
    const session = await HeldSession.create(api, { Name: name }, () => stop.abort()).catch(
      failing("Lock setup failed: failed to create session"),
    );
    try {
      return await held(call, { lockable, session, stop, child });
    } finally {
      stop.abort();
      await session.destroy();
    }
  },
});

/** Throws Failure. */
function checked({ args, flags: given }: LockCall): [string, readonly string[]] {
  if (given.n <= 0) throw new Failure("Lock holder limit must be positive");
  const [prefix = "", ...child] = args;
  if (child.length === 0) throw new Failure("Key prefix and child command must be specified");
  if (given.timeout < 0 || given.try < 0) throw new Failure("Timeout must be positive");
  if (given["monitor-retry"] < 0) {
    throw new Failure("Number for 'monitor-retry' must be >= 0");
  }
  return [prefix.replace(/^\//, ""), child];
}

function lockableOf({ api, flags: given, print }: LockCall, prefix: string): Lockable {
  const limit = given.n;
  const key = `${prefix.replace(/\/$/, "")}/.lock`;
  if (given.verbose) {
    const what =
      limit === 1 ? `lock at path: ${key}` : `semaphore (limit ${limit}) at prefix: ${prefix}`;
    print(`Setting up ${what}`);
  }
  return limit === 1 ? new KeyLock(api, key) : new Semaphore(api, prefix, limit);
}

interface Work {
  lockable: Lockable;
  session: HeldSession;
  stop: AbortController;
  child: readonly string[];
}

async function held(call: LockCall, { lockable, session, stop, child }: Work): Promise<number> {
  const { flags: given } = call;
  const say = (line: string): void => {
    if (given.verbose) call.print(line);
  };
  say("Attempting lock acquisition");
  const timeoutNs = given.timeout || given.try;
  const holding = await lockable
    .acquire({
      session: session.id,
      timeoutMs: timeoutNs === 0 ? Number.POSITIVE_INFINITY : timeoutNs / nanosecondsPerMs,
      retries: given["monitor-retry"],
      signal: stop.signal,
    })
    .catch(failing("Lock acquisition failed"));
  if (!holding) throw new Failure("Shutdown triggered or timeout during lock acquisition");
  const problem = await runWhileHeld(call, holding, { stop, child, say });
  await holding.release().catch((failure: unknown) => {
    call.complain(`Lock release failed: ${messageOf(failure)}`);
  });
  const isClean = await lockable.clean().catch(failing("Lock cleanup failed"));
  say(isClean ? "Cleanup succeeded" : "Cleanup aborted, lock in use");
  return problem !== null && given["child-exit-code"] ? childFailedCode : 0;
}

/** How the program failed; null when it did not. */
async function runWhileHeld(
  call: LockCall,
  { lost }: Holding,
  { stop, child, say }: Pick<Work, "stop" | "child"> & { say: (line: string) => void },
): Promise<string | null> {
  const { flags: given, around } = call;
  say("Starting handler");
  const running = startChild(child, {
    shell: given.shell,
    environment: { ...around.environment, CONSUL_LOCK_HELD: "true" },
    sharesStdin: given["pass-stdin"],
  });
  let isOver = false;
  const end = async (reason: string): Promise<void> => {
    if (isOver) return;
    isOver = true;
    say(reason);
    await terminated(running);
  };
  stop.signal.addEventListener("abort", () => void end("Shutdown triggered, killing child"), {
    once: true,
  });
  const watching = lost
    .catch(() => undefined)
    .then(async () => await end("Lock lost, killing child"));
  const problem = await running.ended.catch((failure: unknown) => {
    call.complain(`Error starting handler: ${messageOf(failure)}`);
    return null;
  });
  isOver = true;
  if (problem !== null) call.complain(`Error running handler: ${problem}`);
  say("Child terminated, releasing lock");
  stop.abort();
  await watching;
  return problem;
}

async function terminated({ process: child, ended }: Child): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await ended.catch(() => null);
  clearTimeout(timer);
}
