// Programs of the host that tests use as users do: dig, kdig, curl.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. Rejects when it cannot be started. */
export async function run(
  program: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; limitMs?: number; cwd?: string } = {},
): Promise<Result> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
    timeout: options.limitMs ?? 20_000,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const result: Result = { code: null, stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      result[name] += text;
    });
  }
  [result.code] = (await once(child, "close")) as [number | null];
  return result;
}

/** Whether the program is installed; when it is not, says so loudly, so that nobody thinks it was used. */
export function isInstalled(program: string): boolean {
  for (const directory of (process.env.PATH ?? "").split(":")) {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      // The next directory may have it.
    }
  }
  console.warn(`\n!!! ${program} is not installed: what only it would have shown is NOT TESTED\n`);
  return false;
}
