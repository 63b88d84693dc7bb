// A datacenter whose servers and agents speak TLS only: three servers and a client agent, strangers of several kinds,
// and an authority that is replaced while clients write.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { type AgentPorts, agentPorts } from "../support/free-ports.ts";
import { mainFile, Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { run } from "../support/programs.ts";

let folder: string;
let ports: AgentPorts;
let servers: Proconsul[];
let client: Proconsul;
const hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];

async function tls(...args: string[]): Promise<void> {
  const result = await run(process.execPath, [mainFile, "tls", ...args], { cwd: folder });
  expect(result).toMatchObject({ code: 0, stderr: "" });
}

const read = (name: string): string => readFileSync(join(folder, name), "utf8");

/** What one agent reads; it is replaced file by file. */
function give(agent: string, files: { ca: string; certificate: string }): void {
  writeFileSync(join(folder, `${agent}-ca.pem`), files.ca);
  writeFileSync(join(folder, `${agent}.pem`), read(`${files.certificate}.pem`));
  writeFileSync(join(folder, `${agent}-key.pem`), read(`${files.certificate}-key.pem`));
}

function configOf(agent: string): Record<string, unknown> {
  return {
    node_name: agent,
    data_dir: join(temporaryDirectory(), "data"),
    ca_file: join(folder, `${agent}-ca.pem`),
    cert_file: join(folder, `${agent}.pem`),
    key_file: join(folder, `${agent}-key.pem`),
    ...{ verify_incoming: true, verify_outgoing: true, verify_server_hostname: true },
    retry_join: hosts.map((host) => `${host}:${ports.serf_lan}`),
    retry_interval: "1s",
  };
}

async function spawn(
  agent: string,
  address: string,
  config: Record<string, unknown> = {},
): Promise<Proconsul> {
  const addresses = { bind_addr: address, client_addr: address };
  return await Proconsul.spawn({
    ...{ address, ports, args: ["-runtime", "node"] },
    config: { ...configOf(agent), ...addresses, ...config },
  });
}

beforeAll(async () => {
  folder = temporaryDirectory();
  ports = await agentPorts();
  for (const [domain, ...authority] of [
    ["consul"],
    ["new", "-ca", "new-agent-ca.pem", "-key", "new-agent-ca-key.pem"],
  ] as const) {
    await tls("ca", "create", "-domain", domain);
    await tls("cert", "create", "-server", ...authority);
    await tls("cert", "create", "-client", ...authority);
  }
  const ca = read("consul-agent-ca.pem");
  for (const n of [0, 1, 2]) give(`server-${n}`, { ca, certificate: "dc1-server-consul-0" });
  give("client", { ca, certificate: "dc1-client-consul-0" });
  const founding = { server: true, bootstrap_expect: 3 };
  servers = await Promise.all(hosts.map((host, n) => spawn(`server-${n}`, host, founding)));
  client = await spawn("client", "127.0.0.4");
  await Promise.all([...servers, client].map((agent) => agent.led(30_000)));
});
afterAll(stopAll);

async function peers(): Promise<number> {
  const answer = await client.get("/v1/operator/raft/configuration");
  return answer.json<{ Servers: unknown[] }>().Servers.length;
}

test("it works as one in clear text does, and says what it verifies", async () => {
  expect(await peers()).toBe(3);
  expect((await client.put("/v1/kv/a", "1")).text).toMatch(/true/);
  expect((await servers[2]?.get("/v1/kv/a?raw"))?.text).toBe("1");
  const self = (await client.get("/v1/agent/self")).json<{ DebugConfig: object }>();
  expect(self.DebugConfig).toMatchObject({
    ...{ VerifyIncoming: true, VerifyOutgoing: true, VerifyServerHostname: true },
    ...{ TLSMinVersion: "tls12", KeyFile: "hidden" },
  });
  for (const agent of [...servers, client]) {
    expect(agent.output).not.toMatch(/refused a (TLS connection|peer)/);
  }
});

describe("strangers", () => {
  const outcast = async (agent: Proconsul, said: string): Promise<void> => {
    await eventually(() => agent.output.includes(said), { what: said, limitMs: 15_000 });
    const members = (await client.get("/v1/catalog/nodes")).text;
    expect(members).not.toContain("stranger");
    await agent.stop();
  };

  test("a client in clear text stays outside", async () => {
    give("stranger", { ca: read("consul-agent-ca.pem"), certificate: "dc1-client-consul-0" });
    const plain = {
      ...{ verify_incoming: false, verify_outgoing: false, verify_server_hostname: false },
      ...{ ca_file: "", cert_file: "", key_file: "" },
    };
    const agent = await spawn("stranger", "127.0.0.5", plain);
    await outcast(agent, "Join cluster failed, will retry");
    const reason = "it does not speak TLS, which verify_incoming demands";
    expect(servers.map(({ output }) => output.includes(reason))).toContain(true);
  });

  test("a client of another authority stays outside, and does not believe these servers", async () => {
    give("stranger", { ca: read("new-agent-ca.pem"), certificate: "dc1-client-consul-1" });
    const agent = await spawn("stranger", "127.0.0.5");
    await outcast(agent, "self-signed certificate in certificate chain");
  });

  test("a server with a client's certificate becomes none", async () => {
    give("stranger", { ca: read("consul-agent-ca.pem"), certificate: "dc1-client-consul-0" });
    const agent = await spawn("stranger", "127.0.0.5", { server: true });
    const reason = "no certificate for server.dc1.consul was shown";
    await eventually(() => servers.some(({ output }) => output.includes(reason)), {
      ...{ what: reason, limitMs: 15_000 },
    });
    expect(await peers()).toBe(3);
    await agent.stop();
  });
});

