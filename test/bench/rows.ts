// What is measured under load, one row each: design.md §11. All rows ask the same running
// datacenter, in this order.

import type { Agent } from "./processes.ts";
import { type HttpTask, load, type LoadResult, type LoadTask } from "./load.ts";

/** One line of the table. */
export interface Target {
  title: string;
  unit: "/s" | "ms";
  /** How many times better than Consul it has to be, and should be. */
  mustReach: number;
  aim: number;
  /** The two figures are ms that it may take, whatever Consul takes. */
  absolute?: true;
}

export interface Measured {
  value: number;
  /** More about it, for people. */
  note: string;
}

export interface Row extends Target {
  /** Clients talk to the last agent; all of them do the work. */
  measure(agents: readonly Agent[]): Promise<Measured>;
}

const clients = 64;
const durationMs = Number(process.env.BENCH_SECONDS ?? 4) * 1_000;
const keysSpread = 1_000;
const instances = 100;
const watchers = 1_000;
const wakeRounds = 5;

export const rows: Row[] = [
  {
    title: "KV PUT, 64 clients",
    ...{ unit: "/s", mustReach: 1.3, aim: 2 },
    measure: http({ method: "PUT", path: "/v1/kv/bench/{n}", body: "{n}".padEnd(64, "x") }),
  },
  {
    title: "KV GET default, 64 clients",
    ...{ unit: "/s", mustReach: 1.2, aim: 2 },
    measure: http({ path: "/v1/kv/bench/{n}" }),
  },
  {
    title: "KV GET stale, 64 clients",
    ...{ unit: "/s", mustReach: 1.5, aim: 2 },
    measure: http({ path: "/v1/kv/bench/{n}?stale" }),
  },
  {
    title: "health ?cached, 1 instance",
    ...{ unit: "/s", mustReach: 1.5, aim: 2 },
    measure: http({ path: "/v1/health/service/one?cached" }),
  },
  {
    title: "DNS A over UDP, 1 instance",
    ...{ unit: "/s", mustReach: 1.2, aim: 2 },
    measure: dns("one.service.consul"),
  },
  {
    title: "DNS A over UDP, 100 instances",
    ...{ unit: "/s", mustReach: 5, aim: 20 },
    measure: dns("many.service.consul"),
  },
  {
    title: "health of 100 instances",
    ...{ unit: "/s", mustReach: 3, aim: 10 },
    measure: http({ path: "/v1/health/service/many" }),
  },
  {
    title: "1,000 blocking queries woken, p99",
    ...{ unit: "ms", mustReach: 1, aim: 2 },
    measure: wake,
  },
];

/** What the rows ask for: a service with one instance, one with a hundred, and every key. */
export async function prepare(agent: Agent): Promise<void> {
  await register(agent, "one", 1);
  await register(agent, "many", instances);
  const keys = Array.from({ length: keysSpread }, (_, n) => `/v1/kv/bench/${n}`);
  await Promise.all(keys.map((path) => request(agent, "PUT", path, "prepared")));
}

async function register(agent: Agent, service: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const node = `${service}-${n}`;
    const body = {
      Node: node,
      Address: `10.1.${Math.floor(n / 250)}.${(n % 250) + 1}`,
      Service: { Service: service, ID: node, Port: 8_000 + n, Tags: ["v1", "primary"] },
      Check: { Name: "alive", CheckID: `alive:${node}`, Status: "passing", ServiceID: node },
    };
    await request(agent, "PUT", "/v1/catalog/register", JSON.stringify(body));
  }
}

/** Rejects unless the status is 200. */
export async function request(
  agent: Agent,
  method: string,
  path: string,
  body?: string,
): Promise<{ headers: Headers; text: string }> {
  const response = await fetch(agent.url + path, { method, ...(body !== undefined && { body }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return { headers: response.headers, text };
}

function http(options: Pick<HttpTask, "path"> & Partial<HttpTask>): Row["measure"] {
  return async (agents) =>
    await underLoad(agents, {
      kind: "http",
      host: "127.0.0.1",
      port: clientPorts(agents).http,
      connections: clients,
      durationMs,
      method: "GET",
      spread: keysSpread,
      body: "",
      ...options,
    });
}

function dns(name: string): Row["measure"] {
  return async (agents) => {
    const port = clientPorts(agents).dns;
    const common = { kind: "dns", host: "127.0.0.1", inFlight: clients } as const;
    return await underLoad(agents, { ...common, port, durationMs, name });
  };
}

async function underLoad(agents: readonly Agent[], task: LoadTask): Promise<Measured> {
  const before = cpuSeconds(agents);
  const result = await load(task);
  const cpuMicros = ((cpuSeconds(agents) - before) / result.answered) * 1_000_000;
  return { value: result.perSecond, note: noteOf(result, cpuMicros) };
}

function noteOf({ p50Ms, p99Ms, lost }: LoadResult, cpuMicros: number): string {
  const latencies = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  const losses = lost === 0 ? "" : `, ${lost} lost`;
  return `${latencies}, ${cpuMicros.toFixed(0)} µs CPU each${losses}`;
}

function cpuSeconds(agents: readonly Agent[]): number {
  return agents.reduce((sum, agent) => sum + agent.cpuSeconds(), 0);
}

function clientPorts(agents: readonly Agent[]): Agent["program"]["ports"] {
  const agent = agents.at(-1);
  if (!agent) throw new Error("no agent runs");
  return agent.program.ports;
}

/** From the start of the write to the 990th of 1,000 answers; the median of a few rounds. */
async function wake(agents: readonly Agent[]): Promise<Measured> {
  const { http: port } = clientPorts(agents);
  const samples: number[] = [];
  for (let round = 0; round < wakeRounds; round++) {
    const task = {
      kind: "wake",
      host: "127.0.0.1",
      port,
      waiting: watchers,
      key: "watched",
    } as const;
    samples.push((await load(task)).p99Ms);
  }
  samples.sort((a, b) => a - b);
  const note = `rounds: ${samples.map((ms) => ms.toFixed(0)).join(", ")}`;
  return { value: samples[Math.floor(wakeRounds / 2)] ?? Number.NaN, note };
}
