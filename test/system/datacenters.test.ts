// Two datacenters of servers of one's own, three each, joined over the WAN as Consul's are: by one command at one
// server. Then everything of the other one is within reach, until it is gone.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts, type AgentPorts } from "../support/free-ports.ts";
import { machineOptions } from "../support/machines.ts";
import {
  type Ask,
  Proconsul,
  request,
  type StartOptions,
  stopAll,
  temporaryDirectory,
} from "../support/proconsul.ts";

const run = promisify(execFile);
const main = join(import.meta.dirname, "../../src/cli/main.ts");

/** What `proconsul ARGUMENTS` prints. */
async function proconsul(agent: Proconsul, ...args: string[]): Promise<string> {
  const env = { ...process.env, CONSUL_HTTP_ADDR: agent.url };
  const { stdout } = await run(process.execPath, [main, ...args], { env });
  return stdout;
}

function options(dc: string, n: number, all: readonly AgentPorts[]): StartOptions {
  const { config } = machineOptions(n, all[n] as AgentPorts, all);
  return {
    ports: all[n] as AgentPorts,
    config: { ...config, datacenter: dc, node_name: `${dc}-${n}` },
  };
}

/** Three machines of a datacenter. */
async function machines(dc: string): Promise<StartOptions[]> {
  const all = await Promise.all([agentPorts(), agentPorts(), agentPorts()]);
  return all.map((_, n) => options(dc, n, all));
}

async function started(wanted: readonly StartOptions[]): Promise<Proconsul[]> {
  const agents = await Promise.all(wanted.map((one) => Proconsul.spawn(one)));
  await Promise.all(agents.map((agent) => agent.led()));
  return agents;
}

function wanAddress({ ports }: Proconsul): string {
  return `127.0.0.1:${ports.serf_wan}`;
}

let here: Proconsul[] = [];
let there: Proconsul[] = [];
let machinesThere: StartOptions[] = [];

beforeAll(async () => {
  machinesThere = await machines("dc2");
  [here, there] = await Promise.all([started(await machines("dc1")), started(machinesThere)]);
}, 60_000);

afterAll(stopAll);

function at(agents: readonly Proconsul[], n: number): Proconsul {
  return agents[n] as Proconsul;
}

/** Name and status of each member of the WAN. */
async function wanMembers(agent: Proconsul): Promise<Record<string, string>> {
  const listed = await proconsul(agent, "members", "-wan");
  const rows = listed.trim().split("\n").slice(1);
  return Object.fromEntries(
    rows.map((row) => row.split(/\s+/)).map(([name, , status]) => [name, status]),
  );
}

const everybody = ["dc1-0.dc1", "dc1-1.dc1", "dc1-2.dc1", "dc2-0.dc2", "dc2-1.dc2", "dc2-2.dc2"];

