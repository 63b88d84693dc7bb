import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { agentArea } from "../../src/api/agent.ts";
import { createApi } from "../../src/api/index.ts";
import type { LocalAgentState } from "../../src/core/agent/local-state.ts";
import { newState, testNode } from "../core/agent/support.ts";
import { MemoryCluster } from "../support/memory-cluster.ts";
import { MemoryAgent } from "./memory-agent.ts";

let agent: MemoryAgent;
let state: LocalAgentState;
let api: ReturnType<typeof createApi>;

beforeEach(() => {
  state = newState();
  agent = new MemoryAgent(state);
  api = createApi({
    cluster: new MemoryCluster(),
    nodeName: testNode.name,
    areas: [agentArea(agent)],
    random: () => 0,
    uuid: randomUUID,
    onError: (error) => {
      throw error;
    },
  });
});

const base = "http://127.0.0.1:8500/v1/agent";

async function call(line: string, body?: object | string, headers = {}): Promise<Response> {
  const [method = "GET", path = ""] = line.split(" ");
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  return api.request(base + path, { method, headers, ...(text !== undefined && { body: text }) });
}

/** `status text`, and the content type when it is not that of plain errors. */
async function answer(line: string, body?: object | string, headers = {}): Promise<string> {
  const response = await call(line, body, headers);
  const type = response.headers.get("content-type");
  const shown =
    type === null ? "-" : type === "text/plain; charset=utf-8" ? "" : (type.split(";")[0] ?? "");
  return `${response.status} ${shown}${shown === "" ? "" : " "}${await response.text()}`;
}

/** Answers recorded from Consul 1.8.7. */
describe("services", () => {
  test("registering says nothing; what is shown has been filled in", async () => {
    const body = {
      Name: "web",
      ID: "web-1",
      Port: 80,
      Tags: ["t1"],
      Check: { TTL: "30s", Status: "passing" },
      Meta: { m: "1" },
    };
    expect(await answer("PUT /service/register", body)).toBe("200 - ");
    const shown =
      '{"ID":"web-1","Service":"web","Tags":["t1"],"Meta":{"m":"1"},"Port":80,"Address":"",' +
      '"Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false';
    expect(await answer("GET /services")).toBe(`200 application/json {"web-1":${shown}}}`);
    const single = await call("GET /service/web-1");
    const hash = single.headers.get("x-consul-contenthash");
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(await single.text()).toBe(`${shown},"ContentHash":"${hash}"}`);
    expect(await answer("GET /checks")).toBe(
      '200 application/json {"service:web-1":{"Node":"host1","CheckID":"service:web-1",' +
        '"Name":"Service \'web\' check","Status":"passing","Notes":"","Output":"",' +
        '"ServiceID":"web-1","ServiceName":"web","ServiceTags":["t1"],"Type":"ttl",' +
        '"Definition":{},"CreateIndex":0,"ModifyIndex":0}}',
    );
  });

  test("a sidecar is shown with its proxy, a native service with Connect", async () => {
    await call("PUT /service/register", {
      Name: "api",
      Port: 9000,
      Connect: { SidecarService: {} },
    });
    const hashless = (text: string): string => text.replace(/"ContentHash":"\w+",/, "");
    expect(hashless(await answer("GET /service/api-sidecar-proxy"))).toBe(
      '200 application/json {"Kind":"connect-proxy","ID":"api-sidecar-proxy",' +
        '"Service":"api-sidecar-proxy","Tags":[],"Meta":{},"Port":21000,"Address":"",' +
        '"Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,' +
        '"Proxy":{"DestinationServiceName":"api","DestinationServiceID":"api",' +
        '"LocalServiceAddress":"127.0.0.1","LocalServicePort":9000,"MeshGateway":{},"Expose":{}}}',
    );
    await call("PUT /service/register", { Name: "n", Connect: { Native: true } });
    expect(await answer("GET /service/n")).toContain('"Connect":{"Native":true}}');
  });

  test.each<[string, object | string | undefined, string]>([
    ["PUT /service/register", "", "400 Request decode failed: EOF"],
    ["PUT /service/register", {}, "400 Missing service name"],
    [
      "PUT /service/register",
      { Name: "s", Check: { Args: ["true"], Interval: "1s" } },
      "500 Scripts are disabled on this agent from remote calls; " +
        "to enable, configure 'enable_script_checks' to true",
    ],
    ["GET /service/zzz", undefined, "404 unknown service ID: zzz"],
    ["GET /service/zzz?wait=5", undefined, "400 Invalid wait time"],
    ["PUT /service/deregister/zzz", undefined, "200 - "],
    ["PUT /service/deregister/", undefined, "500 ServiceID missing"],
    ["GET /services", undefined, "200 application/json {}"],
    [
      "GET /services?ns=x",
      undefined,
      '400 Bad request: Invalid query parameter: "ns" - ' +
        "Namespaces are a Consul Enterprise feature",
    ],
    [
      "GET /services?filter=bogus%20==%20x",
      undefined,
      '500 Failed to create boolean expression evaluator: Selector "bogus" is not valid',
    ],
    ["GET /checks?filter=Nope==1", undefined, '500 Selector "Nope" is not valid'],
    ["POST /service/register", "{}", "405 method POST not allowed"],
  ])("%s %j", async (line, body, expected) => {
    expect(await answer(line, body)).toBe(expected);
  });

  test("filters choose services and checks", async () => {
    for (const [name, port] of [
      ["a", 1],
      ["b", 2],
    ]) {
      await call("PUT /service/register", { Name: name, Port: port, Check: { TTL: "9s" } });
    }
    const keys = async (line: string): Promise<string[]> =>
      Object.keys((await (await call(line)).json()) as object);
    expect(await keys("GET /services?filter=Port%20==%202")).toEqual(["b"]);
    expect(await keys("GET /checks?filter=ServiceID==a")).toEqual(["service:a"]);
  });

  test("a hash asks to wait, ten minutes at most", async () => {
    await call("PUT /service/register", { Name: "w" });
    await call("GET /service/w");
    expect(agent.calls).toEqual([]);
    await call("GET /service/w?hash=abc&wait=2s");
    await call("GET /service/w?hash=abc&wait=20m");
    await call("GET /service/w?hash=abc");
    expect(agent.calls).toMatchObject([
      { hash: "abc", waitMs: 2_000 },
      { hash: "abc", waitMs: 600_000 },
      { hash: "abc", waitMs: 600_000 },
    ]);
  });

  test("replace-existing-checks is bare or true", async () => {
    const withCheck = { Name: "w", Check: { CheckID: "c", TTL: "9s" } };
    const has = async (query: string): Promise<boolean> => {
      await call("PUT /service/register", withCheck);
      await call(`PUT /service/register${query}`, { Name: "w" });
      return state.rows.checks.has("c");
    };
    expect(await has("?replace-existing-checks=zz")).toBe(true);
    expect(await has("?replace-existing-checks")).toBe(false);
    expect(await has("?replace-existing-checks=true")).toBe(false);
  });

  test("the token of the request stands in for one in the body", async () => {
    await call("PUT /service/register", { Name: "w" }, { "x-consul-token": "request" });
    await call("PUT /service/register", { Name: "v", Token: "own" }, { "x-consul-token": "r" });
    const token = (id: string): string | undefined => state.rows.services.get(id)?.token;
    expect([token("w"), token("v")]).toEqual(["request", "own"]);
  });
});

