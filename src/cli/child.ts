// Programs that a command starts: by a shell, unless that is not wanted.

import { type ChildProcess, spawn } from "node:child_process";

export interface ChildOptions {
  /** A shell reads the words as one line. */
  shell: boolean;
  environment: Readonly<Record<string, string | undefined>>;
  /** Text for its stdin. */
  input?: string;
  /** Our own stdin is its, too. */
  sharesStdin?: boolean;
}

/** It did not even begin. */
export class StartFailure extends Error {
  override name = "StartFailure";
}

export interface Child {
  readonly process: ChildProcess;
  /** Null when it ended well; otherwise how it ended, in Go's words. */
  readonly ended: Promise<string | null>;
}

export function startChild(words: readonly string[], options: ChildOptions): Child {
  const shell = options.environment.SHELL ?? "/bin/sh";
  const [program = "", ...args] = options.shell ? [shell, "-c", words.join(" ")] : words;
  const { input, sharesStdin = false } = options;
  const stdin = input === undefined ? (sharesStdin ? "inherit" : "ignore") : "pipe";
  const child: ChildProcess = spawn(program, args, {
    env: { ...options.environment },
    stdio: [stdin, "inherit", "inherit"],
  });
  // A program may end without reading what it was given.
  child.stdin?.on("error", () => undefined);
  if (input !== undefined) child.stdin?.end(input);
  const ended = new Promise<string | null>((resolve, reject) => {
    child.once("error", (failure) => reject(new StartFailure(startProblem(program, failure))));
    child.once("close", (code, signal) => resolve(endOf(code, signal)));
  });
  return { process: child, ended };
}

function startProblem(program: string, failure: Error): string {
  const { code } = failure as NodeJS.ErrnoException;
  const missing = "no such file or directory";
  if (code === "EACCES") return `fork/exec ${program}: permission denied`;
  if (code !== "ENOENT") return failure.message;
  return program.includes("/")
    ? `fork/exec ${program}: ${missing}`
    : `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
}

const signalWords: Readonly<Record<string, string>> = {
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGHUP: "hangup",
};

function endOf(code: number | null, signal: NodeJS.Signals | null): string | null {
  if (signal !== null) return `signal: ${signalWords[signal] ?? signal}`;
  return code === 0 ? null : `exit status ${code}`;
}
