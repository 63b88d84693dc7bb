// The calls that the acceptance tests of node-consul make, in the areas that exist, with the answers that they expect:
// what clients.test.ts does not ask already.

import { join } from "node:path";

import Consul from "consul";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

let agent: Proconsul;
let consul: Consul;

beforeAll(async () => {
  agent = await Proconsul.start({ args: ["-dev", "-node", "node1"] });
  consul = new Consul({ host: "127.0.0.1", port: agent.ports.http });
});
afterAll(stopAll);

type Row = Record<string, unknown>;

/** The same question with any options, whether the client's types know them or not. */
async function get(path: string): Promise<{ status: number; headers: Headers; json: unknown }> {
  const response = await fetch(`${agent.url}${path}`);
  const text = await response.text();
  const json: unknown = text === "" ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, json };
}

/** What the server said against it. */
async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "accepted";
  } catch (failure) {
    const { response } = failure as { response: { statusCode: number; body: unknown } };
    return `${response.statusCode} ${String(response.body)}`.trim();
  }
}

describe("agent", () => {
  test("self tells who and where it is", async () => {
    const self = (await consul.agent.self()) as unknown as Record<string, Row>;
    expect(Object.keys(self)).toEqual([
      "Config",
      "DebugConfig",
      "Coord",
      "Member",
      "Stats",
      "Meta",
    ]);
    expect(self.Config).toMatchObject({ Datacenter: "dc1", NodeName: "node1", Server: true });
    expect(self.Config?.NodeID).toMatch(/^[0-9a-f-]{36}$/);
    expect(self.DebugConfig).toMatchObject({
      DevMode: true,
      EnableDebug: false,
      NodeName: "node1",
    });
    expect(self.Member).toMatchObject({ Name: "node1", Addr: "127.0.0.1", Status: 1 });
    expect(self.Stats).toMatchObject({
      consul: { leader: "true", server: "true", leader_addr: `127.0.0.1:${agent.ports.server}` },
      raft: { state: "Leader", num_peers: "0", fsm_pending: "0" },
      serf_lan: { members: "1", failed: "0" },
      serf_wan: { members: "1" },
    });
    const raft = self.Stats?.raft as Row | undefined;
    expect(Number(raft?.applied_index)).toBeGreaterThan(0);
    expect(self.Meta).toEqual({ "consul-network-segment": "" });
  });

  test("members of either pool", async () => {
    const [lan] = (await consul.agent.members()) as unknown as Row[];
    expect(lan).toMatchObject({ Name: "node1", Port: agent.ports.serf_lan, ProtocolCur: 2 });
    const [wan] = (await consul.agent.members({ wan: true })) as unknown as Row[];
    expect(wan).toMatchObject({ Name: "node1.dc1", Port: agent.ports.serf_wan });
    expect((await get("/v1/agent/members?segment=_all&wan=1")).status).toBe(200);
  });

  test("maintenance puts a critical check on the node, and takes it away", async () => {
    await consul.agent.maintenance({ enable: true, reason: "emergency" });
    const checks = (await consul.agent.checks()) as unknown as Record<string, Row>;
    expect(checks["_node_maintenance"]).toMatchObject({
      ...{ Status: "critical", Notes: "emergency", Name: "Node Maintenance Mode" },
      ServiceName: "",
    });
    await consul.agent.maintenance(false as never);
    expect(Object.keys(await consul.agent.checks())).toEqual([]);
    await expect(consul.agent.maintenance({} as never)).rejects.toThrow("enable required");
  });

  test("join and force-leave", async () => {
    const other = await Proconsul.start({
      args: [
        ...["-data-dir", join(temporaryDirectory(), "data"), "-bind", "127.0.0.1"],
        ...["-node", "node2", "-retry-join", `127.0.0.1:${agent.ports.serf_lan}`],
      ],
    });
    const status = async (): Promise<unknown> => {
      const members = (await consul.agent.members()) as unknown as Row[];
      return members.find(({ Name }) => Name === "node2")?.Status;
    };
    await eventually(async () => (await status()) === 1, { what: "node2 is alive" });
    await consul.agent.join(`127.0.0.1:${agent.ports.serf_lan}`);
    expect(await refusal(consul.agent.join("127.0.0.1:1"))).toMatch(/connection refused/);
    await other.kill();
    await eventually(async () => (await status()) === 4, {
      what: "node2 has failed",
      limitMs: 30_000,
    });
    await consul.agent.forceLeave("node2");
    expect(await status()).toBeUndefined();
    expect(await refusal(consul.agent.forceLeave("nobody"))).toMatch(/No node found with name/);
  });

  test("a check: registered, listed, passed, warned, failed, deregistered", async () => {
    const name = "example";
    await consul.agent.check.register({ name, ttl: "60s", notes: "an example check" } as never);
    const listed = async (): Promise<Row> => {
      return ((await consul.agent.check.list()) as unknown as Record<string, Row>)[name] ?? {};
    };
    expect(await listed()).toMatchObject({
      ...{ Node: "node1", CheckID: name, Name: name, Status: "critical" },
      ...{ Notes: "an example check", Output: "", ServiceID: "", ServiceName: "", Type: "ttl" },
    });
    await consul.agent.check.pass(name);
    expect(await listed()).toMatchObject({ Status: "passing", Output: "" });
    await consul.agent.check.warn({ id: name, note: "hm" });
    expect(await listed()).toMatchObject({ Status: "warning", Output: "hm" });
    await consul.agent.check.fail({ id: name, note: "no" });
    expect(await listed()).toMatchObject({ Status: "critical", Output: "no" });
    await consul.agent.check.deregister(name);
    expect(await consul.agent.check.list()).toEqual({});
    expect(await refusal(consul.agent.check.pass(name))).toMatch(/does not have associated TTL/);
  });

  test("a service: registered, listed, in maintenance, deregistered", async () => {
    await consul.agent.service.register({ name: "service", tags: ["web"], port: 80 });
    expect(await consul.agent.service.list()).toMatchObject({
      service: { ID: "service", Service: "service", Tags: ["web"], Port: 80, Address: "" },
    });
    await consul.agent.service.maintenance({ id: "service", enable: true, reason: "upgrade" });
    expect(await consul.agent.checks()).toMatchObject({
      "_service_maintenance:service": {
        Status: "critical",
        ServiceName: "service",
        Notes: "upgrade",
      },
    });
    await consul.agent.service.maintenance({ id: "service", enable: false });
    expect(await consul.agent.checks()).toEqual({});
    await consul.agent.service.deregister("service");
    expect(await consul.agent.service.list()).toEqual({});
  });
});

