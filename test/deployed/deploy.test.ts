// What docs/deploy.md says, in its order: three datacenters, closed, with TLS in front; hosts that join by the pasted
// line; a service that everybody finds; a host that is killed; and an upgrade under load.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { newReleaseKey, publicReleaseKey, writeRelease } from "../../src/deploy/release.ts";
import { LocalDeployment } from "../support/deployment.ts";
import { askTcp, dnsQuestion, framed } from "../support/dns-wire.ts";
import { eventually } from "../support/eventually.ts";
import { agentPorts, type AgentPorts } from "../support/free-ports.ts";
import { isInstalled, run } from "../support/programs.ts";
import { request, stopAll, temporaryDirectory } from "../support/proconsul.ts";

const hasCurl = isInstalled("curl");
const hosts: { name: string; child: ChildProcess; ports: AgentPorts; output: string }[] = [];
let deployment: LocalDeployment;
let token: string;

beforeAll(async () => {
  const dist = join(temporaryDirectory(), "dist");
  const assets = temporaryDirectory();
  execFileSync(process.execPath, [".ci/build.ts", dist], { stdio: "pipe" });
  const releaseKey = newReleaseKey();
  writeRelease({ dist, directory: assets, version: "1.0.0", releaseKey });
  deployment = await LocalDeployment.start({
    assets,
    datacenters: { dc1: { servers: 3 }, dc2: { servers: 3 }, dc3: { servers: 3 } },
    vars: { INSTALL_KEY: publicReleaseKey(releaseKey) },
  });
}, 120_000);

afterAll(async () => {
  for (const { child } of hosts) child.kill("SIGKILL");
  await deployment.stop();
  await stopAll();
});

async function ask<Body>(path: string, method = "GET", body?: object | string): Promise<Body> {
  const answer = await deployment.ask(path, { method, token, ...(body !== undefined && { body }) });
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json<Body>();
}

async function passing(): Promise<string[]> {
  const found = await ask<{ Node: { Node: string } }[]>("/v1/health/service/web?passing");
  return found.map(({ Node }) => Node.Node).toSorted();
}

async function health(node: string): Promise<string | undefined> {
  const checks = await ask<{ CheckID: string; Status: string }[]>(`/v1/health/node/${node}`);
  return checks.find(({ CheckID }) => CheckID === "serfHealth")?.Status;
}

test("the deployer's secret makes the first token", async () => {
  token = await deployment.bootstrap();
  expect((await deployment.ask("/v1/catalog/nodes")).status).toBe(403);
  const { Servers: servers } = await ask<{ Servers: object[] }>("/v1/operator/raft/configuration");
  expect(servers).toHaveLength(3);
});

test.runIf(hasCurl)("three hosts join by the pasted line", { timeout: 60_000 }, async () => {
  await ask("/v1/acl/policy", "PUT", {
    Name: "web",
    Rules: 'service "web" { policy = "write" }',
  });
  const { Token: joinToken } = await ask<{ Token: string }>("/v1/operator/join-token", "PUT", {
    Nodes: ["host-*"],
    Policies: [{ Name: "web" }],
  });
  for (const name of ["host-1", "host-2", "host-3"]) {
    const prefix = temporaryDirectory();
    const env = {
      ...{ ...process.env, ...deployment.env, PROCONSUL_TOKEN: joinToken },
      PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
    };
    const line = `curl -fsS ${deployment.url}/install.sh | sh -s -- --prefix ${prefix} --node ${name} --no-service`;
    // Not synchronously: the front that it asks is in this process.
    const installed = await run("sh", ["-c", line], { env });
    expect(installed.code, installed.stderr).toBe(0);
    const ports = await agentPorts();
    const flags = Object.entries({
      ...{ "-http-port": ports.http, "-dns-port": ports.dns },
      ...{ "-server-port": ports.server, "-serf-lan-port": ports.serf_lan },
    }).flatMap(([flag, port]) => [flag, String(port)]);
    const config = join(prefix, "etc/proconsul/agent.json");
    const args = ["agent", "-config-file", config, "-bind", "127.0.0.1", ...flags];
    const child = spawn(join(prefix, "bin/proconsul"), args, {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const host = { name, child, ports, output: "" };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (host.output += text));
    }
    hosts.push(host);
  }
  for (const { name } of hosts) {
    await eventually(async () => (await health(name)) === "passing", {
      ...{ what: `${name} is a member`, limitMs: 20_000 },
    }).catch((failure: Error) => {
      failure.message += hosts.map(({ output }) => `\n${output}`).join("");
      throw failure;
    });
  }
});

