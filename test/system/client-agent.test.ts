// Hosts without servers: a client agent joins a server's agent, brings its services into the catalog, is found out when
// it dies, is welcome when it is back, and leaves nothing behind when it leaves.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { Proconsul, type StartOptions, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { isInstalled, run } from "../support/programs.ts";

/** Consul needs about ten seconds; so may we. */
const failureLimitMs = 20_000;

interface Machine {
  options: StartOptions;
  agent: Proconsul;
}

interface Member {
  Name: string;
  Status: number;
  Tags: { role: string };
}

let server: Machine;
let client: Machine;

beforeAll(async () => {
  const serverOptions = {
    ports: await agentPorts(),
    config: {
      server: true,
      bootstrap_expect: 1,
      bind_addr: "127.0.0.1",
      node_name: "server",
      data_dir: join(temporaryDirectory(), "data"),
    },
  };
  server = { options: serverOptions, agent: await Proconsul.start(serverOptions) };
  const clientOptions = await clientNamed("client", server.options);
  client = { options: clientOptions, agent: await Proconsul.start(clientOptions) };
});
afterAll(stopAll);

async function clientNamed(name: string, joined: StartOptions): Promise<StartOptions> {
  return {
    ports: await agentPorts(),
    args: [
      ...["-data-dir", join(temporaryDirectory(), "data"), "-bind", "127.0.0.1", "-node", name],
      ...["-retry-join", `127.0.0.1:${joined.ports?.serf_lan}`],
    ],
  };
}

async function serfHealth(): Promise<string | undefined> {
  const checks = await server.agent.get("/v1/health/node/client");
  return checks
    .json<{ CheckID: string; Status: string }[]>()
    .find(({ CheckID }) => CheckID === "serfHealth")?.Status;
}

async function passing(agent: Proconsul): Promise<string[]> {
  const answer = await agent.get("/v1/health/service/web?passing");
  return answer.json<{ Node: { Node: string } }[]>().map(({ Node }) => Node.Node);
}

async function members(agent: Proconsul): Promise<[string, number, string][]> {
  const answer = await agent.get("/v1/agent/members");
  return answer.json<Member[]>().map(({ Name, Status, Tags }) => [Name, Status, Tags.role]);
}

test("it is a member, in its own eyes and in the server's", async () => {
  await eventually(async () => (await serfHealth()) === "passing", { what: "the client is alive" });
  const expected = [
    ["client", 1, "node"],
    ["server", 1, "consul"],
  ];
  expect(await members(client.agent)).toEqual(expected);
  expect(await members(server.agent)).toEqual(expected);
  const self = (await client.agent.get("/v1/agent/self")).json<{ Config: { Server: boolean } }>();
  expect(self.Config.Server).toBe(false);
});

test("what it is asked it asks the server", async () => {
  expect((await client.agent.put("/v1/kv/from-client", "1")).text.trim()).toBe("true");
  expect((await server.agent.get("/v1/kv/from-client?raw")).text).toBe("1");
  const { headers } = await client.agent.get("/v1/kv/from-client");
  const index = headers.get("x-consul-index") ?? "";
  const moved = client.agent.get(`/v1/kv/from-client?index=${index}&wait=20s&raw`);
  await server.agent.put("/v1/kv/from-client", "2");
  expect((await moved).text).toBe("2");
});

test("a service registered at it is in the catalog under its node, and in its own DNS", async () => {
  const answer = await client.agent.put("/v1/agent/service/register", { Name: "web", Port: 80 });
  expect(answer.status).toBe(200);
  expect(await passing(server.agent)).toEqual(["client"]);
  if (!isInstalled("dig")) return;
  const port = String(client.agent.ports.dns);
  const { stdout } = await run("dig", ["@127.0.0.1", "-p", port, "web.service.consul", "SRV"]);
  expect(stdout).toContain("1 1 80 client.node.dc1.consul.");
});

test("a restart of the server is no evidence against it", async () => {
  await server.agent.stop();
  const write = client.agent.put("/v1/kv/while-away", "1");
  server.agent = await Proconsul.start(server.options);
  expect(await write).toMatchObject({ status: 200 });
  expect(await serfHealth()).toBe("passing");
  expect(await passing(client.agent)).toEqual(["client"]);
});

test("killed, it is found out, and its services pass no more", async () => {
  await client.agent.kill();
  const killedMs = performance.now();
  await eventually(async () => (await serfHealth()) === "critical", {
    what: "serfHealth is critical",
    limitMs: failureLimitMs,
  });
  console.log(`serfHealth critical after ${Math.round(performance.now() - killedMs)} ms`);
  expect(await passing(server.agent)).toEqual([]);
  expect(await members(server.agent)).toContainEqual(["client", 4, "node"]);
});

test("started again, it passes, and so does its service", async () => {
  client.agent = await Proconsul.start(client.options);
  await eventually(async () => (await serfHealth()) === "passing", { what: "serfHealth passes" });
  expect(await passing(server.agent)).toEqual(["client"]);
  expect(Object.keys((await client.agent.get("/v1/agent/services")).json<object>())).toEqual([
    "web",
  ]);
});

test("it leaves, and its node is gone", async () => {
  expect((await client.agent.put("/v1/agent/leave")).status).toBe(200);
  expect(await client.agent.exited).toEqual({ code: 0, signal: null });
  await eventually(async () => (await members(server.agent)).length === 1, { what: "it is gone" });
  const nodes = (await server.agent.get("/v1/catalog/nodes")).json<{ Node: string }[]>();
  expect(nodes.map(({ Node }) => Node)).toEqual(["server"]);
  expect((await server.agent.get("/v1/catalog/service/web")).json()).toEqual([]);
});

test("interrupted, a client leaves too: Consul's default", async () => {
  const agent = await Proconsul.start(await clientNamed("interrupted", server.options));
  await eventually(async () => (await members(server.agent)).length === 2, { what: "it is there" });
  agent.signal("SIGINT");
  expect(await agent.exited).toEqual({ code: 0, signal: null });
  expect((await members(server.agent)).map(([name]) => name)).toEqual(["server"]);
});

test("without servers it says so; told where one is, it joins", async () => {
  const nowhere: StartOptions = { ports: await agentPorts() };
  const agent = await Proconsul.spawn(await clientNamed("early", nowhere));
  await eventually(() => agent.output.includes("Consul agent running"), { what: "it runs" });
  const services = await agent.put("/v1/agent/service/register", { Name: "early" });
  expect(services.status).toBe(200);
  const refused = await agent.put(`/v1/agent/join/127.0.0.1:${nowhere.ports?.serf_lan}`);
  expect(refused.status).toBe(500);
  expect(refused.text).toContain("connection refused");
  const joined = await agent.put(`/v1/agent/join/127.0.0.1:${server.agent.ports.serf_lan}`);
  expect(joined.status).toBe(200);
  await eventually(
    async () => {
      const found = await server.agent.get("/v1/catalog/service/early");
      return found.json<unknown[]>().length === 1;
    },
    { what: "its service is in the catalog" },
  );
  await agent.stop();
});
