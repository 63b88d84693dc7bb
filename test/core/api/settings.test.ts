// What an agent's configuration says of requests, and that a body is read no further than it may be long.

import { expect, test } from "vitest";

import type { ApiSettings } from "../../../src/api/index.ts";
import { createApi } from "../../../src/api/index.ts";
import { ApiClient } from "../../support/api-client.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";

const client = (settings: ApiSettings): ApiClient => new ApiClient({ settings });

test("limits.kv_max_value_size, below and above Consul's default", async () => {
  const small = client({ kvValueBytesMax: 100 });
  expect((await small.put("/v1/kv/a", "x".repeat(100))).status).toBe(200);
  const refused = await small.put("/v1/kv/a", "x".repeat(101));
  expect([refused.status, refused.text]).toEqual([
    413,
    "Request body(101 bytes) too large, max size: 100 bytes. " +
      "See https://www.consul.io/docs/agent/options.html#kv_max_value_size.",
  ]);
  const large = client({ kvValueBytesMax: 600_000 });
  expect((await large.put("/v1/kv/a", "x".repeat(600_000))).status).toBe(200);
});

test("limits.txn_max_req_len", async () => {
  const answer = await client({ txnBodyBytesMax: 10 }).put("/v1/txn", `[${" ".repeat(10)}]`);
  expect([answer.status, answer.text]).toEqual([
    413,
    expect.stringContaining("max size: 10 bytes"),
  ]);
});

test("session_ttl_min lets shorter sessions live, and forbids shorter ones than itself", async () => {
  const register = {
    Node: "self",
    Address: "10.0.0.1",
    Check: { CheckID: "serfHealth", Status: "passing" },
  };
  const two = client({ sessionTtlMsMin: 2_000 });
  await two.put("/v1/catalog/register", register);
  expect((await two.put("/v1/session/create", { TTL: "2s" })).status).toBe(200);
  expect((await two.put("/v1/session/create", { TTL: "1s" })).text).toBe(
    "Invalid Session TTL '1000000000', must be between [2s=24h0m0s]",
  );
  const usual = client({});
  await usual.put("/v1/catalog/register", register);
  expect((await usual.put("/v1/session/create", { TTL: "9s" })).text).toContain("[10s=24h0m0s]");
});

test("disable_http_unprintable_char_filter", async () => {
  expect((await client({}).put("/v1/kv/a%0Ab", "1")).status).toBe(400);
  expect((await client({ refusesUnprintable: false }).put("/v1/kv/a%0Ab", "1")).status).toBe(200);
});

/** How long a blocking read is told to wait. */
async function waitMs(settings: ApiSettings, path: string): Promise<number | undefined> {
  let told: number | undefined;
  class Told extends MemoryCluster {
    override async read(...[op, args, options]: Parameters<MemoryCluster["read"]>) {
      told = options.waitMs;
      const { minIndex: _minIndex, waitMs: _waitMs, ...atOnce } = options;
      return await super.read(op, args, atOnce);
    }
  }
  await new ApiClient({ settings, cluster: new Told() }).send("GET", path);
  return told;
}

test("default_query_time and max_query_time bound every wait", async () => {
  const settings = { defaultQueryTimeMs: 1_000, maxQueryTimeMs: 2_000 };
  expect(await waitMs(settings, "/v1/kv/a?index=9")).toBe(1_000);
  expect(await waitMs(settings, "/v1/kv/a?index=9&wait=10s")).toBe(2_000);
  expect(await waitMs({ ...settings, maxQueryTimeMs: 500 }, "/v1/kv/a?index=9")).toBe(500);
  expect(await waitMs({}, "/v1/kv/a?index=9")).toBe(300_000);
  expect(await waitMs({}, "/v1/kv/a?index=9&wait=1h")).toBe(600_000);
});

test("http_config.use_cache turns ?cached off", async () => {
  const path = "/v1/health/service/web?cached";
  expect((await client({}).send("GET", path)).headers.get("x-cache")).toBe("MISS");
  expect((await client({ usesCache: false }).send("GET", path)).headers.get("x-cache")).toBeNull();
});

test.each(["/v1/kv/a", "/v1/txn", "/v1/catalog/register", "/v1/session/create"])(
  "PUT %s: a body without length is not read beyond the limit",
  async (path) => {
    const chunk = new Uint8Array(262_144).fill(32);
    let given = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        given += chunk.length;
        controller.enqueue(chunk);
      },
    });
    const app = createApi({
      cluster: new MemoryCluster(),
      nodeName: "self",
      random: () => 0,
      uuid: () => "",
      onError: (error) => expect(error).toBeUndefined(),
    });
    const request = new Request(`http://agent${path}`, { method: "PUT", body, duplex: "half" });
    expect((await app.fetch(request)).status).toBe(413);
    expect(given).toBeLessThanOrEqual(8_388_608 + 2 * chunk.length);
  },
);