describe("catalog and health", () => {
  beforeAll(async () => {
    const check = { name: "alive", ttl: "60s", status: "passing" };
    await consul.agent.service.register({ name: "db", tags: ["a", "b"], port: 1, check } as never);
  });
  afterAll(async () => {
    await consul.agent.service.deregister("db");
  });

  test("datacenters, nodes, services", async () => {
    expect(await consul.catalog.datacenters()).toEqual(["dc1"]);
    const nodes = (await consul.catalog.node.list()) as unknown as Row[];
    expect(nodes).toMatchObject([{ Node: "node1", Address: "127.0.0.1", Datacenter: "dc1" }]);
    const one = (await consul.catalog.node.services("node1")) as unknown as Record<string, Row>;
    expect(Object.keys(one.Services ?? {})).toEqual(["consul", "db"]);
    expect(await consul.catalog.service.list()).toEqual({ consul: [], db: ["a", "b"] });
    expect(await consul.catalog.service.nodes("db")).toMatchObject([
      {
        Node: "node1",
        ServiceID: "db",
        ServiceName: "db",
        ServiceTags: ["a", "b"],
        ServicePort: 1,
      },
    ]);
    expect(await consul.catalog.service.nodes({ service: "db", tag: "c" })).toEqual([]);
  });

  test("of a node, a service, a state", async () => {
    const ids = (rows: unknown): unknown[] => (rows as Row[]).map(({ CheckID }) => CheckID);
    expect(ids(await consul.health.node("node1"))).toEqual(["serfHealth", "service:db"]);
    expect(ids(await consul.health.checks("db"))).toEqual(["service:db"]);
    expect(ids(await consul.health.state("any"))).toEqual(["serfHealth", "service:db"]);
    expect(await consul.health.service({ service: "db", tag: "a", passing: true })).toMatchObject([
      { Node: { Node: "node1" }, Service: { ID: "db" }, Checks: [{}, {}] },
    ]);
  });
});

