// http-api.md §G: what all endpoints have in common.

import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createApi } from "../../../src/api/index.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import type { ErrorCode } from "../../../src/core/model/errors.ts";
import { ApiClient } from "../../support/api-client.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";

describe("G.1 dispatch", () => {
  test("the root leads to the UI, or says what this is", async () => {
    const ui = await new ApiClient({ uiPath: "/ui/" }).get("/");
    expect(ui.status).toBe(301);
    expect(ui.headers.get("Location")).toBe("/ui/");
    const put = await new ApiClient({ uiPath: "/ui/" }).send("PUT", "/", { body: "x" });
    expect([put.status, put.headers.get("Location")]).toEqual([301, "/ui/"]);
    expect((await new ApiClient().get("/")).text).toBe("Consul Agent");
  });

  test.each(["/v1/nope", "/nope", "/v1/", "/v1", "/v1/status/leader/"])(
    "%s is nowhere",
    async (path) => {
      for (const method of ["GET", "PUT", "OPTIONS"]) {
        const { status, text, headers } = await new ApiClient().send(method, path);
        expect({ status, text, type: headers.get("Content-Type") }).toEqual({
          status: 404,
          text: "",
          type: null,
        });
      }
    },
  );

  test("a method that an endpoint does not have", async () => {
    const answer = await new ApiClient().send("POST", "/v1/kv/a", { body: "x" });
    expect(answer.status).toBe(405);
    expect(answer.text).toBe("method POST not allowed");
    expect(answer.headers.get("Allow")).toBe("OPTIONS,GET,PUT,DELETE");
    expect(answer.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
    expect(answer.headers.get("Vary")).toBe("Accept-Encoding");
    expect((await new ApiClient().send("HEAD", "/v1/catalog/nodes")).status).toBe(405);
  });

  test("OPTIONS", async () => {
    const answer = await new ApiClient().send("OPTIONS", "/v1/txn");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe("");
    expect(answer.headers.get("Allow")).toBe("OPTIONS,PUT");
  });

  test.each([
    ["GET", "/v1//status/leader", "/v1/status/leader"],
    ["PUT", "/v1/kv/a//b?x=1", "/v1/kv/a/b?x=1"],
    ["GET", "/v1/kv/a%2F%2Fb", "/v1/kv/a/b"],
    ["GET", "/v1/kv", "/v1/kv/"],
    ["PUT", "/v1/session/info?a=b", "/v1/session/info/?a=b"],
  ])("%s %s is sent to %s", async (method, path, location) => {
    const answer = await new ApiClient().send(method, path);
    expect(answer.status).toBe(301);
    expect(answer.headers.get("Location")).toBe(location);
    const html = `<a href="${location}">Moved Permanently</a>.\n\n`;
    expect(answer.text).toBe(method === "GET" ? html : "");
  });

  test.each([
    ["/v1/kv/a%00b", 400],
    ["/v1/kv/a%E2%80%8Bb", 400],
    ["/v1/kv/a%zz", 400],
    ["/v1/kv/a?%zz", 500],
  ])("%s is answered %d", async (path, status) => {
    expect((await new ApiClient().get(path)).status).toBe(status);
  });

  test("a key is what the path says after decoding", async () => {
    const client = new ApiClient();
    await client.put("/v1/kv/a%2Fb%20%C3%A9+?c", "x");
    expect((await client.get("/v1/kv/?keys")).json).toEqual(["a/b é+"]);
  });
});

describe("G.1 and G.3 answers", () => {
  test("indented when asked for, or always", async () => {
    const client = new ApiClient();
    expect((await client.get("/v1/status/peers")).text).toBe('["127.0.0.1:8300"]');
    const pretty = '[\n    "127.0.0.1:8300"\n]\n';
    expect((await client.get("/v1/status/peers?pretty=false")).text).toBe(pretty);
    expect((await new ApiClient({ pretty: true }).get("/v1/status/peers")).text).toBe(pretty);
  });

  test("compressed when asked for", async () => {
    const cluster = new MemoryCluster();
    const dependencies = {
      cluster,
      nodeName: "n",
      random: () => 0,
      uuid: () => "",
      onError: () => undefined,
    };
    const fetchWith = async (accepted: string): Promise<Response> =>
      await createApi(dependencies).request("/v1/status/leader", {
        headers: { "Accept-Encoding": accepted },
      });
    const compressed = await fetchWith("gzip, deflate");
    expect(compressed.headers.get("Content-Encoding")).toBe("gzip");
    const bytes = gunzipSync(new Uint8Array(await compressed.arrayBuffer()));
    expect(bytes.toString()).toBe('"127.0.0.1:8300"');
    for (const accepted of ["identity", "gzip;q=0", "*", "br"]) {
      const plain = await fetchWith(accepted);
      expect(plain.headers.get("Content-Encoding")).toBeNull();
      expect(plain.headers.get("Vary")).toBe("Accept-Encoding");
    }
  });

  test("reads say their index and who answered", async () => {
    const client = new ApiClient();
    const headers = Object.fromEntries((await client.get("/v1/catalog/nodes")).headers);
    expect(headers).toMatchObject({
      "x-consul-index": "1",
      "x-consul-knownleader": "true",
      "x-consul-lastcontact": "0",
      "x-consul-effective-consistency": "leader",
      "content-type": "application/json",
    });
    expect(
      (await client.get("/v1/kv/none")).headers.get("x-consul-effective-consistency"),
    ).toBeNull();
  });

  test.each([
    ["?stale", "stale"],
    ["?max_stale=1s", "stale"],
    ["?consistent", "consistent"],
    ["?leader", "leader"],
  ])("the consistency of %s", async (query, word) => {
    const { headers } = await new ApiClient().get(`/v1/catalog/nodes${query}`);
    expect(headers.get("X-Consul-Effective-Consistency")).toBe(word);
  });

  test("a bound on staleness applies to the catalog unless the request says otherwise", async () => {
    const client = new ApiClient({ discoveryMaxStaleMs: 1_000 });
    const word = async (path: string): Promise<string | null> =>
      (await client.get(path)).headers.get("X-Consul-Effective-Consistency");
    expect(await word("/v1/health/state/any")).toBe("stale");
    expect(await word("/v1/health/state/any?leader")).toBe("leader");
  });

  test("cached reads say whether they were", async () => {
    const client = new ApiClient();
    expect((await client.get("/v1/health/service/x?cached")).headers.get("X-Cache")).toBe("MISS");
    expect((await client.get("/v1/health/node/x?cached")).headers.get("X-Cache")).toBeNull();
  });
});

describe("G.4 parameters", () => {
  test.each([
    ["index=abc", "Invalid index"],
    ["index=-1", "Invalid index"],
    ["index=1.5", "Invalid index"],
    ["index=99999999999999999999999", "Invalid index"],
    ["wait=10", "Invalid wait time"],
    ["max_stale=abc", 'Invalid max_stale value "abc"'],
    ["stale&consistent", "Cannot specify ?stale with ?consistent, conflicting semantics."],
    ["cached&consistent", "Cannot specify ?cached with ?consistent, conflicting semantics."],
    ["index=zz&stale&consistent", "Cannot specify ?stale with ?consistent, conflicting semantics."],
  ])("?%s", async (query, text) => {
    const answer = await new ApiClient().get(`/v1/catalog/nodes?${query}`);
    expect([answer.status, answer.text]).toEqual([400, text]);
    expect(answer.headers.get("X-Consul-Index")).toBeNull();
  });

  test("Cache-Control", async () => {
    const answer = await new ApiClient().get("/v1/catalog/nodes", { "Cache-Control": "max-age=x" });
    expect([answer.status, answer.text]).toEqual([400, "Invalid Cache-Control header."]);
  });

  test("another datacenter; who fails inside a read says so in headers, except the key-value store", async () => {
    const client = new ApiClient();
    for (const path of ["/v1/catalog/nodes", "/v1/session/list", "/v1/health/state/any"]) {
      const answer = await client.get(`${path}?dc=nope`);
      expect([answer.status, answer.text]).toEqual([500, "No path to datacenter"]);
      expect(answer.headers.get("X-Consul-Index")).toBe("1");
      expect(answer.headers.get("X-Consul-Knownleader")).toBe("false");
    }
    const kv = await client.get("/v1/kv/x?dc=nope");
    expect([kv.status, kv.headers.get("X-Consul-Index")]).toEqual([500, null]);
  });

  test("namespaces are Enterprise's, except where Consul does not look", async () => {
    const client = new ApiClient();
    const parameter =
      'Bad request: Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature';
    const header =
      'Bad request: Invalid header: "X-Consul-Namespace" - Namespaces are a Consul Enterprise feature';
    for (const path of [
      "/v1/kv/a",
      "/v1/session/list",
      "/v1/catalog/services",
      "/v1/health/state/any",
    ]) {
      expect((await client.get(`${path}?ns=x`)).text).toBe(parameter);
      expect((await client.get(path, { "X-Consul-Namespace": "x" })).text).toBe(header);
    }
    expect((await client.get("/v1/catalog/nodes?ns=x")).status).toBe(200);
  });
});

describe("G.2 errors", () => {
  const statuses: [ErrorCode, number, string][] = [
    ["invalid", 500, "text"],
    ["malformed", 400, "text"],
    ["bad-request", 400, "Bad request: text"],
    ["not-found", 404, "text"],
    ["permission-denied", 403, "text"],
    ["too-large", 413, "text"],
    ["too-many-requests", 429, "text"],
    ["no-leader", 500, "text"],
    ["acl-disabled", 401, "text"],
  ];

  test.each(statuses)("%s is answered %d", async (code, status, text) => {
    const client = new ApiClient();
    client.cluster.status = () => Promise.reject(new ServiceError(code, "text"));
    const answer = await client.get("/v1/status/leader");
    expect([answer.status, answer.text]).toEqual([status, text]);
    expect(answer.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
  });

  test("what should never be thrown is reported here, not there", async () => {
    const client = new ApiClient();
    client.cluster.status = () => Promise.reject(new TypeError("secret"));
    const answer = await client.get("/v1/status/leader");
    expect([answer.status, answer.text]).toEqual([500, "internal error"]);
    expect(client.errors).toHaveLength(1);
  });
});

describe("tokens", () => {
  test.each([
    ["/v1/kv/x?token=query", { "X-Consul-Token": "header" }, "query"],
    ["/v1/kv/x", { "X-Consul-Token": "header", Authorization: "Bearer bearer" }, "header"],
    ["/v1/kv/x", { Authorization: "bEaReR  bearer rest" }, "bearer"],
    ["/v1/kv/x", { Authorization: "Basic Zm9v" }, undefined],
  ] as [string, Record<string, string>, string | undefined][])(
    "%s %j",
    async (path, headers, token) => {
      const client = new ApiClient();
      let seen: string | undefined = "none";
      const read = client.cluster.read.bind(client.cluster);
      client.cluster.read = async (op, args, options) => {
        seen = options.token;
        return await read(op, args, options);
      };
      await client.get(path, headers);
      expect(seen).toBe(token);
    },
  );
});
