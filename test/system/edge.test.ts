// The second story: no host agent at all. The same registration goes to the Worker's own URL, as it would to a
// deployment on Cloudflare; the service belongs to the node `edge`, and its TTL runs out by an alarm.

import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { type Answer, type Ask, Proconsul, request, stopAll } from "../support/proconsul.ts";

const ttlMs = 1_500;

let agent: Proconsul;

beforeAll(async () => {
  agent = await Proconsul.start({ edge: true, args: ["-dev"] });
});
afterAll(stopAll);

function edge(path: string, ask: Ask = {}): Promise<Answer> {
  return request(agent.workerUrl + path, ask);
}

function put(path: string, body: string | object = ""): Promise<Answer> {
  return edge(path, { method: "PUT", body });
}

interface Instance {
  Node: { Node: string };
  Service: { ID: string };
  Checks: { CheckID: string; Status: string; Output: string }[];
}

async function health(query = ""): Promise<Instance[]> {
  return (await edge(`/v1/health/service/job${query}`)).json();
}

async function checkOutput(): Promise<string | undefined> {
  const [instance] = await health();
  return instance?.Checks.find(({ CheckID }) => CheckID === "service:job")?.Output;
}

async function dnsStatus(): Promise<number> {
  const answer = await edge("/dns-query?name=job.service.consul&type=SRV");
  return answer.json<{ Status: number }>().Status;
}

test("a service is registered at the Worker's URL and is critical until it says otherwise", async () => {
  const answer = await put("/v1/agent/service/register", {
    Name: "job",
    Address: "192.0.2.7",
    Port: 7_000,
    Check: { TTL: `${ttlMs}ms` },
  });
  expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: "" });
  const [instance] = await health();
  expect(instance?.Node.Node).toBe("edge");
  const statuses = instance?.Checks.map(({ CheckID, Status }) => [CheckID, Status]);
  expect(Object.fromEntries(statuses ?? [])).toEqual({
    serfHealth: "passing",
    "service:job": "critical",
  });
  expect(await health("?passing")).toEqual([]);
});

test("it passes: health shows it, and so does DNS over HTTPS", async () => {
  expect((await put("/v1/agent/check/pass/service:job?note=fine")).status).toBe(200);
  const passing = await health("?passing");
  expect(passing.map(({ Service }) => Service.ID)).toEqual(["job"]);
  const answer = await edge("/dns-query?name=job.service.consul&type=A");
  expect(answer.json()).toMatchObject({ Status: 0, Answer: [{ type: 1, data: "192.0.2.7" }] });
  expect(await checkOutput()).toBe("fine");
});

test("who asks the host agent sees the same", async () => {
  const passing = (await agent.get("/v1/health/service/job?passing")).json<Instance[]>();
  expect(passing.map(({ Node }) => Node.Node)).toEqual(["edge"]);
  const services = (await agent.get("/v1/agent/services")).json();
  expect(services).toEqual({});
});

test("a blocking query at the Worker's URL ends when the TTL runs out, and DNS drops the service", async () => {
  const { headers } = await edge("/v1/health/service/job?passing");
  const index = headers.get("x-consul-index") ?? "";
  const moved = edge(`/v1/health/service/job?passing&index=${index}&wait=20s`);
  expect((await put("/v1/agent/check/pass/service:job")).status).toBe(200);
  const passedMs = performance.now();
  // The note is gone, so the check changed, although its status did not.
  await moved;
  await eventually(async () => (await health("?passing")).length === 0, {
    what: "the TTL runs out",
    limitMs: 4 * ttlMs,
  });
  expect(performance.now() - passedMs).toBeGreaterThan(ttlMs - 100);
  expect(await checkOutput()).toBe("TTL expired");
  await eventually(async () => (await dnsStatus()) === 3, { what: "DNS says NXDOMAIN" });
});

test("keys and sessions are there: a lock held by a session of the node edge", async () => {
  const session = await put("/v1/session/create", { Name: "leader", TTL: "10s" });
  const { ID: id } = session.json<{ ID: string }>();
  expect((await put(`/v1/kv/lock?acquire=${id}`, "me")).text.trim()).toBe("true");
  const [row] = (await edge("/v1/kv/lock")).json<{ Session: string; Value: string }[]>();
  expect(row?.Session).toBe(id);
  expect(Buffer.from(row?.Value ?? "", "base64").toString()).toBe("me");
  const [info] = (await edge(`/v1/session/info/${id}`)).json<{ Node: string }[]>();
  expect(info?.Node).toBe("edge");
  expect((await put(`/v1/session/destroy/${id}`)).text.trim()).toBe("true");
  const [released] = (await edge("/v1/kv/lock")).json<{ Session?: string }[]>();
  expect(released?.Session).toBeUndefined();
});

test("a deregistered service leaves nothing", async () => {
  expect((await put("/v1/agent/service/deregister/job")).status).toBe(200);
  expect(await health()).toEqual([]);
  const services = (await edge("/v1/catalog/services")).json();
  expect(services).toEqual({ consul: [] });
});

test("what needs a host says so", async () => {
  const answer = await put("/v1/agent/service/register", {
    Name: "script",
    Check: { Args: ["true"], Interval: "1s" },
  });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect((await edge("/v1/catalog/services")).json()).toEqual({ consul: [] });
});
