// Runs the Worker on plain `workerd serve`: starts in a fraction of Miniflare's time and memory.
//
// Traps, each measured once and guarded here: workerd has no SQL in memory, so state always is a directory; its
// text configuration must be a file; `--control-fd` tells when it listens; when the agent is killed hard, only the
// guard script keeps workerd from living on.

import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

import {
  compatibilityDate,
  compatibilityFlags,
  objectClasses,
  type Runner,
  type RunnerOptions,
  workerName,
} from "./options.ts";
import { workerBundle } from "./worker-bundle.ts";

/**
 * workerd ends once its last connection has, which those of other agents never do by themselves. Cutting them off loses
 * nothing: what was answered is durable.
 */
const stopTimeoutMs = 1_000;

export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const directory = await mkdtemp(join(tmpdir(), "proconsul-config-"));
  try {
    const configFile = join(directory, "config.capnp");
    const [bundle, binary] = await Promise.all([workerBundle(), workerdBinary()]);
    await mkdir(join(options.stateDir, "do"), { recursive: true });
    await writeFile(join(directory, "worker.js"), bundle);
    // The configuration may hold keys.
    await writeFile(configFile, capnpConfig(options), { mode: 0o600 });
    const child = await spawnWorkerd(binary, configFile, options.stateDir);
    return await listening(child, options);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function workerdBinary(): Promise<string> {
  const { default: workerd } = await import("workerd");
  return typeof workerd === "string" ? workerd : workerd.default;
}

async function spawnWorkerd(
  binary: string,
  configFile: string,
  cwd: string,
): Promise<ChildProcess> {
  const args = ["serve", "--control-fd=3", configFile];
  const stdio: ("ignore" | "pipe")[] = ["ignore", "pipe", "pipe", "pipe", "pipe"];
  if (process.platform === "win32") return spawn(binary, args, { stdio, cwd });
  const guard = fileURLToPath(new URL("./workerd-guard.sh", import.meta.url));
  await chmod(guard, 0o755).catch(() => undefined);
  // Its own process group, so that a ^C at the terminal reaches the agent alone, which then stops in order.
  const child = spawn("/bin/sh", [guard, ...args], {
    stdio,
    cwd,
    detached: true,
    env: { ...process.env, WORKERD_BINARY: binary },
  });
  dismissGuard(child);
  return child;
}

/** Once workerd has ended by itself, its pid may become somebody else's: the guard must not kill it any more. */
function dismissGuard(child: ChildProcess): void {
  const pipe = child.stdio[4] as Writable;
  pipe.on("error", () => undefined);
  child.once("exit", () => pipe.end("ended\n"));
}

function listening(child: ChildProcess, options: RunnerOptions): Promise<Runner> {
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const recent: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    eachLine(stream, (line) => {
      recent.push(line);
      if (recent.length > 20) recent.shift();
      options.log(line);
    });
  }
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await exited;
    clearTimeout(timer);
  };
  return new Promise((resolve, reject) => {
    eachLine(child.stdio[3] as Readable, (line) => {
      const { event, port } = JSON.parse(line) as { event: string; port?: number };
      if (event === "listen" && port !== undefined) resolve({ port, stop, exited });
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(endReason(recent, options.port))));
  });
}

/** A taken port is said as Go says it. */
function endReason(lines: readonly string[], port: number): string {
  for (const line of lines) {
    const [, why] = /bind\(\): ([^(]+)/.exec(line) ?? [];
    if (why === undefined) continue;
    const reason = why.trim().toLowerCase();
    return `listen tcp 127.0.0.1:${port}: bind: ${reason} (choose another with -edge-port)`;
  }
  return `workerd ended: ${lines.join(" | ")}`;
}

function eachLine(stream: Readable | null, handle: (line: string) => void): void {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") handle(line);
  });
}

function capnpConfig(options: RunnerOptions): string {
  const address = `127.0.0.1:${options.port}`;
  const socket = `(name = "main", address = "${address}", http = (), service = "main")`;
  const objects = Object.entries(objectClasses);
  const bindings = [
    ...objects.map(([name, type]) => `(name = "${name}", durableObjectNamespace = "${type}")`),
    ...Object.entries(options.vars).map(([name, value]) =>
      typeof value === "string"
        ? `(name = "${name}", text = ${quote(value)})`
        : `(name = "${name}", json = ${quote(JSON.stringify(value))})`,
    ),
  ];
  const namespaces = objects.map(
    ([, type]) =>
      `(className = "${type}", uniqueKey = "${workerName}-${type}", enableSql = true, ` +
      `preventEviction = ${String(options.sleeps !== true)})`,
  );
  const stateDir = quote(join(options.stateDir, "do"));
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "do", disk = (path = ${stateDir}, writable = true)),
    (name = "network", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [${socket}],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}",
  compatibilityFlags = [${compatibilityFlags.map(quote).join(", ")}],
  bindings = [${bindings.join(",\n    ")}],
  durableObjectNamespaces = [${namespaces.join(",\n    ")}],
  durableObjectStorage = (localDisk = "do"),
  globalOutbound = "network",
);
`;
}

/** Cap'n Proto text: only quotes and backslashes need care; what JSON escapes stays escaped inside. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