describe("two datacenters", () => {
  test("know nothing of each other before they are joined", async () => {
    expect((await at(here, 0).get("/v1/catalog/datacenters")).json()).toEqual(["dc1"]);
    const asked = await at(here, 0).get("/v1/kv/a?dc=dc2");
    expect([asked.status, asked.text]).toEqual([500, "No path to datacenter"]);
  });

  test("are joined by one command at one server", async () => {
    const joined = await proconsul(at(here, 1), "join", "-wan", wanAddress(at(there, 2)));
    expect(joined).toBe("Successfully joined cluster by contacting 1 nodes.\n");
    for (const agent of [...here, ...there]) {
      await eventually(
        async () => (await agent.get("/v1/catalog/datacenters")).json<string[]>().length === 2,
        { what: "every server knows both datacenters" },
      );
    }
    const members = await wanMembers(at(there, 0));
    expect(Object.keys(members)).toEqual(everybody);
    expect(new Set(Object.values(members))).toEqual(new Set(["alive"]));
  });

  test("read and write each other's state, from every server", async () => {
    for (const [n, agent] of here.entries()) {
      expect((await agent.put(`/v1/kv/from/${n}?dc=dc2`, `dc1-${n}`)).text).toBe("true");
      expect((await agent.get("/v1/catalog/nodes?dc=dc2")).json<unknown[]>()).toHaveLength(3);
    }
    expect((await at(there, 1).get("/v1/kv/from/2?raw")).text).toBe("dc1-2");
    expect((await at(here, 0).get("/v1/kv/from/2")).status).toBe(404);
    const service = { Name: "web", Port: 80, Address: "10.7.7.7" };
    await at(there, 0).put("/v1/agent/service/register", service);
    await eventually(
      async () =>
        (await at(here, 2).get("/v1/health/service/web?dc=dc2")).json<unknown[]>().length === 1,
      { what: "the service is found from the other datacenter" },
    );
  });

  test("a blocking query waits in the other datacenter", async () => {
    const first = await at(here, 0).get("/v1/kv/from/0?dc=dc2");
    const index = first.headers.get("x-consul-index") ?? "";
    const waiting = at(here, 0).get(`/v1/kv/from/0?dc=dc2&wait=30s&raw&index=${index}`);
    await at(there, 0).put("/v1/kv/from/0", "changed there");
    expect((await waiting).text).toBe("changed there");
  });

  test("who is not reached, and who is no server, is told in Consul's words", async () => {
    const free = await agentPorts();
    const nobody = await at(here, 0).put(`/v1/agent/join/127.0.0.1:${free.serf_wan}?wan=1`);
    expect(nobody.text).toContain(`Failed to join 127.0.0.1: dial tcp 127.0.0.1:${free.serf_wan}`);
    const client = await Proconsul.start({
      config: {
        ...{ datacenter: "dc1", bind_addr: "127.0.0.1", node_name: "client" },
        data_dir: join(temporaryDirectory(), "data"),
        retry_join: [`127.0.0.1:${at(here, 0).ports.serf_lan}`],
      },
    });
    const refused = await client.put(`/v1/agent/join/${wanAddress(at(there, 0))}?wan=1`);
    expect(refused.text).toContain("Must be a server to join WAN cluster");
    expect((await client.get("/v1/kv/from/1?dc=dc2&raw")).text).toBe("dc1-1");
  });

  test("one that is gone has failed, and there is no path to it; a restart brings it back", async () => {
    await Promise.all(there.map(async (agent) => await agent.kill()));
    await eventually(
      async () => (await at(here, 0).get("/v1/kv/from/1?dc=dc2")).text === "No path to datacenter",
      { what: "nobody there can be asked" },
    );
    const members = await wanMembers(at(here, 0));
    expect(Object.keys(members)).toEqual(everybody);
    expect(everybody.map((name) => members[name])).toEqual([
      ...["alive", "alive", "alive", "failed", "failed", "failed"],
    ]);
    there = await started(machinesThere);
    // Nobody joined again: both still know.
    await eventually(
      async () => (await at(here, 0).get("/v1/kv/from/1?dc=dc2&raw")).text === "dc1-1",
      { what: "the datacenter can be asked again" },
    );
    expect((await at(there, 0).get("/v1/catalog/datacenters")).json()).toEqual(["dc2", "dc1"]);
  });
});

describe("a datacenter that copies another one", () => {
  const master = "6a2c3b9e-6a0f-4f8f-9a63-0c2a5d8b7f11";
  const [primary, secondary] = [agentPorts(), agentPorts()];
  const shared = { server: true, bootstrap: true, bind_addr: "127.0.0.1" };
  const acl = { enabled: true, default_policy: "deny" };
  const bearer = (token: string): Ask => ({ headers: { "X-Consul-Token": token } });

  test("has its policies and global tokens, and writes them there", async () => {
    const config = {
      ...{ ...shared, datacenter: "dc7", node_name: "primary" },
      ...{ data_dir: join(temporaryDirectory(), "data") },
      acl: { ...acl, tokens: { master } },
    };
    const seven = await Proconsul.spawn({ ports: await primary, config });
    await seven.led(15_000, master);
    const copying = {
      ...{ ...shared, datacenter: "dc8", node_name: "secondary", acl },
      ...{ data_dir: join(temporaryDirectory(), "data"), primary_datacenter: "dc7" },
      ...{ retry_join_wan: [wanAddress(seven)] },
    };
    const eight = await Proconsul.spawn({ ports: await secondary, config: copying });
    await eventually(
      async () => (await eight.get("/v1/acl/token/self", bearer(master))).status === 200,
      { what: "the primary's tokens count in the secondary" },
    );
    const policy = { Name: "reader", Rules: 'key_prefix "" { policy = "read" }' };
    const made = await eight.put("/v1/acl/policy", policy, bearer(master));
    expect([made.status, made.text]).toEqual([200, expect.stringContaining('"reader"')]);
    expect((await seven.get("/v1/acl/policy/name/reader", bearer(master))).status).toBe(200);
    const token = await seven.put(
      "/v1/acl/token",
      { Policies: [{ Name: "reader" }] },
      bearer(master),
    );
    const { SecretID, AccessorID } = token.json<Record<"SecretID" | "AccessorID", string>>();
    await eventually(
      async () => (await eight.get("/v1/kv/nothing", bearer(SecretID))).status === 404,
      { what: "a token that was made in the primary counts in the secondary" },
    );
    const status = (await eight.get("/v1/acl/replication")).json<Record<string, unknown>>();
    expect(status).toMatchObject({ Enabled: true, Running: true, SourceDatacenter: "dc7" });
    const path = `/v1/acl/token/${AccessorID}`;
    await request(seven.url + path, { method: "DELETE", ...bearer(master) });
    await eventually(
      async () => (await eight.get("/v1/kv/nothing", bearer(SecretID))).text === "ACL not found",
      { what: "a token that was revoked in the primary is revoked in the secondary" },
    );
  });
});
