// What is measured under load: design.md §11. All rows of one repetition ask the same running datacenter, in this
// order.

import { grantClients } from "./acl.ts";
import type { Agent } from "./processes.ts";
import { type HttpTask, load, type LoadTask } from "./load.ts";
import { inDirectory, type Subject, withAgents } from "./subjects.ts";
import { type Effort, type Row, type Sample, toConsul, type Trial } from "./trials.ts";

export interface LoadRow extends Row {
  /** Clients talk to the last agent, with this token, "" for none; all of the agents do the work. */
  samples(agents: readonly Agent[], effort: Effort, token: string): Promise<Sample[]>;
}

const clients = 64;
const keysSpread = 1_000;
const instances = 100;
const watchers = 1_000;

export const loadRows: readonly LoadRow[] = [
  {
    ...{ name: "kv-put", title: "KV PUT, 64 clients", unit: "/s", reach: toConsul(3) },
    samples: http({ method: "PUT", path: "/v1/kv/bench/{n}", body: "{n}".padEnd(64, "x") }),
  },
  {
    ...{ name: "kv-get", title: "KV GET default, 64 clients", unit: "/s", reach: toConsul(4) },
    samples: http({ path: "/v1/kv/bench/{n}" }),
  },
  {
    ...{ name: "kv-get-stale", title: "KV GET stale, 64 clients", unit: "/s", reach: toConsul(4) },
    samples: http({ path: "/v1/kv/bench/{n}?stale" }),
  },
  {
    ...{ name: "health-cached", title: "health ?cached, 1 instance", unit: "/s" },
    reach: toConsul(4),
    samples: http({ path: "/v1/health/service/one?cached" }),
  },
  {
    ...{ name: "dns-one", title: "DNS A over UDP, 1 instance", unit: "/s", reach: toConsul(2) },
    samples: dns("one.service.consul"),
  },
  {
    ...{ name: "dns-many", title: "DNS A over UDP, 100 instances", unit: "/s" },
    reach: toConsul(20),
    samples: dns("many.service.consul"),
  },
  {
    ...{ name: "health-many", title: "health of 100 instances", unit: "/s", reach: toConsul(60) },
    samples: http({ path: "/v1/health/service/many" }),
  },
  {
    ...{ name: "wake", title: "1,000 blocking queries woken, p99", unit: "ms", reach: toConsul(3) },
    samples: wake,
  },
];

export function loadTrial(effort: Effort): Trial {
  return {
    rows: loadRows,
    applies: (subject) => subject.isDatacenter,
    measure: async (subject, wanted, report) =>
      await withLoaded(subject, async (agents, token) => {
        for (const row of loadRows) {
          if (!wanted.has(row.name)) continue;
          for (const sample of await row.samples(agents, effort, token)) report(row.name, sample);
        }
      }),
  };
}

/** Runs `use` with a datacenter that has what the rows ask for, and the token of its clients. */
export async function withLoaded(
  subject: Subject,
  use: (agents: readonly Agent[], token: string) => Promise<void>,
): Promise<void> {
  await inDirectory(async (directory) => {
    await withAgents(await subject.cluster(directory), async (agents) => {
      const asked = agents.at(-1) as Agent;
      await prepare(asked);
      await use(agents, asked.program.token === undefined ? "" : await grantClients(asked));
    });
  });
}

/** What the rows ask for: a service with one instance, one with a hundred, and every key. */
export async function prepare(agent: Agent): Promise<void> {
  await register(agent, "one", 1);
  await register(agent, "many", instances);
  const keys = Array.from({ length: keysSpread }, (_, n) => `/v1/kv/bench/${n}`);
  await Promise.all(keys.map((path) => agent.request("PUT", path, "prepared")));
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
    await agent.request("PUT", "/v1/catalog/register", JSON.stringify(body));
  }
}

function http(options: Pick<HttpTask, "path"> & Partial<HttpTask>): LoadRow["samples"] {
  return async (agents, { loadMs }, token) => [
    await sampleOf(agents, {
      token,
      kind: "http",
      host: "127.0.0.1",
      port: clientPorts(agents).http,
      connections: clients,
      durationMs: loadMs,
      method: "GET",
      spread: keysSpread,
      body: "",
      ...options,
    }),
  ];
}

function dns(name: string): LoadRow["samples"] {
  return async (agents, { loadMs: durationMs }) => {
    const port = clientPorts(agents).dns;
    const common = { kind: "dns", host: "127.0.0.1", inFlight: clients } as const;
    return [await sampleOf(agents, { ...common, port, durationMs, name })];
  };
}

/** From the start of the write to the 990th of 1,000 answers. */
async function wake(
  agents: readonly Agent[],
  { rounds }: Effort,
  token: string,
): Promise<Sample[]> {
  const { http: port } = clientPorts(agents);
  const common = {
    kind: "wake",
    host: "127.0.0.1",
    waiting: watchers,
    key: "watched",
    token,
  } as const;
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    samples.push(await sampleOf(agents, { ...common, port }));
  }
  return samples;
}

/** Answers a second, or ms for a wake; with what each cost the agents. */
export async function sampleOf(agents: readonly Agent[], task: LoadTask): Promise<Sample> {
  const marks: number[] = [];
  const { perSecond, p99Ms, answered } = await load(task, () => marks.push(cpuSeconds(agents)));
  const [before = Number.NaN, after = Number.NaN] = marks;
  return {
    value: task.kind === "wake" ? p99Ms : perSecond,
    cpuMicros: ((after - before) / answered) * 1_000_000,
    privateMegabytes: agents.reduce((sum, agent) => sum + agent.privateMegabytes(), 0),
  };
}

function cpuSeconds(agents: readonly Agent[]): number {
  return agents.reduce((sum, agent) => sum + agent.cpuSeconds(), 0);
}

function clientPorts(agents: readonly Agent[]): Agent["program"]["ports"] {
  const agent = agents.at(-1);
  if (!agent) throw new Error("no agent runs");
  return agent.program.ports;
}
