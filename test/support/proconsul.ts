// Agents as people start them: a process of src/cli/main.ts with its own ports, asked over its sockets, ended by its
// own pid. Whatever a test leaves running is killed when its file ends.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { eventually } from "./eventually.ts";
import { type AgentPorts, agentPorts } from "./free-ports.ts";

/** The sources of the command line. */
export const mainFile = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const stopLimitMs = 15_000;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface StartOptions {
  /** Arguments after `agent`, without ports. */
  args?: readonly string[];
  /** Written to a file that becomes `-config-file`, with the ports in it. */
  config?: Record<string, unknown>;
  /** Taken when absent. */
  ports?: AgentPorts;
  /** Where its HTTP API is; the loopback address when absent. */
  address?: string;
  /** What to run instead of the sources: a program and its first arguments. */
  command?: readonly string[];
  /** Opens the Worker's own address, which needs a runtime that has a Worker. */
  edge?: boolean;
  /** The program is the real Consul, which knows nothing of what is ours. */
  isConsul?: boolean;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON. Throws when it is none. */
  json<Value = unknown>(): Value;
}

export interface Ask {
  method?: string;
  body?: string | object;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const running = new Set<Proconsul>();

export class Proconsul {
  readonly ports: AgentPorts;
  /** Everything it printed, stdout and stderr. */
  output = "";
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #address: string;

  private constructor(child: ChildProcess, ports: AgentPorts, address: string) {
    this.#child = child;
    this.ports = ports;
    this.#address = address;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8");
      stream?.on("data", (text: string) => {
        this.output += text;
      });
    }
    this.exited = once(child, "close").then(([code, signal]) => {
      running.delete(this);
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
    running.add(this);
  }

  /** Starts the process and returns at once. */
  static async spawn(options: StartOptions = {}): Promise<Proconsul> {
    const ports = options.ports ?? (await agentPorts());
    const [program = "", ...first] = options.command ?? [process.execPath, mainFile];
    const args = [
      ...(options.args ?? []),
      ...runtimeArguments(options),
      ...portArguments(options, ports),
    ];
    const child = spawn(program, [...first, "agent", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return new Proconsul(child, ports, options.address ?? "127.0.0.1");
  }

  /** Starts it and waits until its datacenter has a leader. */
  static async start(options: StartOptions = {}): Promise<Proconsul> {
    const agent = await Proconsul.spawn(options);
    await agent.led();
    return agent;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get url(): string {
    return `http://${this.#address}:${this.ports.http}`;
  }

  /** Where servers and agents of other hosts come. */
  get serverUrl(): string {
    return `http://127.0.0.1:${this.ports.server}`;
  }

  /** The Worker's own address: what a deployment's URL is on Cloudflare. */
  get workerUrl(): string {
    return `http://127.0.0.1:${this.ports.edge}`;
  }

  /** Waits until a leader is known and this node is in the catalog. Rejects when the process ends first. */
  async led(limitMs = 15_000, token = ""): Promise<void> {
    const headers = token === "" ? {} : { "X-Consul-Token": token };
    const leader = eventually(
      async () =>
        (await this.get("/v1/status/leader")).text.length > 4 &&
        (await this.get("/v1/catalog/nodes", { headers })).json<unknown[]>().length > 0,
      { what: "the agent has a leader", limitMs },
    );
    const ended = this.exited.then(({ code }) => {
      throw new Error(`the agent ended with ${code}:\n${this.output}`);
    });
    await Promise.race([leader, ended]).catch((failure: Error) => {
      failure.message += `\n${this.output}`;
      throw failure;
    });
  }

  get(path: string, ask: Ask = {}): Promise<Answer> {
    return request(this.url + path, ask);
  }

  put(path: string, body: string | object = "", ask: Ask = {}): Promise<Answer> {
    return request(this.url + path, { method: "PUT", body, ...ask });
  }

  /** Sends a signal to the agent's process alone, as a shell or an init system does. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** SIGTERM, as a shell sends it; SIGKILL only if that does not help. */
  async stop(): Promise<Exit> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), stopLimitMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** kill -9 of the agent's process alone; its servers have to notice by themselves. */
  async kill(): Promise<Exit> {
    this.signal("SIGKILL");
    return await this.exited;
  }
}

/** Ends what is still running; for `afterAll`. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((agent) => agent.stop()));
  for (const directory of directories.splice(0))
    rmSync(directory, { recursive: true, force: true });
}

export async function request(url: string, { body, ...ask }: Ask = {}): Promise<Answer> {
  const response = await fetch(url, {
    ...ask,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: <Value>() => JSON.parse(text) as Value,
  };
}

const directories: string[] = [];

/** A directory of this test file's own, removed by {@link stopAll}. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "proconsul-test-"));
  directories.push(directory);
  return directory;
}

/** The whole-system tests run once for each runtime; one that names its own, or needs the Worker, keeps it. */
function runtimeArguments({ args, edge, isConsul }: StartOptions): string[] {
  const runtime = process.env.PROCONSUL_RUNTIME;
  if (runtime === undefined || edge === true || isConsul === true) return [];
  if (args?.includes("-runtime")) return [];
  return ["-runtime", runtime];
}

function portArguments({ config, edge, isConsul }: StartOptions, given: AgentPorts): string[] {
  const { edge: offered, ...ports } = given;
  const own = isConsul === true ? {} : { edge: edge === true ? offered : -1 };
  if (config) {
    const file = join(temporaryDirectory(), "agent.json");
    writeFileSync(file, JSON.stringify({ ...config, ports: { ...ports, ...own, grpc: -1 } }));
    return ["-config-file", file];
  }
  return [
    ...["-http-port", `${ports.http}`, "-dns-port", `${ports.dns}`, "-grpc-port", "-1"],
    ...["-server-port", `${ports.server}`],
    ...Object.values(own).flatMap((port) => ["-edge-port", `${port}`]),
    ...["-serf-lan-port", `${ports.serf_lan}`, "-serf-wan-port", `${ports.serf_wan}`],
  ];
}

/** Whether a process with this pid exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
