// What an agent tells of itself: the text form of Prometheus, and the file that gets the log.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { AgentLog } from "../../src/agent/log.ts";
import { Metrics } from "../../src/agent/metrics.ts";
import type { RaftStatus } from "../../src/ports/cluster.ts";

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

test("Prometheus gets totals, and nothing that has not moved for the retention time", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
  const metrics = new Metrics("consul");
  metrics.counter("client.rpc").n += 1;
  vi.setSystemTime(1_030_000);
  metrics.counter("client.rpc").n += 1;
  const text = metrics.prometheus(60_000, null);
  expect(text).toContain(
    "# HELP consul_client_rpc consul_client_rpc\n# TYPE consul_client_rpc counter\n",
  );
  expect(text).toContain("\nconsul_client_rpc 2\n");
  expect(text).toMatch(/\nconsul_runtime_sys_bytes \d+\n/);
  vi.setSystemTime(1_090_001);
  expect(metrics.prometheus(60_000, null)).not.toContain("client_rpc");
});

test("the JSON form tells what was counted since the last interval, and where the servers stand", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
  const metrics = new Metrics("consul");
  const queries = metrics.counter("dns.queries");
  metrics.counter("http.requests");
  queries.n += 20;
  vi.setSystemTime(1_010_000);
  const first = metrics.snapshot({ ...raft, appliedIndex: 7, lastLogIndex: 8 });
  expect(first).toMatchObject({
    Timestamp: "1970-01-01 00:16:40 +0000 UTC",
    Counters: [{ Name: "consul.dns.queries", Count: 20, Rate: 2, Sum: 20, Mean: 1 }],
  });
  const { Gauges } = first as unknown as { Gauges: { Name: string; Value: number }[] };
  expect(Gauges).toContainEqual({ Name: "consul.raft.applied_index", Value: 7, Labels: {} });
  queries.n += 1;
  expect(metrics.snapshot(null)).toMatchObject({ Counters: [{ Count: 1 }] });
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
    log.open({ level: "info", json: false, file: `${directory}/${name}` });
    log.info("agent", "after", { key: "value" });
    log.debug("agent", "not wanted");
    const [file = ""] = readdirSync(directory);
    expect(file).toMatch(expected);
    const lines = readFileSync(join(directory, file), "utf8").trimEnd().split("\n");
    expect(lines).toEqual(printed.map((line) => line.trimStart()));
    expect(lines).toHaveLength(2);
  },
);