test.runIf(hasCurl)(
  "what they register is found by HTTP, by DNS at each host, and over HTTPS",
  async () => {
    for (const [at, { ports }] of hosts.entries()) {
      const answer = await request(`http://127.0.0.1:${ports.http}/v1/agent/service/register`, {
        ...{ method: "PUT", headers: { "X-Consul-Token": token } },
        // They have one address here, and DNS names each of address and port once.
        body: { Name: "web", Port: 80 + at, Check: { TTL: "1h", Status: "passing" } },
      });
      expect(answer.status, answer.text).toBe(200);
    }
    const all = hosts.map(({ name }) => name);
    await eventually(async () => (await passing()).join() === all.join(), {
      ...{ what: "all are found", limitMs: 15_000 },
    });
    for (const { ports } of hosts) {
      await eventually(
        async () => {
          const [heard] = await askTcp(ports.dns, framed(dnsQuestion(1, "web.service.consul")), 1);
          return heard?.readUInt16BE(6) === hosts.length;
        },
        { what: "DNS has all of them", limitMs: 10_000 },
      );
    }
    const { Path: path } = await ask<{ Path: string }>("/v1/operator/dns-key", "PUT");
    const dns = await deployment.ask(`${path}?name=web.service.consul&type=SRV`);
    expect(dns.json<{ Answer: object[] }>().Answer).toHaveLength(hosts.length);
  },
);

test.runIf(hasCurl)("a host that is killed is dead within 20 s", { timeout: 40_000 }, async () => {
  const last = hosts.pop();
  last?.child.kill("SIGKILL");
  const startMs = performance.now();
  await eventually(async () => (await health(last?.name ?? "")) === "critical", {
    ...{ what: "it is called failed", limitMs: 25_000 },
  });
  const tookMs = performance.now() - startMs;
  console.log(`a killed host was called failed after ${Math.round(tookMs)} ms`);
  expect(tookMs).toBeLessThan(20_000);
  expect(await passing()).toEqual(hosts.map(({ name }) => name));
});

/** A client that does as it is told: asks again when it is, and only then. */
async function write(key: string): Promise<"done" | "retried"> {
  for (let attempt = 0; ; attempt++) {
    const answer = await deployment
      .ask(`/v1/kv/${key}`, { method: "PUT", token, body: key })
      // Nobody answered: what happened is not known, and writing the same again is harmless.
      .catch(() => null);
    if (answer?.status === 200) return attempt === 0 ? "done" : "retried";
    const isTold = answer === null || [429, 500, 503].includes(answer.status);
    if (!isTold || attempt > 100) throw new Error(`${answer?.status} ${answer?.text}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

test.runIf(hasCurl)(
  "an upgrade under load loses no write, and calls no healthy host failed",
  { timeout: 120_000 },
  async () => {
    const load = { isOver: false };
    const written: string[] = [];
    const retried: string[] = [];
    const failures: string[] = [];
    const writer = async (n: number): Promise<void> => {
      for (let at = 0; !load.isOver; at++) {
        const key = `load/${n}/${at}`;
        if ((await write(key)) === "retried") retried.push(key);
        written.push(key);
      }
    };
    const watcher = async (): Promise<void> => {
      while (!load.isOver) {
        for (const { name } of hosts) {
          const status = await health(name).catch(() => undefined);
          if (status === "critical") failures.push(name);
        }
        await new Promise((done) => setTimeout(done, 100));
      }
    };
    const working = Promise.all([...Array.from({ length: 8 }, (_, n) => writer(n)), watcher()]);
    for (let upgrades = 0; upgrades < 2; upgrades++) {
      const before = written.length;
      await eventually(() => Promise.resolve(written.length > before + 50), { what: "load" });
      await deployment.upgrade();
    }
    const before = written.length;
    await eventually(() => Promise.resolve(written.length > before + 200), {
      ...{ what: "load goes on", limitMs: 30_000 },
    });
    // Whoever does not come back is called failed when the window of the upgrade is over.
    await new Promise((done) => setTimeout(done, 20_000));
    load.isOver = true;
    await working;
    const rows = await ask<{ Key: string }[]>("/v1/kv/load/?recurse");
    const kept = new Set(rows.map(({ Key }) => Key));
    expect(written.filter((key) => !kept.has(key))).toEqual([]);
    expect(failures).toEqual([]);
    for (const { name } of hosts) expect(await health(name)).toBe("passing");
    console.log(`${written.length} writes through two upgrades, ${retried.length} of them retried`);
  },
);
