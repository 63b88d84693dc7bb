// Agents as an operating system sees them: started, asked whether they are ready, measured,
// stopped, killed. Each may have children (our agent has workerd), which count as part of it.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { type AgentPorts, isRefused } from "../support/free-ports.ts";

/** What to start; the same program may be started again. */
export interface Program {
  command: string;
  args: readonly string[];
  ports: AgentPorts;
}

const readyLimitMs = 30_000;
const pollMs = 5;
const stopLimitMs = 10_000;
const clockTicksPerSecond = 100;

export class Agent {
  readonly program: Program;
  readonly #child: ChildProcess;
  #output = "";

  constructor(program: Program) {
    this.program = program;
    this.#child = spawn(program.command, program.args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-2_000);
      });
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.program.ports.http}`;
  }

  /** Resolves when it takes connections, without having been asked anything. */
  async listening(): Promise<void> {
    await this.#until("listens", async () => !(await isRefused(this.program.ports.http)));
  }

  /** Resolves when it takes writes. */
  async ready(): Promise<void> {
    await this.#until("takes writes", async () => {
      const asked = { method: "PUT", body: "yes" };
      const response = await fetch(`${this.url}/v1/kv/ready`, asked).catch(() => null);
      return (await response?.text())?.trim() === "true";
    });
  }

  async stop(): Promise<void> {
    if (this.#hasExited) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopLimitMs);
    await exited;
    clearTimeout(timer);
  }

  /** kill -9. Resolves when nobody listens on its server port any more. */
  async kill(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
    while (!(await isRefused(this.program.ports.server))) await pause(1);
  }

  /** Of this process and its children together; `VmHWM` is the most there ever was. */
  residentMegabytes(field: "VmRSS" | "VmHWM"): number {
    const pattern = new RegExp(`${field}:\\s+(\\d+)`);
    const sizes = this.#files("status").map((text) => Number(pattern.exec(text)?.[1] ?? 0));
    return sum(sizes) / 1_024;
  }

  /** Used so far, by this process and its children together. */
  cpuSeconds(): number {
    const used = this.#files("stat").map((text) => {
      const fields = text.slice(text.lastIndexOf(")")).split(" ");
      return Number(fields[12]) + Number(fields[13]);
    });
    return sum(used) / clockTicksPerSecond;
  }

  get #hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** `/proc/<pid>/<name>` of each of its processes. */
  #files(name: string): string[] {
    return tree(this.#child.pid ?? 0).flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/${name}`, "utf8")];
      } catch {
        return [];
      }
    });
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + readyLimitMs;
    while (!(await isSo())) {
      if (this.#hasExited) throw new Error(`the agent ended:\n${this.#output}`);
      if (performance.now() > deadlineMs) {
        throw new Error(`not so within ${readyLimitMs} ms: it ${what}\n${this.#output}`);
      }
      await pause(pollMs);
    }
  }
}

function tree(pid: number): number[] {
  const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
  const children = stdout.split("\n").flatMap((line) => (line.trim() === "" ? [] : [Number(line)]));
  return [pid, ...children.flatMap(tree)];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
