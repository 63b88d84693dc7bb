// Programs that the agent runs for checks and watches: each in a process group of its own, so that what it started ends
// with it. Of its output the end is kept.

import { type ChildProcess, spawn } from "node:child_process";

import { keepEnd } from "../core/agent/checks/output.ts";
import { startError } from "./go-reasons.ts";

export interface ProgramOptions {
  outputBytesMax: number;
  /** An abort kills the whole group. */
  signal: AbortSignal;
  environment?: Readonly<Record<string, string | undefined>>;
  /** Text for its stdin, which is /dev/null otherwise. */
  input?: string;
}

export interface Ended {
  code: number | null;
  /** What killed it. */
  signal: NodeJS.Signals | null;
  /** Of stdout and stderr together. */
  output: string;
}

/** Rejects, with Go's words, when it cannot begin. */
export function runProgram(words: readonly string[], options: ProgramOptions): Promise<Ended> {
  const { outputBytesMax, signal, environment = process.env, input } = options;
  const [program = "", ...args] = words;
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(program, args, {
      detached: true,
      env: { ...environment },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const tail = new Tail(outputBytesMax);
    child.stdout?.on("data", (chunk: Buffer) => tail.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => tail.push(chunk));
    // It may end without reading.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    const kill = (): void => {
      killGroup(child);
      // A grandchild that left the group may hold the pipes open for ever.
      resolve({ code: null, signal: "SIGKILL", output: tail.text() });
    };
    if (signal.aborted) kill();
    signal.addEventListener("abort", kill, { once: true });
    child.once("error", (failure) => {
      signal.removeEventListener("abort", kill);
      reject(new Error(startError(program, failure)));
    });
    child.once("close", (code, killedBy) => {
      signal.removeEventListener("abort", kill);
      resolve({ code, signal: killedBy, output: tail.text() });
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

/** The last bytes of an output, and how many there were. */
export class Tail {
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
