// What an agent tells of itself: the text form of Prometheus, and the file that gets the log.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { AgentLog, plainLog } from "../../src/agent/log.ts";
import { Metrics } from "../../src/agent/metrics.ts";
import { IntervalMetrics } from "../../src/core/lib/interval-metrics.ts";
import type { ClusterStatus, RaftStatus } from "../../src/ports/cluster.ts";

const raft: RaftStatus = {
  state: "Leader",
  term: 1,
  lastLogIndex: 0,
  commitIndex: 0,
  appliedIndex: 0,
  lastContactMs: null,
  configuration: [],
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-telemetry-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
  vi.useRealTimers();
});

const server: ClusterStatus = {
  leader: "",
  peers: [],
  raft,
  metrics: { rows: [], gauges: { "autopilot.healthy": 1 } },
};

interface Told {
  Timestamp: string;
  Gauges: { Name: string; Value: number }[];
  Counters: { Name: string; Count: number; Labels: object }[];
  Samples: {
    Name: string;
    Count: number;
    Sum: number;
    Mean: number;
    Stddev: number;
    Min: number;
  }[];
}

function told(metrics: Metrics, status: ClusterStatus | null = null): Told {
  return metrics.snapshot(status) as unknown as Told;
}

test("Prometheus gets totals, and nothing that has not moved for the retention time", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
  const metrics = new Metrics("consul", "n1");
  metrics.counter("client.rpc").add(1, Date.now());
  metrics.request("GET", "/v1/catalog/nodes")(200);
  vi.setSystemTime(1_030_000);
  metrics.counter("client.rpc").add(1, Date.now());
  const text = metrics.prometheus(60_000, null);
  expect(text).toContain(
    "# HELP consul_client_rpc consul_client_rpc\n# TYPE consul_client_rpc counter\n",
  );
  expect(text).toContain("\nconsul_client_rpc 2\n");
  expect(text).toMatch(
    /# TYPE consul_http_GET_v1_catalog_nodes summary\nconsul_http_GET_v1_catalog_nodes_sum [\d.e-]+\n/,
  );
  expect(text).toContain("\nconsul_http_GET_v1_catalog_nodes_count 1\n");
  expect(text).toContain('\nconsul_client_api_catalog_nodes{node="n1"} 1\n');
  expect(text).toMatch(/\nconsul_runtime_sys_bytes \d+\n/);
  vi.setSystemTime(1_090_001);
  expect(metrics.prometheus(60_000, null)).not.toContain("client_rpc");
});

test("the JSON form tells of the last interval that is over; of the first while it lasts", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_003_000 });
  const metrics = new Metrics("consul", "n1");
  const queries = metrics.counter("dns.queries");
  metrics.counter("http.requests");
  for (let n = 0; n < 20; n++) queries.add(1, Date.now());
  const ones = { Min: 1, Max: 1, Mean: 1, Stddev: 0, Labels: {} };
  const first = { Name: "consul.dns.queries", Count: 20, Rate: 2, Sum: 20, ...ones };
  expect(told(metrics)).toMatchObject({
    Timestamp: "1970-01-01 00:16:40 +0000 UTC",
    Counters: [first],
  });
  vi.setSystemTime(1_010_000);
  queries.add(1, Date.now());
  expect(told(metrics).Counters).toEqual([first]);
  vi.setSystemTime(1_020_000);
  expect(told(metrics)).toMatchObject({
    Timestamp: "1970-01-01 00:16:50 +0000 UTC",
    Counters: [{ Count: 1 }],
  });
  vi.setSystemTime(1_030_000);
  expect(told(metrics).Counters).toEqual([]);
});

test("a sample has the usual aggregates", () => {
  const metrics = new IntervalMetrics();
  const sample = metrics.sample("kvs.apply", { op: "set" });
  for (const ms of [1, 2, 6]) sample.add(ms, 5_000);
  const rows = metrics.rows(0);
  expect(told(new Metrics("x", ""), { ...server, metrics: { rows, gauges: {} } }).Samples).toEqual([
    {
      ...{ Name: "x.kvs.apply", Count: 3, Rate: 0.9, Sum: 9, Min: 1, Max: 6, Mean: 3 },
      ...{ Stddev: Math.sqrt(7), Labels: { op: "set" } },
    },
  ]);
});

test("requests are timed under their endpoint's name, whatever clients call paths and methods", () => {
  const metrics = new Metrics("consul", "n1");
  metrics.request("GET", "/v1/kv/")(404);
  metrics.request("PUT", "/v1/agent/check/pass/")(200);
  metrics.request("BREW", "/v1/kv/")(405);
  metrics.request("PUT", "/v1/catalog/register")(500);
  const { Samples, Counters } = told(metrics);
  expect(Samples.map(({ Name }) => Name)).toEqual([
    "consul.http.GET.v1.kv._",
    "consul.http.PUT.v1.agent.check.pass._",
    "consul.http.PUT.v1.catalog.register",
  ]);
  expect(Counters).toMatchObject([
    { Name: "consul.client.api.catalog_register", Labels: { node: "n1" } },
    { Name: "consul.client.rpc.error.catalog_register", Labels: { node: "n1" } },
  ]);
});

test("events are counted by name, up to a number of names", () => {
  const metrics = new Metrics("consul", "n1");
  for (let n = 0; n < 500; n++) metrics.serfEvent(`e${n}`);
  const { Counters } = told(metrics);
  expect(Counters.find(({ Name }) => Name === "consul.serf.events")?.Count).toBe(500);
  expect(Counters.length).toBeLessThan(140);
});

test("gauges are those of this process, and of its server where it has one", () => {
  const raftAt = { ...raft, appliedIndex: 7, lastLogIndex: 8 };
  const names = ({ Gauges }: Told): string[] => Gauges.map(({ Name }) => Name.slice(7));
  const metrics = new Metrics("consul", "n1");
  expect(names(told(metrics))).toEqual([
    "runtime.alloc_bytes",
    "runtime.cpu_us",
    "runtime.sys_bytes",
  ]);
  const { Gauges } = told(metrics, { ...server, raft: raftAt });
  expect(Gauges).toContainEqual({ Name: "consul.raft.applied_index", Value: 7, Labels: {} });
  expect(Gauges).toContainEqual({ Name: "consul.autopilot.healthy", Value: 1, Labels: {} });
});

test.each([
  ["agent.log", /^agent-\d{19}\.log$/],
  ["agent", /^agent-\d{19}\.log$/],
  ["agent.txt", /^agent-\d{19}\.txt$/],
  ["", /^consul-\d{19}\.log$/],
])(
  "log_file %j gets every line that is printed, under the name that Consul gives it",
  (name, expected) => {
    const printed: string[] = [];
    const log = new AgentLog((line) => printed.push(line));
    log.warn("agent", "before it opened");
    log.open({ ...plainLog, level: "info", json: false, file: `${directory}/${name}` });
    log.info("agent", "after", { key: "value" });
    log.debug("agent", "not wanted");
    const [file = ""] = readdirSync(directory);
    expect(file).toMatch(expected);
    const lines = readFileSync(join(directory, file), "utf8").trimEnd().split("\n");
    expect(lines).toEqual(printed.map((line) => line.trimStart()));
    expect(lines).toHaveLength(2);
  },
);
