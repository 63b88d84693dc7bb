// Agents as an operating system sees them: started, asked whether they are ready, measured,
// stopped, killed. Each may have children (our agent has workerd), which count as part of it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { type AgentPorts, isRefused } from "../support/free-ports.ts";

/** What to start; the same program may be started again. */
export interface Program {
  command: string;
  args: readonly string[];
  ports: AgentPorts;
  /** Where it listens; absent: at the loopback address. */
  address?: string;
  /** Of its administrator; absent where there are no ACLs. */
  token?: string;
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
    return `http://${this.program.address ?? "127.0.0.1"}:${this.program.ports.http}`;
  }

  /** Resolves when it takes connections, without having been asked anything. */
  async listening(limitMs = readyLimitMs): Promise<void> {
    const { ports, address } = this.program;
    const isListening = async (): Promise<boolean> => !(await isRefused(ports.http, address));
    await this.#until("listens", isListening, limitMs);
  }

  /** Resolves when it takes writes. */
  async ready(): Promise<void> {
    await this.#until("takes writes", async () => {
      const asked = this.request("PUT", "/v1/kv/ready", "yes");
      return (await asked.catch(() => null))?.text.trim() === "true";
    });
  }

  /** By its administrator. Rejects unless the status is 200. */
  async request(
    method: string,
    path: string,
    body?: string,
  ): Promise<{ headers: Headers; text: string }> {
    const { token } = this.program;
    const headers = token === undefined ? {} : { "X-Consul-Token": token };
    const sent = body === undefined ? {} : { body };
    const response = await fetch(this.url + path, { method, headers, ...sent });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return { headers: response.headers, text };
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
    const { ports, address } = this.program;
    while (!(await isRefused(ports.server, address))) await pause(1);
  }

  /** Of this process and its children together, without what they share with anybody. */
  privateMegabytes(): number {
    return this.#kilobytes("smaps_rollup", "Private_Dirty") / 1_024;
  }

  /** What this process and its children have in memory now. */
  residentMegabytes(): number {
    return this.#kilobytes("status", "VmRSS") / 1_024;
  }

  /** The most that this process and its children had in memory, each at its time. */
  peakMegabytes(): number {
    return this.#kilobytes("status", "VmHWM") / 1_024;
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

  #kilobytes(file: string, field: string): number {
    const pattern = new RegExp(`^${field}:\\s+(\\d+)`, "m");
    return sum(this.#files(file).map((text) => Number(pattern.exec(text)?.[1] ?? 0)));
  }

  /** `/proc/<pid>/<name>` of each of its processes. */
  #files(name: string): string[] {
    return tree(this.#child.pid ?? 0).flatMap((pid) => {
      const text = textOf(`/proc/${pid}/${name}`);
      return text === "" ? [] : [text];
    });
  }

  async #until(what: string, isSo: () => Promise<boolean>, limitMs = readyLimitMs): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    while (!(await isSo())) {
      if (this.#hasExited) throw new Error(`the agent ended:\n${this.#output}`);
      if (performance.now() > deadlineMs) {
        throw new Error(`not so within ${limitMs} ms: it ${what}\n${this.#output}`);
      }
      await pause(pollMs);
    }
  }
}

/** A process and all that descend from it. */
function tree(root: number): number[] {
  const children = Map.groupBy(processes(), ({ parent }) => parent);
  const below = (pid: number): number[] => [
    pid,
    ...(children.get(pid) ?? []).flatMap((child) => below(child.pid)),
  ];
  return below(root);
}

function processes(): { pid: number; parent: number }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = textOf(`/proc/${name}/stat`);
      const parent = stat.slice(stat.lastIndexOf(")")).split(" ")[2];
      return parent === undefined ? [] : [{ pid: Number(name), parent: Number(parent) }];
    });
}

/** "" when the process has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
