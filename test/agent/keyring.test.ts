// `/v1/operator/keyring` of an agent with two members, one of them a server. Texts were recorded from Consul 1.8.7.

import { beforeEach, expect, test } from "vitest";
import { agentArea } from "../../src/api/agent.ts";
import { restrictedAgentArea } from "../../src/api/agent-acl.ts";
import { RuleAuthorizer } from "../../src/core/acl/authorizer.ts";
import { newState } from "../core/agent/support.ts";
import { ApiClient } from "../support/api-client.ts";
import { MemoryAgent } from "./memory-agent.ts";

const key = "MDEyMzQ1Njc4OWFiY2RlZg==";
const other = "MDEyMzQ1Njc4OWFiY2RlZQ==";
const path = "/v1/operator/keyring";
let agent: MemoryAgent;
let client: ApiClient;

beforeEach(() => {
  agent = new MemoryAgent(newState());
  client = new ApiClient({ areas: [agentArea(agent)] });
});

async function answer(method: string, query = "", body?: string): Promise<string> {
  const { status, text } = await client.send(method, path + query, body ? { body } : {});
  return `${status} ${text}`;
}

/** Of every node of both pools. */
function failed(why: string): string {
  return (
    "500 5 errors occurred:\n\t* WAN error: 1/1 nodes reported failure\n" +
    `\t* a.dc1: ${why}\n\t* dc1 (LAN) error: 2/2 nodes reported failure\n` +
    `\t* a: ${why}\n\t* b: ${why}\n\n`
  );
}

test("without a key every node says so", async () => {
  expect(await answer("GET")).toBe(failed("Keyring is empty (encryption not enabled)"));
  expect(await answer("GET", "?local-only=true")).toBe(
    "500 3 errors occurred:\n\t* dc1 (LAN) error: 2/2 nodes reported failure\n" +
      "\t* a: Keyring is empty (encryption not enabled)\n" +
      "\t* b: Keyring is empty (encryption not enabled)\n\n",
  );
  for (const method of ["POST", "PUT", "DELETE"]) {
    for (const given of [key, "aGVsbG8=", ""]) {
      expect(await answer(method, "", `{"Key":"${given}"}`)).toBe(
        failed("No keyring to modify (encryption not enabled)"),
      );
    }
  }
});

/** Both nodes have these keys, the first one primary. */
function bothHave(...keys: string[]): void {
  const answer = { primary: keys[0] ?? "", keys };
  agent.keys = { a: answer, b: answer };
}

test("the key is listed for each pool, with how many nodes have it", async () => {
  bothHave(key);
  const lan = { Datacenter: "dc1", Segment: "", Keys: { [key]: 2 }, PrimaryKeys: { [key]: 2 } };
  const wan = { ...lan, WAN: true, Keys: { [key]: 1 }, PrimaryKeys: { [key]: 1 }, NumNodes: 1 };
  expect((await client.get(path)).json).toEqual([wan, { ...lan, WAN: false, NumNodes: 2 }]);
  expect((await client.get(`${path}?local-only=1`)).json).toHaveLength(1);
});

test("in the middle of a rotation each key is counted", async () => {
  agent.keys = {
    a: { primary: other, keys: [other, key] },
    b: { primary: key, keys: [key] },
  };
  const [, lan] = (await client.get(path)).json as [unknown, object];
  const expected = { Keys: { [key]: 2, [other]: 1 }, PrimaryKeys: { [key]: 1, [other]: 1 } };
  expect(lan).toEqual({ WAN: false, Datacenter: "dc1", Segment: "", ...expected, NumNodes: 2 });
});

test("what is to be done is asked of every node", async () => {
  bothHave(key);
  for (const method of ["POST", "PUT", "DELETE"]) {
    expect(await answer(method, "", `{"Key":"${other}"}`)).toBe("200 ");
  }
  expect(agent.calls).toEqual([
    { do: "install", key: other },
    { do: "use", key: other },
    { do: "remove", key: other },
  ]);
});

test("nodes that cannot do it are named, those that do not answer are counted", async () => {
  bothHave(key);
  agent.keys.b = { problem: "Requested key is not in the keyring" };
  expect(await answer("PUT", "", `{"Key":"${other}"}`)).toBe(
    "500 2 errors occurred:\n\t* dc1 (LAN) error: 1/2 nodes reported failure\n" +
      "\t* b: Requested key is not in the keyring\n\n",
  );
  agent.keys.b = null;
  for (const method of ["GET", "PUT"]) {
    expect(await answer(method, "", method === "GET" ? undefined : `{"Key":"${other}"}`)).toBe(
      "500 1 error occurred:\n\t* dc1 (LAN) error: 1/2 nodes reported success\n\n",
    );
  }
});

test.each([
  ["GET", "?relay-factor=9", "", "Invalid relay-factor: Relay factor must be in range: [0, 5]"],
  ["GET", "?relay-factor=-1", "", "Invalid relay-factor: Relay factor must be in range: [0, 5]"],
  [
    "PUT",
    "?relay-factor=x",
    '{"Key":"x"}',
    'Error parsing relay factor: strconv.Atoi: parsing "x": invalid syntax',
  ],
  [
    "GET",
    "?relay-factor=2&local-only=zz",
    "",
    'Error parsing local-only: strconv.ParseBool: parsing "zz": invalid syntax',
  ],
  [
    "PUT",
    "?local-only=true",
    '{"Key":"x"}',
    "Invalid use of local-only: local-only can only be set for list requests",
  ],
  ["PUT", "?relay-factor=9", "", "Request decode failed: EOF"],
  ["POST", "", '{"Foo":"x"}', 'Request decode failed: json: unknown field "Foo"'],
  [
    "POST",
    "",
    '{"Key":5}',
    "Request decode failed: json: cannot unmarshal number into Go struct field keyringArgs.Key of type string",
  ],
])("%s %s %s is refused", async (method, query, body, text) => {
  expect(await answer(method, query, body)).toBe(`400 Bad request: ${text}`);
});

test("a key that is no base64 is reported by pool", async () => {
  const lines = ["WAN error", "dc1 (LAN) error"].map((pool) => `\t* ${pool}: illegal base64 data`);
  const expected = `500 2 errors occurred:\n${lines.map((line) => `${line} at input byte 0\n`).join("")}\n`;
  expect(await answer("POST", "", '{"Key":"x"}')).toBe(expected);
});

test("reading and changing it need permission, and say so in words of their own", async () => {
  const rule = { resource: "keyring", segment: "", isPrefix: false, level: "read" } as const;
  const reader = new RuleAuthorizer([rule], "deny");
  const nobody = new RuleAuthorizer([], "deny");
  const restricted = new ApiClient({
    areas: [
      restrictedAgentArea({
        agent,
        nodeName: "a",
        authorizer: async (token) => (token === "reader" ? reader : nobody),
      }),
    ],
  });
  bothHave(key);
  const as = (method: string, token: string) =>
    restricted.send(method, path, {
      headers: { "X-Consul-Token": token },
      ...(method !== "GET" && { body: { Key: key } }),
    });
  const denied = await as("GET", "nobody");
  expect([denied.status, denied.text]).toEqual([500, "Reading keyring denied by ACLs"]);
  expect((await as("GET", "reader")).status).toBe(200);
  for (const method of ["POST", "PUT", "DELETE"]) {
    const refused = await as(method, "reader");
    expect([refused.status, refused.text]).toEqual([500, "Modifying keyring denied due to ACLs"]);
  }
});
