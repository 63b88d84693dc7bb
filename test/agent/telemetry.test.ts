// What an agent tells of itself: the text form of Prometheus, and the file that gets the log.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { AgentLog } from "../../src/agent/log.ts";
import { Metrics } from "../../src/agent/metrics.ts";

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
  metrics.count("client.rpc");
  metrics.sample("http.GET.v1.kv._", 3);
  vi.setSystemTime(1_030_000);
  metrics.count("client.rpc");
  metrics.sample("http.GET.v1.kv._", 4);
  const text = metrics.prometheus(60_000);
  expect(text).toContain(
    "# HELP consul_client_rpc consul_client_rpc\n# TYPE consul_client_rpc counter\n",
  );
  expect(text).toContain("\nconsul_client_rpc 2\n");
  expect(text).toContain("\nconsul_http_GET_v1_kv___sum 7\nconsul_http_GET_v1_kv___count 2\n");
  expect(text).toMatch(/\nconsul_runtime_sys_bytes \d+\n/);
  vi.setSystemTime(1_090_001);
  expect(metrics.prometheus(60_000)).not.toContain("client_rpc");
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