describe("checks", () => {
  test.each<[string, object | string | undefined, string]>([
    ["PUT /check/register", { Name: "mem", TTL: "15s" }, "200 - "],
    ["PUT /check/register", { TTL: "15s" }, "400 Missing check name"],
    [
      "PUT /check/register",
      { Name: "mem2", ServiceID: "zzz", TTL: "15s" },
      '500 ServiceID "zzz" does not exist',
    ],
    ["PUT /check/deregister/nochk", undefined, "200 - "],
    ["PUT /check/deregister/", undefined, "500 CheckID missing"],
    ["PUT /check/pass/nochk", undefined, '500 CheckID "nochk" does not have associated TTL'],
    ["PUT /check/update/x", { Status: "zap" }, "400 Invalid check status: 'zap'"],
    ["PUT /check/update/x", "", "400 Request decode failed: EOF"],
    [
      "PUT /check/update/x",
      { Status: 3 },
      "400 Request decode failed: json: cannot unmarshal number into " +
        "Go struct field checkUpdate.Status of type string",
    ],
    ["GET /check/pass/x", undefined, "405 method GET not allowed"],
  ])("%s %j", async (line, body, expected) => {
    expect(await answer(line, body)).toBe(expected);
  });

  test("pass, warn, fail and update set status and output", async () => {
    await call("PUT /check/register", { Name: "c", TTL: "1h" });
    const shown = (): unknown => {
      const check = state.rows.checks.get("c")?.check;
      return [check?.Status, check?.Output];
    };
    await call("PUT /check/pass/c?note=good");
    expect(shown()).toEqual(["passing", "good"]);
    await call("PUT /check/warn/c");
    expect(shown()).toEqual(["warning", ""]);
    await call("PUT /check/fail/c?note=bad");
    expect(shown()).toEqual(["critical", "bad"]);
    await call("PUT /check/update/c", { Status: "passing", Output: "fine" });
    expect(shown()).toEqual(["passing", "fine"]);
  });
});

