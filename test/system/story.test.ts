// The first story: one command gives a registry. A web server is registered once by curl and once by a client library,
// found by everything that asks Consul for services, and gone from their answers as soon as it dies.

import Consul from "consul";
import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-ports.ts";
import { Proconsul, request, stopAll } from "../support/proconsul.ts";
import { isInstalled, run } from "../support/programs.ts";
import { WebServer } from "../support/web-server.ts";

/** Between the check's turn to critical and the answer of a blocking query that waits for it. */
const blockingLatencyMsMax = 100;

const queryTypes = { srv: 33, a: 1 } as const;

interface Instance {
  Service: { ID: string; Port: number };
  Checks: { CheckID: string; Status: string }[];
}

let agent: Proconsul;
let web: WebServer;

beforeAll(async () => {
  web = await WebServer.start(await freePort());
  agent = await Proconsul.start({ edge: true, args: ["-dev", "-servers", "3"] });
});
afterAll(async () => {
  await web.kill();
  await stopAll();
});

async function passing(): Promise<Instance[]> {
  return (await agent.get("/v1/health/service/web?passing")).json();
}

/** A DNS question as it is on the wire. */
function dnsQuestion(name: string, type: number): Buffer {
  const header = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = name
    .split(".")
    .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.of(0, 0, type, 0, 1)]);
}

async function dig(program: "dig" | "kdig"): Promise<string> {
  const port = String(agent.ports.dns);
  const { stdout } = await run(program, ["@127.0.0.1", "-p", port, "web.service.consul", "SRV"]);
  return stdout;
}

/** Ports of the SRV records in the answer section of `dig`. */
function srvPorts(text: string): string[] {
  return [...text.matchAll(/\sSRV\s+\d+ \d+ (\d+) /g)].map(([, port = ""]) => port);
}

test("three servers are there, each a peer and a member", async () => {
  const peers = (await agent.get("/v1/status/peers")).json<string[]>();
  expect(peers).toHaveLength(3);
  expect(peers).toContain(`127.0.0.1:${agent.ports.server}`);
  const members = await eventually(
    async () => {
      const all = (await agent.get("/v1/agent/members")).json<{ Status: number }[]>();
      return all.length === 3 && all;
    },
    { what: "three members" },
  );
  expect(members.map(({ Status }) => Status)).toEqual([1, 1, 1]);
});

test("curl registers the web server, with a check every second", async () => {
  if (!isInstalled("curl")) return;
  const definition = {
    ID: "web-curl",
    Name: "web",
    Port: web.port,
    Tags: ["curl"],
    Check: { CheckID: "web-curl-http", HTTP: web.url, Interval: "1s", Timeout: "1s" },
  };
  const { code, stdout } = await run("curl", [
    ...["--silent", "--show-error", "--fail-with-body", "--request", "PUT"],
    ...["--data", JSON.stringify(definition), `${agent.url}/v1/agent/service/register`],
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
});

test("the npm client registers it again, under another id", async () => {
  const consul = new Consul({ host: "127.0.0.1", port: agent.ports.http });
  await consul.agent.service.register({
    id: "web-npm",
    name: "web",
    port: web.port,
    tags: ["npm"],
    check: { http: web.url, interval: "1s", timeout: "1s" },
  } as never);
  const services = await consul.agent.services();
  expect(Object.keys(services as object)).toContain("web-npm");
});

test("the health endpoint lists both as soon as their checks have passed", async () => {
  const wanted = isInstalled("curl") ? ["web-curl", "web-npm"] : ["web-npm"];
  const instances = await eventually(
    async () => {
      const found = await passing();
      return found.length === wanted.length && found;
    },
    { what: "both instances pass" },
  );
  expect(instances.map(({ Service }) => Service.ID).toSorted()).toEqual(wanted);
  expect(new Set(instances.map(({ Service }) => Service.Port))).toEqual(new Set([web.port]));
});

test("dig and kdig find its port", async () => {
  for (const program of ["dig", "kdig"] as const) {
    if (!isInstalled(program)) continue;
    const text = await dig(program);
    expect(text).toContain("NOERROR");
    expect(srvPorts(text)).toContain(String(web.port));
  }
});

test("DNS over HTTPS finds it at the edge: RFC 8484 and JSON", async () => {
  if (!isInstalled("curl")) return;
  const endpoint = `${agent.workerUrl}/dns-query`;
  const question = dnsQuestion("web.service.consul", queryTypes.srv).toString("base64url");
  const wire = await run("curl", [
    ...["-sS", "--include", "-H", "accept: application/dns-message"],
    `${endpoint}?dns=${question}`,
  ]);
  expect(wire.stdout).toMatch(/^HTTP\/1.1 200/);
  expect(wire.stdout.toLowerCase()).toContain("content-type: application/dns-message");
  const json = await run("curl", [
    ...["-sS", "-H", "accept: application/dns-json"],
    `${endpoint}?name=web.service.consul&type=SRV`,
  ]);
  const answer = JSON.parse(json.stdout) as { Status: number; Answer: { data: string }[] };
  expect(answer.Status).toBe(0);
  expect(answer.Answer[0]?.data).toMatch(new RegExp(`^1 1 ${web.port} `));
});

/**
 * When the check became critical is taken from the agent's own list of checks, asked every few milliseconds: that is
 * the earliest moment at which anybody could know. The blocking query may even be answered before the list was asked.
 */
test("when it is killed, a blocking query answers within 100 ms of the check's failure", async () => {
  const { headers } = await agent.get("/v1/health/service/web?passing");
  const index = headers.get("x-consul-index") ?? "";
  let answeredMs = 0;
  const blocking = agent
    .get(`/v1/health/service/web?passing&index=${index}&wait=30s`)
    .then((answer) => {
      answeredMs = performance.now();
      return answer;
    });
  await web.kill();
  const criticalMs = await eventually(
    async () => {
      const checks = (await agent.get("/v1/agent/checks")).json<
        Record<string, { Status: string }>
      >();
      return Object.values(checks).some(({ Status }) => Status === "critical") && performance.now();
    },
    { what: "a check is critical", intervalMs: 5 },
  );
  const answer = await blocking;
  const latencyMs = answeredMs - criticalMs;
  console.log(`blocking query: ${latencyMs.toFixed(1)} ms after the check's failure was seen`);
  expect(latencyMs).toBeLessThan(blockingLatencyMsMax);
  expect(Number(answer.headers.get("x-consul-index"))).toBeGreaterThan(Number(index));
});

test("nobody is sent to it any more", async () => {
  await eventually(async () => (await passing()).length === 0, { what: "no instance passes" });
  const doh = await request(`${agent.workerUrl}/dns-query?name=web.service.consul&type=A`);
  expect(doh.json<{ Status: number; Answer?: unknown }>()).toMatchObject({ Status: 3 });
  if (!isInstalled("dig")) return;
  const text = await dig("dig");
  expect(text).toContain("NXDOMAIN");
  expect(srvPorts(text)).toEqual([]);
});

test("SIGTERM ends it like Consul: exit code 1, and nothing is left behind", async () => {
  expect(await agent.stop()).toEqual({ code: 1, signal: null });
  await expect(request(`${agent.workerUrl}/v1/status/leader`)).rejects.toThrow("fetch failed");
});
