#!/usr/bin/env node
// What `proconsul` is, in a checkout and in dist/: finds a Node that is new enough and runs the command line on it.
// Plain JavaScript that any Node since 18 reads, because it is there to say what is missing.

import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const needed = [22, 18];
const here = dirname(fileURLToPath(import.meta.url));

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/** The Node that the repository pins, from the nearest node_modules that has it. */
function pinnedNode() {
  for (let folder = here; ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(modules)) {
      for (const name of readdirSync(modules)) {
        if (!/^node-(bin-)?(linux|darwin|win)-/.test(name)) continue;
        for (const program of ["bin/node", "bin/node.exe"]) {
          const file = join(modules, name, program);
          if (existsSync(file)) return file;
        }
      }
    }
    if (dirname(folder) === folder) return null;
  }
}

/** Runs this file again on another Node, as if it were the same process. */
function runOn(node) {
  const env = { ...process.env, PROCONSUL_LAUNCHER: String(process.pid) };
  const args = [process.argv[1], ...process.argv.slice(2)];
  const child = spawn(node, args, { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (failure) => end(`${node} cannot be run: ${failure.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function end(text) {
  process.stderr.write(`proconsul: ${text}\n`);
  process.exit(1);
}

/** The stack alone: Node itself would print the line of source, which in dist/ is the whole program. */
function endWith(failure) {
  end(failure instanceof Error ? (failure.stack ?? failure.message) : String(failure));
}

if (isNewEnough(process.version)) {
  process.on("uncaughtException", endWith);
  const built = join(here, "main.mjs");
  try {
    await import(existsSync(built) ? "./main.mjs" : "./main.ts");
  } catch (failure) {
    endWith(failure);
  }
} else {
  // Whoever we started is as old as we are: it must not go on so for ever.
  const again = process.env.PROCONSUL_LAUNCHER === String(process.ppid);
  const node = again ? null : pinnedNode();
  if (node !== null) runOn(node);
  else {
    end(
      `this is Node ${process.version}, and ${needed.join(".")} or newer is needed. ` +
        "A checkout brings its own: run `npm install` in it first.",
    );
  }
}
