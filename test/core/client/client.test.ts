// The typed client over the API in this process, without a socket; what must not compile is said by @ts-expect-error.

import { readdirSync, readFileSync } from "node:fs";
import { beforeEach, expect, expectTypeOf, test } from "vitest";

import { agentArea } from "../../../src/api/agent.ts";
import { createApi } from "../../../src/api/index.ts";
import { createClient } from "../../../src/client/index.ts";
import type { ConsulClient } from "../../../src/client/index.ts";
import { MemoryAgent } from "../../agent/memory-agent.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";
import { newState, testNode } from "../agent/support.ts";
import * as examples from "./examples.ts";

let client: ConsulClient;
let requests: Request[];

beforeEach(() => {
  const agent = new MemoryAgent(newState());
  agent.lines = ["one", "two"];
  const api = createApi({
    cluster: new MemoryCluster(),
    nodeName: testNode.name,
    areas: [agentArea(agent)],
    random: () => 0,
    uuid: () => crypto.randomUUID(),
    onError: (error) => {
      throw error;
    },
  });
  requests = [];
  client = examples.connect(async (request) => {
    requests.push(request);
    return await api.fetch(request);
  });
});

test("the examples of docs/client.md", async () => {
  expect(await examples.readAndWrite(client)).toEqual(["Ymx1ZQ==", "blue", "app/color"]);
  expect(await examples.register(client)).toEqual(["10.0.0.1:80"]);
  expect(await examples.refused(client)).toContain("index is stale");
  const following = examples.follow(client, new AbortController().signal);
  await expect.poll(() => requests.some(({ url }) => /index=[1-9]/.test(url))).toBe(true);
  await client.put("/v1/kv/{key}", { path: { key: "app/size" }, body: "9" });
  expect(await following).toEqual(["app/color", "app/color app/size"]);
});

test("docs/client.md shows what examples.ts does", () => {
  const flat = (text: string): string => text.replace(/^ +/gm, "");
  const code = flat(readFileSync("test/core/client/examples.ts", "utf8"));
  const blocks = readFileSync("docs/client.md", "utf8").matchAll(/```ts\n(.*?)```/gs);
  const shown = [...blocks].map(([, block = ""]) => flat(block));
  expect(shown.length).toBeGreaterThan(4);
  expect(shown.filter((block) => !code.includes(block))).toEqual([]);
});

test("a refusal is a value", async () => {
  const answer = await client.get("/v1/kv/{key}", { path: { key: "" } });
  expect(answer).toMatchObject({ ok: false, status: 400, text: "Missing key name" });
  const missing = await client.get("/v1/kv/{key}", { path: { key: "none" } });
  expect(missing).toMatchObject({ ok: false, status: 404, text: "", body: undefined });
});

test("where nothing answers, and after a deadline, it rejects", async () => {
  const failing = createClient({
    baseUrl: "http://x",
    fetch: () => Promise.reject(new TypeError("failed")),
  });
  await expect(failing.get("/v1/status/leader")).rejects.toThrow("failed");
  const waiting = createClient({
    baseUrl: "http://x",
    fetch: ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      }),
  });
  const signal = AbortSignal.timeout(1);
  await expect(waiting.get("/v1/status/leader", { signal })).rejects.toThrow("timeout");
});

test("tokens, datacenters and names are sent as they should be", async () => {
  await client.get("/v1/health/service/{service}", {
    path: { service: "a/b?c" },
    query: { tag: ["x", "y"], stale: true, dc: "dc2" },
    token: "secret",
  });
  const [sent] = requests;
  const { pathname, search } = new URL(sent?.url ?? "");
  expect([pathname, search]).toEqual([
    "/v1/health/service/a%2Fb%3Fc",
    "?tag=x&tag=y&stale=true&dc=dc2",
  ]);
  expect(sent?.headers.get("X-Consul-Token")).toBe("secret");
  await expect(client.delete("/v1/kv/{key}", { path: { key: ".." } })).rejects.toThrow("..");
});

test("a watch ends with a refusal, and with its signal", async () => {
  const statuses: number[] = [];
  for await (const { status } of client.watch("/v1/kv/{key}", { path: { key: "" } })) {
    statuses.push(status);
  }
  expect(statuses).toEqual([400]);
  const stop = new AbortController();
  for await (const answer of client.watch("/v1/catalog/nodes", { signal: stop.signal })) {
    expect(answer.ok).toBe(true);
    stop.abort();
  }
});

test("a watch begins anew where the index went back", async () => {
  const indexes = ["7", "3", "9"];
  const asked: (string | null)[] = [];
  const restarted = createClient({
    baseUrl: "http://x",
    fetch: ({ url }) => {
      asked.push(new URL(url).searchParams.get("index"));
      const headers = { "X-Consul-Index": indexes[asked.length - 1] ?? "9" };
      return Promise.resolve(Response.json([], { headers }));
    },
  });
  for await (const _ of restarted.watch("/v1/catalog/nodes")) if (asked.length === 3) break;
  expect(asked).toEqual(["0", "7", "0"]);
});

test("a stream is read as it comes", async () => {
  const stream = await client.stream("/v1/agent/monitor", { query: { loglevel: "info" } });
  if (!(stream instanceof ReadableStream)) throw new Error(stream.text);
  expect(await new Response(stream).text()).toBe("one\ntwo\n");
});

test("types are those of the schemas", async () => {
  const leader = await client.get("/v1/status/leader");
  if (leader.ok) expectTypeOf(leader.body).toEqualTypeOf<string>();
  const entries = await client.get("/v1/kv/{key}", { path: { key: "a" } });
  if (entries.ok) {
    expectTypeOf(entries.body[0]).toExtend<{ Key: string; Flags: number } | undefined>();
    expectTypeOf(entries.body[0]?.Session).toEqualTypeOf<string | undefined>();
  }
  const entry = await client.get("/v1/config/{kind}/{name}", { path: { kind: "a", name: "b" } });
  if (entry.ok && entry.body.Kind === "service-defaults") {
    expectTypeOf(entry.body.Protocol).toEqualTypeOf<string>();
  }
  const never = (): unknown => [
    // @ts-expect-error there is no such path
    client.get("/v1/kv"),
    // @ts-expect-error nobody deletes it
    client.delete("/v1/status/leader"),
    // @ts-expect-error the key is missing
    client.get("/v1/kv/{key}"),
    // @ts-expect-error misspelled
    client.get("/v1/kv/{key}", { path: { key: "a" }, query: { recurs: true } }),
    // @ts-expect-error a port is a number
    client.put("/v1/catalog/register", { body: { Service: { Port: "80" } } }),
    // @ts-expect-error a member that there is not
    client.put("/v1/catalog/register", { body: { Servce: {} } }),
    // @ts-expect-error nothing to wait for
    client.watch("/v1/status/leader"),
    // @ts-expect-error it never ends
    client.get("/v1/agent/monitor"),
  ];
  expect(never).toBeTypeOf("function");
});

test("of the API it imports types only", () => {
  const imports = readdirSync("src/client").flatMap((file) =>
    readFileSync(`src/client/${file}`, "utf8").split(/(?=^import )/m),
  );
  const ofApi = imports.filter((text) => /^import .*?from "\.\.\/api\//s.test(text));
  expect(ofApi.length).toBeGreaterThan(0);
  expect(ofApi.filter((text) => !text.startsWith("import type "))).toEqual([]);
});
