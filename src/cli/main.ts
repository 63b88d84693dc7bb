// The command line of this process. What commands there are is in contents.ts, how one is found in run.ts.

import type { Surroundings } from "./command.ts";
import { runCommandLine } from "./run.ts";
import { overSockets } from "./transport.ts";

const surroundings: Surroundings = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stdin: async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  },
  environment: process.env,
  transport: overSockets,
  interrupted: () => {
    const abort = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => abort.abort());
    }
    return abort.signal;
  },
};

// Who reads us may have seen enough.
process.stdout.on("error", (failure: NodeJS.ErrnoException) => {
  if (failure.code === "EPIPE") process.exit(1);
  throw failure;
});
process.exitCode = await runCommandLine(process.argv.slice(2), surroundings);
// What a pipe has not taken yet would be lost: the process ends when both streams are drained.
process.stdout.write("", () => process.stderr.write("", () => process.exit()));