test("another datacenter joins over the WAN, and each is asked through the other", async () => {
  await tls("cert", "create", "-server", "-dc", "dc2");
  give("abroad", { ca: read("consul-agent-ca.pem"), certificate: "dc2-server-consul-0" });
  const founding = { server: true, bootstrap: true, datacenter: "dc2", retry_join: [] };
  const abroad = await spawn("abroad", "127.0.0.6", founding);
  await abroad.led();
  const joined = await servers[0]?.put(`/v1/agent/join/127.0.0.6:${ports.serf_wan}?wan=1`);
  expect([joined?.status, joined?.text]).toEqual([200, ""]);
  const put = async (): Promise<string> => (await client.put("/v1/kv/far?dc=dc2", "1")).text;
  await eventually(async () => (await put()).includes("true"), { what: "dc2 is asked from dc1" });
  expect((await abroad.get("/v1/kv/far?raw")).text).toBe("1");
  const back = async (): Promise<string> => (await abroad.get("/v1/kv/a?raw&dc=dc1")).text;
  await eventually(async () => (await back()) === "1", { what: "dc1 is asked from dc2" });
  await abroad.stop();
});

test("agents speak TLS to servers that a Worker runs", async () => {
  give("worker", { ca: read("consul-agent-ca.pem"), certificate: "dc1-server-consul-0" });
  const config = {
    ...configOf("worker"),
    ...{ server: true, bootstrap: true, bind_addr: "127.0.0.7", client_addr: "127.0.0.7" },
    ...{ verify_outgoing: false, verify_server_hostname: false, retry_join: [] },
  };
  const server = await Proconsul.start({
    ...{ address: "127.0.0.7", ports, args: ["-runtime", "workerd"] },
    config,
  });
  const joined = { retry_join: [`127.0.0.7:${ports.serf_lan}`] };
  give("apart", { ca: read("consul-agent-ca.pem"), certificate: "dc1-client-consul-0" });
  const agent = await spawn("apart", "127.0.0.8", joined);
  await agent.led();
  expect((await agent.put("/v1/kv/a", "1")).text).toMatch(/true/);
  await agent.stop();
  await server.stop();
});

test("the authority is replaced while clients write, and no write fails", async () => {
  const agents = [...servers, client];
  const names = ["server-0", "server-1", "server-2", "client"];
  const [old, next] = [read("consul-agent-ca.pem"), read("new-agent-ca.pem")];
  const under = { going: true };
  let written = 0;
  const load = Array.from({ length: 4 }, async (_, writer) => {
    while (under.going) {
      const answer = await client.put(`/v1/kv/rotation/${writer}`, `${written}`);
      expect(answer.status, answer.text).toBe(200);
      written++;
    }
  });
  for (const [ca, isNew] of [
    [old + next, false],
    [old + next, true],
    [next, true],
  ] as const) {
    for (const [at, agent] of agents.entries()) {
      const name = names[at] ?? "";
      const role = name === "client" ? "client" : "server";
      give(name, { ca, certificate: `dc1-${role}-consul-${isNew ? 1 : 0}` });
      const before = agent.output.split("Reloaded configuration").length;
      agent.signal("SIGHUP");
      const done = () => agent.output.split("Reloaded configuration").length > before;
      await eventually(done, { what: `${name} has read its files again` });
    }
    const before = written;
    await eventually(() => written > before + 20, { what: "clients went on" });
  }
  under.going = false;
  await Promise.all(load);
  // Whoever comes anew is of the new authority, and so are those it meets.
  await client.stop();
  client = await spawn("client", "127.0.0.4");
  await client.led();
  const restarted = servers[1];
  await restarted?.stop();
  const founding = { server: true, bootstrap_expect: 3 };
  servers[1] = await spawn("server-1", "127.0.0.2", founding);
  await servers[1].led();
});

test("servers that a Worker runs cannot show certificates, and say so", async () => {
  const agent = await Proconsul.spawn({
    args: ["-dev", "-runtime", "workerd"],
    config: { ...configOf("server-0"), bind_addr: "127.0.0.6" },
  });
  expect((await agent.exited).code).toBe(1);
  expect(agent.output).toContain("verify_outgoing needs -runtime node");
});
