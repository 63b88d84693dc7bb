// An agent as an operator keeps it on a host: a folder of files in both languages, a watch that writes a file, metrics,
// a socket, a log file, a pid file, and SIGHUP after a change.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterAll(stopAll);

function bySocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve(text));
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("files, watches, metrics, sockets, logs and reload of one agent", async () => {
  const folder = temporaryDirectory();
  const files = join(folder, "conf.d");
  const seen = join(folder, "seen");
  mkdirSync(files);
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
  const sink = createSocket("udp4").bind(0, "127.0.0.1");
  await once(sink, "listening");
  let metrics = "";
  sink.on("message", (message) => (metrics += message.toString()));
  const write = (text: string): void => writeFileSync(join(files, "b.hcl"), text);
  writeFileSync(join(files, "a.json"), '{"node_name": "from-json", "log_level": "info"}');
  write(`
    node_name = "from-hcl"
    node_meta { rack = "1" }
    pid_file  = "${folder}/pid"
    log_file  = "${folder}/logs/"
    addresses { http = "127.0.0.1 unix://${folder}/api.sock" }
    unix_sockets { mode = "0600" }
    telemetry { statsd_address = "127.0.0.1:${sink.address().port}" disable_hostname = true }
    service { name = "web" port = 80 check { ttl = "1h" } }
    watches = [{ type = "key" key = "k" args = ["sh", "-c", "cat >> ${seen}"] }]
  `);
  mkdirSync(join(folder, "logs"));
  const agent = await Proconsul.start({ args: ["-dev", "-config-dir", files] });

  expect(read(join(folder, "pid"))).toBe(String(agent.pid));
  expect(statSync(join(folder, "api.sock")).mode & 0o777).toBe(0o600);
  const self = await bySocket(join(folder, "api.sock"), "/v1/agent/self");
  expect(JSON.parse(self)).toMatchObject({ Config: { NodeName: "from-hcl" }, Meta: { rack: "1" } });
  expect((await agent.get("/v1/agent/services")).json()).toHaveProperty("web");

  await eventually(() => read(seen) === "null\n", { what: "the first state" });
  await agent.put("/v1/kv/k", "v");
  await eventually(() => read(seen).includes('"Value":"dg=="'), { what: "the next state" });
  await eventually(() => metrics.includes("consul.http.PUT.v1.kv"), { what: "metrics" });

  write('node_meta { rack = "2" } service { name = "db" port = 1 }');
  agent.signal("SIGHUP");
  await eventually(async () => (await agent.get("/v1/agent/self")).text.includes('"rack": "2"'), {
    what: "the change",
  });
  const services = (await agent.get("/v1/agent/services")).json();
  expect(services).toHaveProperty("db");
  expect(services).not.toHaveProperty("web");

  write("nonsense = 1");
  agent.signal("SIGHUP");
  await eventually(() => agent.output.includes("invalid config key nonsense"), {
    what: "the refusal",
  });
  expect((await agent.get("/v1/agent/services")).json()).toHaveProperty("db");

  await agent.stop();
  expect(existsSync(join(folder, "pid"))).toBe(false);
  const [log = ""] = readdirSync(join(folder, "logs"));
  expect(log).toMatch(/^consul-\d+\.log$/);
  expect(read(join(folder, "logs", log))).toContain("Reload config failed");
  sink.close();
});