describe("query strings", () => {
  test.each([
    ["?stale", "stale"],
    ["?consistent", "consistent"],
    ["", "leader"],
  ])("consistency %s", async (query, effective) => {
    const { status, headers } = await get(`/v1/catalog/nodes${query}`);
    expect(status).toBe(200);
    expect(headers.get("x-consul-effective-consistency")).toBe(effective);
    expect(headers.get("x-consul-knownleader")).toBe("true");
    expect(Number(headers.get("x-consul-lastcontact"))).toBeGreaterThanOrEqual(0);
    expect(Number(headers.get("x-consul-index"))).toBeGreaterThan(0);
  });

  test("dc: our own, and one that is not there", async () => {
    expect((await get("/v1/catalog/nodes?dc=dc1")).status).toBe(200);
    expect(await refusal(consul.catalog.node.list("dc2"))).toBe("500 No path to datacenter");
  });

  test("a wait that is over answers with the value and the index of now", async () => {
    await consul.kv.set("short", "1");
    const { headers, json } = await get("/v1/kv/short");
    const index = Number(headers.get("x-consul-index"));
    for (const above of [index, index + 1_000_000]) {
      const answers = Array.from({ length: 20 }, () => get(`/v1/kv/short?index=${above}&wait=1ms`));
      for (const answer of await Promise.all(answers)) {
        expect(answer.status).toBe(200);
        expect(answer.json).toEqual(json);
        expect(Number(answer.headers.get("x-consul-index"))).toBe(index);
      }
    }
  });
});

describe("watch", () => {
  test("emits what is there, each change, and nothing when a wait ends without one", async () => {
    const seen: unknown[] = [];
    const watch = consul.watch({
      method: consul.kv.get,
      options: { key: "long/polled", wait: "1s" },
    });
    watch.on("change", (data: unknown) => seen.push((data as Row | undefined)?.Value));
    watch.on("error", (failure: unknown) => seen.push(failure));
    await eventually(() => seen.length === 1, { what: "the first answer is seen" });
    const moment = watch.updateTime();
    await eventually(() => (watch.updateTime() ?? 0) > (moment ?? 0), {
      what: "a wait has ended without a change",
    });
    expect(seen).toEqual([undefined]);
    for (const value of ["1", "2"]) {
      await consul.kv.set("long/polled", value);
      await eventually(() => seen.at(-1) === value, { what: `${value} is seen` });
    }
    await consul.kv.del("long/polled");
    await eventually(() => seen.at(-1) === undefined, { what: "its end is seen" });
    expect(seen).toEqual([undefined, "1", "2", undefined]);
    watch.end();
    expect(watch.isRunning()).toBe(false);
  });

  test("tells of what fails, and goes on", async () => {
    const errors: unknown[] = [];
    const watch = consul.watch({
      method: consul.catalog.node.list as never,
      options: { dc: "dc2" },
      backoffFactor: 1,
    });
    watch.on("error", (failure: unknown) => errors.push(failure));
    await eventually(() => errors.length >= 2, { what: "two attempts have failed" });
    expect(String(errors[0])).toContain("No path to datacenter");
    watch.end();
  });
});
