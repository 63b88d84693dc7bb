// `/v1/event`: firing over a cluster in memory, listing at an agent. Texts were recorded from Consul 1.8.7.

import { beforeEach, expect, test } from "vitest";
import { restrictedAgentArea } from "../../../src/api/agent-acl.ts";
import { agentArea } from "../../../src/api/agent.ts";
import { RuleAuthorizer } from "../../../src/core/acl/authorizer.ts";
import type { Rule } from "../../../src/core/acl/rules.ts";
import { eventIndex, type UserEvent } from "../../../src/core/model/user-event.ts";
import { MemoryAgent } from "../../agent/memory-agent.ts";
import { AclClient } from "../../support/acl-client.ts";
import { ApiClient } from "../../support/api-client.ts";
import { newState } from "../agent/support.ts";

let agent: MemoryAgent;
let client: ApiClient;

beforeEach(() => {
  agent = new MemoryAgent(newState());
  client = new ApiClient({ areas: [agentArea(agent)] });
});

function heard(Name: string, n: number): UserEvent {
  const ID = `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
  const filters = { NodeFilter: "", ServiceFilter: "", TagFilter: "" };
  const event = { ID, Name, Payload: "", ...filters, Version: 1, LTime: n };
  agent.heard.take([event]);
  return event;
}

test("the answer is the event, with no time yet", async () => {
  const { status, text, headers } = await client.put(
    "/v1/event/fire/a%20b%C3%A9/c?node=x.*&service=api&tag=v1&ns=q",
    "pay",
  );
  expect([status, headers.get("X-Consul-Index")]).toEqual([200, null]);
  expect(text).toBe(
    '{"ID":"00000000-0000-0000-0000-000000000001","Name":"a bé/c","Payload":"cGF5","NodeFilter":"x.*",' +
      '"ServiceFilter":"api","TagFilter":"v1","Version":1,"LTime":0}',
  );
  expect(client.cluster.fired).toMatchObject([{ Name: "a bé/c", Payload: "cGF5" }]);
  expect((await client.put("/v1/event/fire/x")).json).toMatchObject({ Payload: null });
});

test.each([
  ["PUT", "/v1/event/fire/", "400 Missing name"],
  ["PUT", "/v1/event/fire/a?tag=x", "500 Cannot provide tag filter without service filter"],
  [
    "PUT",
    "/v1/event/fire/a?service=(&node=(&dc=zz",
    "500 Invalid node filter: error parsing regexp: missing closing ): `(`",
  ],
  ["PUT", "/v1/event/fire/a?dc=zz", "500 No path to datacenter"],
  ["GET", "/v1/event/fire/a", "405 method GET not allowed"],
  ["PUT", "/v1/event/list", "405 method PUT not allowed"],
  ["GET", "/v1/event/list?wait=zz&index=zz", "400 Invalid wait time"],
  ["GET", "/v1/event/list?index=zz", "400 Invalid index"],
  ["GET", "/v1/event/list?index=18446744073709551616", "400 Invalid index"],
  ["GET", "/v1/event", "404 "],
])("%s %s: %s", async (method, path, expected) => {
  const { status, text } = await client.send(method, path);
  expect(`${status} ${text}`).toBe(expected);
  expect(client.cluster.fired).toEqual([]);
});

test("a list has the index of its last event, and none of the headers of replicated state", async () => {
  const empty = await client.get("/v1/event/list");
  expect([empty.text, empty.headers.get("X-Consul-Index")]).toEqual(["[]", "1"]);
  heard("a", 1);
  const last = heard("b", 2);
  const { json, headers } = await client.get("/v1/event/list?stale&consistent");
  expect(json).toMatchObject([
    { Name: "a", LTime: 1 },
    { Name: "b", LTime: 2 },
  ]);
  expect(headers.get("X-Consul-Index")).toBe(eventIndex(last.ID));
  expect(headers.get("X-Consul-Knownleader")).toBeNull();
  const named = await client.get("/v1/event/list?name=a");
  expect(named.json).toMatchObject([{ Name: "a" }]);
  expect((await client.get("/v1/event/list?name=zz")).headers.get("X-Consul-Index")).toBe("1");
});

test("who holds the index waits for another event; who holds any other one does not", async () => {
  const { ID } = heard("a", 1);
  const index = eventIndex(ID);
  expect((await client.get("/v1/event/list?index=5&wait=1h")).json).toHaveLength(1);
  expect((await client.get(`/v1/event/list?index=0${index}&wait=1ms`)).json).toHaveLength(1);
  const waiting = client.get(`/v1/event/list?index=${index}&name=a&wait=1h`);
  heard("b", 2);
  heard("a", 3);
  expect((await waiting).json).toHaveLength(2);
});

test("an event of another name leaves a list waiting; who goes away is let go", async () => {
  const stop = new AbortController();
  const waiting = client.send("GET", "/v1/event/list?name=x&index=1&wait=1h", {
    signal: stop.signal,
  });
  await client.get("/v1/event/list");
  heard("y", 1);
  await client.get("/v1/event/list");
  stop.abort();
  expect((await waiting.catch(() => ({ json: [] }))).json).toEqual([]);
});

test("servers ask for permission to fire, and an unknown token is 500 as in Consul", async () => {
  const restricted = await AclClient.start();
  const { secret } = await restricted.token(
    'event "foo" { policy = "read" } event_prefix "w" { policy = "write" }',
  );
  const fire = async (token: string | null, name: string): Promise<string> => {
    const { status, text } = await restricted.as(token, "PUT", `/v1/event/fire/${name}`);
    return status === 200 ? "200" : `${status} ${text}`;
  };
  expect(await fire(null, "foo")).toBe("403 Permission denied");
  expect(await fire("nosuch", "foo")).toBe("500 ACL not found");
  expect(await fire(secret, "foo")).toBe("403 Permission denied");
  expect(await fire(secret, "wow")).toBe("200");
  expect(restricted.cluster.fired.map(({ Name }) => Name)).toEqual(["wow"]);
});

test("what a token may not read is not in its list, nor in its index", async () => {
  const rule: Rule = { resource: "event", segment: "a", isPrefix: false, level: "read" };
  const reader = new RuleAuthorizer([rule], "deny");
  const authorizer = async () => reader;
  const restricted = new ApiClient({
    areas: [restrictedAgentArea({ agent, nodeName: "n", authorizer })],
  });
  const { ID } = heard("a", 1);
  heard("secret", 2);
  const { json, headers } = await restricted.get("/v1/event/list");
  expect(json).toMatchObject([{ Name: "a" }]);
  expect(headers.get("X-Consul-Index")).toBe(eventIndex(ID));
  expect((await restricted.get("/v1/event/list?name=secret")).text).toBe("[]");
});
