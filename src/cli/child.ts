// Programs that a command starts: by a shell, unless that is not wanted.

import { type ChildProcess, spawn } from "node:child_process";

import { exitError, startError } from "../agent/go-reasons.ts";

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
    child.once("error", (failure) => reject(new StartFailure(startError(program, failure))));
    child.once("close", (code, signal) => resolve(exitError(code, signal)));
  });
  return { process: child, ended };
}
