// Script checks: exit code 0 passes, 1 warns, everything else is critical. The program runs in its
// own process group, so that a timeout ends its children too. Off unless the configuration allows
// them.

import { spawn, type ChildProcess } from "node:child_process";
import { keepEnd } from "../../core/agent/checks/output.ts";
import type { CheckDefinition, CheckStatus } from "../../core/agent/definitions.ts";
import { formatDuration } from "../../core/model/duration.ts";
import { critical, deadline, type Probe, type ProbeResult } from "./probe.ts";

const timeoutMsDefault = 30_000;

export function scriptProbe(check: CheckDefinition, outputBytesMax: number): Probe {
  return async (outer) => {
    const timeoutMs = check.timeoutMs || timeoutMsDefault;
    const limit = deadline(outer, timeoutMs);
    try {
      const result = await run(check.args, outputBytesMax, limit.signal);
      if (!limit.timedOut()) return result;
      return critical(`Timed out (${formatDuration(timeoutMs * 1e6)}) running check`);
    } catch (error) {
      return critical((error as Error).message);
    } finally {
      limit.done();
    }
  };
}

const statuses: Record<number, CheckStatus> = { 0: "passing", 1: "warning" };

function run(
  args: readonly string[],
  outputBytesMax: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const [program = "", ...rest] = args;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const tail = new Tail(outputBytesMax);
    child.stdout.on("data", (chunk: Buffer) => tail.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => tail.push(chunk));
    const kill = (): void => {
      killGroup(child);
      // A grandchild that left the group may hold the pipes open for ever.
      resolve(critical("killed"));
    };
    if (signal.aborted) kill();
    signal.addEventListener("abort", kill, { once: true });
    child.once("error", (error: NodeJS.ErrnoException) => {
      signal.removeEventListener("abort", kill);
      reject(new Error(startError(program, error)));
    });
    child.once("close", (code) => {
      signal.removeEventListener("abort", kill);
      resolve({ status: statuses[code ?? -1] ?? "critical", output: tail.text() });
    });
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}

function startError(program: string, { code, message }: NodeJS.ErrnoException): string {
  if (code !== "ENOENT") return message;
  return program.includes("/")
    ? `fork/exec ${program}: no such file or directory`
    : `exec: "${program}": executable file not found in $PATH`;
}

/** The last bytes of an output, and how many there were. */
class Tail {
  readonly #bytesMax: number;
  #kept: Buffer = Buffer.alloc(0);
  #total = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(chunk: Buffer): void {
    this.#total += chunk.length;
    const joined = Buffer.concat([this.#kept, chunk]);
    this.#kept = joined.subarray(Math.max(0, joined.length - this.#bytesMax));
  }

  text(): string {
    return keepEnd(this.#kept, this.#total, this.#bytesMax);
  }
}
