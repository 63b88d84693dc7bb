// What statsd, statsite and dogstatsd are sent: forms and names as recorded from Consul 1.8.7.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, test } from "vitest";

import { loadAgentConfig } from "../../src/agent/config/load.ts";
import type { ResolvedAgentConfig } from "../../src/agent/config/types.ts";
import { Metrics } from "../../src/agent/metrics.ts";
import { isAllowed, metricFilter } from "../../src/agent/telemetry/filter.ts";
import {
  DogstatsdSink,
  type Sink,
  StatsdSink,
  StatsiteSink,
} from "../../src/agent/telemetry/sinks.ts";
import { Telemetry } from "../../src/agent/telemetry/telemetry.ts";

async function packets(use: (address: string) => Sink): Promise<string> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const sink = use(`127.0.0.1:${socket.address().port}`);
  let text = "";
  while (!text.includes("last")) {
    const [message] = (await once(socket, "message")) as [Buffer];
    text += `${message.toString()}--`;
  }
  sink.stop();
  socket.close();
  return text;
}

const failed = (reason: string): never => {
  throw new Error(reason);
};

function tellAll(sink: Sink): Sink {
  const none = { labels: {}, count: 1 };
  const gauge = "consul.vm.raft.peers";
  sink.tell({ ...none, kind: "gauge", name: gauge, plainName: "consul.raft.peers", value: 3 });
  const api = { name: "consul.client.api.kv", plainName: "consul.client.api.kv" };
  sink.tell({ ...api, kind: "counter", value: 1, labels: { node: "n:1" }, count: 1 });
  const many = { name: "consul.raft.commitTime", plainName: "consul.raft.commitTime" };
  sink.tell({ ...many, kind: "sample", value: 0.25, labels: {}, count: 4 });
  sink.tell({ ...none, kind: "sample", name: "last", plainName: "last", value: 0.5 });
  return sink;
}

describe("sinks", () => {
  test("statsd: one packet of lines, labels as parts of names", async () => {
    expect(await packets((address) => tellAll(new StatsdSink({ address, failed })))).toBe(
      "consul.vm.raft.peers:3.000000|g\nconsul.client.api.kv.n_1:1.000000|c\n" +
        "consul.raft.commitTime:0.250000|ms|@0.25\nlast:0.500000|ms\n--",
    );
  });

  test("dogstatsd: a packet each, with tags and without the host", async () => {
    const tags = ["a:b", "c"];
    expect(await packets((address) => tellAll(new DogstatsdSink({ address, failed, tags })))).toBe(
      "consul.raft.peers:3.000000|g|#a:b,c--consul.client.api.kv:1|c|#a:b,c,node:n_1--" +
        "consul.raft.commitTime:0.250000|ms|@0.25|#a:b,c--last:0.500000|ms|#a:b,c--",
    );
  });

  test("statsite: lines over one connection; what comes before it is kept", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sink = tellAll(new StatsiteSink({ address, failed }));
    const [socket] = (await once(server, "connection")) as [Socket];
    sink.stop();
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    server.close();
    expect(text).toContain(
      "consul.vm.raft.peers:3.000000|g\nconsul.client.api.kv.n_1:1.000000|c\n",
    );
    expect(text).toMatch(/last:0\.500000\|ms\n$/);
  });

  test("one that nobody listens at says so once and costs nothing", () => {
    const sink = new StatsiteSink({ address: "127.0.0.1:1", failed: () => undefined });
    for (let n = 0; n < 100; n++) tellAll(sink);
    sink.stop();
  });
});

test.each([
  [["-consul.runtime", "+consul.runtime.heap"], true, "consul.runtime.sys", false],
  [["-consul.runtime", "+consul.runtime.heap"], true, "consul.runtime.heap_objects", true],
  [["-consul.runtime"], true, "consul.vm.runtime.sys", true],
  [["+consul.raft"], false, "consul.raft.apply", true],
  [["+consul.raft"], false, "consul.http.GET", false],
  [["+consul", "-consul"], false, "consul.x", false],
])("the filter %j (else %s) takes %s: %s", (rules, byDefault, name, taken) => {
  expect(isAllowed(metricFilter(rules, byDefault).filter, name)).toBe(taken);
});

function load(text: string): ResolvedAgentConfig {
  const facts = { hostName: "vm", addresses: [] };
  return loadAgentConfig(["-dev", "-node", "n1", "-hcl", `telemetry { ${text} }`], facts);
}

test("gauges carry the host where somebody else gathers them, unless that is not wanted", () => {
  const shown = (text: string): string[] => {
    const { telemetry } = load(text);
    const metrics = new Metrics(telemetry.metricsPrefix, "n1", telemetry);
    return metrics.gauges(null).map(({ Name }) => Name);
  };
  expect(shown("")).toContain("consul.runtime.sys_bytes");
  expect(shown('statsd_address = "h:1"')).toContain("consul.vm.runtime.sys_bytes");
  const bare = 'statsd_address = "h:1" disable_hostname = true metrics_prefix = "x"';
  expect(shown(bare)).toContain("x.runtime.sys_bytes");
});

test("rules that are none are warned about, and addresses that are none refused", () => {
  expect(load('prefix_filter = ["x", ""]').warnings).toEqual(
    expect.arrayContaining([
      `Filter rule must begin with either '+' or '-': "x"`,
      "Cannot have empty filter rule in prefix_filter",
    ]),
  );
  expect(() => load('statsd_address = "localhost"')).toThrow(
    "telemetry.statsd_address: localhost: missing port in address",
  );
});

test("what is counted is told at once, and filtered", async () => {
  const said = await packets((address) => {
    const config = load(`statsd_address = "${address}" prefix_filter = ["-consul.dns"]`);
    const metrics = new Metrics("consul", "n1", config.telemetry);
    const log = { warn: failed };
    const telemetry = new Telemetry({ config, log, metrics, server: async () => null });
    metrics.counter("dns.queries").add(1, Date.now());
    metrics.request("GET", "/v1/catalog/nodes")(200);
    metrics.counter("last").add(1, Date.now());
    return { tell: () => undefined, stop: () => telemetry.stop() };
  });
  expect(said).not.toContain("dns");
  expect(said).toMatch(/^consul\.client\.api\.catalog_nodes\.n1:1\.000000\|c$/m);
  expect(said).toMatch(/^consul\.http\.GET\.v1\.catalog\.nodes:\d\.\d{6}\|ms$/m);
});