describe("health", () => {
  const check = { TTL: "1h", Status: "passing" };

  test("of a service is told by status, header and body", async () => {
    await call("PUT /service/register", { Name: "w", ID: "w1", Check: check });
    await call("PUT /service/register", { Name: "w", ID: "w2", Check: check });
    const good = await call("GET /health/service/id/w1");
    expect([good.status, good.headers.get("x-consul-reason")]).toEqual([200, "passing"]);
    const body = (await good.json()) as { Checks: { ServiceTags: unknown; Definition: object }[] };
    expect(body).toMatchObject({ AggregatedStatus: "passing", Service: { ID: "w1" } });
    expect(body.Checks[0]).toMatchObject({
      ServiceTags: null,
      Type: "",
      Definition: { Interval: "0s", Header: null },
    });
    await call("PUT /check/warn/service:w2");
    expect((await call("GET /health/service/name/w")).status).toBe(429);
    expect(await answer("GET /health/service/name/w?format=text")).toBe("429 text/plain warning");
    await call("PUT /check/fail/service:w2");
    expect((await call("GET /health/service/id/w2")).status).toBe(503);
    await call("PUT /service/maintenance/w1?enable=true");
    expect(await answer("GET /health/service/id/w1", undefined, { accept: "text/plain" })).toBe(
      "503 text/plain maintenance",
    );
  });

  test.each([
    [
      "GET /health/service/id/zzz",
      '404 application/json {"AggregatedStatus":"critical","Service":null,"Checks":null}',
    ],
    ["GET /health/service/id/zzz?format=text", '404 application/json "ServiceId zzz not found"'],
    ["GET /health/service/name/zzz", "404 application/json []"],
    ["GET /health/service/name/zzz?format=text", "404 text/plain ServiceName zzz Not Found"],
    ["GET /health/service/id/", "500 Bad request: Missing serviceID"],
    ["GET /health/service/name/", "500 Bad request: Missing service Name"],
  ])("%s", async (line, expected) => {
    expect(await answer(line)).toBe(expected);
  });
});

describe("maintenance", () => {
  test.each([
    ["PUT /maintenance", "400 Missing value for enable"],
    ["PUT /maintenance?enable=x", '400 Invalid value for enable: "x"'],
    ["PUT /maintenance?enable=", '400 Invalid value for enable: ""'],
    ["PUT /maintenance?enable=TRUE&reason=why", "200 - "],
    ["PUT /maintenance?enable=0", "200 - "],
    ["PUT /service/maintenance/?enable=true", "400 Missing service ID"],
    ["PUT /service/maintenance/zzz", "400 Missing value for enable"],
    ["PUT /service/maintenance/zzz?enable=true", '404 No service registered with ID "zzz"'],
  ])("%s", async (line, expected) => {
    expect(await answer(line)).toBe(expected);
  });
});

describe("the agent itself", () => {
  test("writes structs in Consul's order", async () => {
    const text = await (await call("GET /self")).text();
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      "Config",
      "DebugConfig",
      "Coord",
      "Member",
      "Stats",
      "Meta",
    ]);
    for (const query of ["", "?segment=_all&wan=1", "?segment=_all"]) {
      expect(await answer(`GET /members${query}`)).toMatch(/^200 /);
    }
    expect(await answer("GET /members")).toContain('[{"Name":"host1","Addr":"10.0.0.1",');
    expect(await answer("GET /version")).toBe(
      '200 application/json {"SHA":"","BuildDate":"0001-01-01T00:00:00Z","HumanVersion":"1.8.7","FIPS":""}',
    );
    expect(await answer("GET /host")).toBe('200 application/json {"Memory":{}}');
  });

  test.each([
    ["GET /members?wan=1&segment=x", "400 Cannot provide a segment with wan=true"],
    ["GET /members?segment=x", "500 Network segments are not supported in this version of Consul"],
    ["GET /monitor?loglevel=zap", "400 Bad request: Unknown log level: zap"],
    [
      "GET /metrics?format=prometheus",
      "415 Prometheus is not enabled since its retention time is not positive",
    ],
    ["PUT /token/default", "401 ACL support disabled"],
    ["PUT /token/zap", "401 ACL support disabled"],
    ["PUT /leave", "200 - "],
    ["PUT /reload", "200 - "],
    ["PUT /join/10.0.0.9?wan=1", "200 - "],
    ["PUT /force-leave/n?prune", "200 - "],
  ])("%s", async (line, expected) => {
    expect(await answer(line)).toBe(expected);
  });

  test("passes on what it was asked", async () => {
    await call("PUT /join/10.0.0.9?wan=1");
    await call("PUT /join/10.0.0.9");
    await call("PUT /force-leave/n?prune");
    await call("PUT /force-leave/n");
    expect(agent.calls).toEqual([
      { address: "10.0.0.9", wan: true },
      { address: "10.0.0.9", wan: false },
      { node: "n", prune: true },
      { node: "n", prune: false },
    ]);
  });

  test("streams its log line by line", async () => {
    agent.lines = ["one", "two"];
    const response = await call("GET /monitor?loglevel=DEBUG&logjson");
    expect(response.headers.get("content-type")).toBe(null);
    expect(await response.text()).toBe("one\ntwo\n");
    expect(agent.calls).toEqual([{ level: "debug", json: true }]);
  });

  test("gives metrics in Prometheus' form when that is on", async () => {
    agent.prometheus = "# HELP x x\n";
    const response = await call("GET /metrics", undefined, {
      accept: "text/plain;version=0.4.0",
    });
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  });
});
