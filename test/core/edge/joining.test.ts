// A host that joins: what it must show, for whom, and what it gets.

import { beforeEach, expect, test } from "vitest";

import { joinHost } from "../../../durable/edge/joining.ts";
import { SealedKeys } from "../../../durable/edge/sealed-keys.ts";
import { deploymentKeyArea } from "../../../src/api/deployment-keys.ts";
import { AclClient, administrator } from "../../support/acl-client.ts";
import { ApiClient, type Answer } from "../../support/api-client.ts";

const keys = new SealedKeys("0123456789abcdef0123456789abcdef");
const id = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
let nowMs: number;
let datacenter: AclClient;
let api: ApiClient;

beforeEach(async () => {
  nowMs = Date.now();
  datacenter = await AclClient.start();
  const { cluster } = datacenter;
  const parts = { cluster, keys, nowMs: () => nowMs, uuid: () => crypto.randomUUID() };
  api = new ApiClient({ cluster, areas: [deploymentKeyArea(parts)] });
});

async function as(token: string, method: string, path: string, body?: object): Promise<Answer> {
  return await api.send(method, path, {
    headers: { "X-Consul-Token": token },
    ...(body && { body }),
  });
}

async function mint(body: object = {}): Promise<{ AccessorID: string; Token: string }> {
  const answer = await as(administrator, "PUT", "/v1/operator/join-token", body);
  expect(answer.status, answer.text).toBe(200);
  return answer.json as never;
}

async function join(token: string, newcomer: object = { node: "web-1", id }): Promise<Response> {
  const body = JSON.stringify(newcomer);
  const request = new Request("https://registry.example/join", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-length": String(body.length) },
    body,
  });
  const { cluster } = datacenter;
  return await joinHost(request, { keys, cluster, nowMs, uuid: () => crypto.randomUUID() });
}

async function tokenOf(response: Response): Promise<string> {
  expect(response.status).toBe(200);
  return ((await response.json()) as { token: string }).token;
}

test("a node gets a token that may write the node, and little else", async () => {
  const token = await tokenOf(await join((await mint()).Token));
  const may = async (Resource: string, Segment: string, Access: string): Promise<boolean> => {
    const answer = await datacenter.as(token, "POST", "/v1/internal/acl/authorize", [
      { Resource, Segment, Access },
    ]);
    return (answer.json as { Allow: boolean }[])[0]?.Allow === true;
  };
  expect(await may("node", "web-1", "write")).toBe(true);
  expect(await may("service", "any", "read")).toBe(true);
  // As its DNS shows.
  expect(await may("node", "web-2", "read")).toBe(true);
  expect(await may("node", "web-2", "write")).toBe(false);
  expect(await may("service", "any", "write")).toBe(false);
  expect(await may("key", "a", "read")).toBe(false);
  expect(await may("acl", "", "read")).toBe(false);
});

test("what the join token is given, its nodes are given, too, and the right to let others in is not", async () => {
  await datacenter.administer("PUT", "/v1/acl/policy", {
    Name: "web",
    Rules: 'service "web" { policy = "write" }',
  });
  const minted = await mint({
    Policies: [{ Name: "web" }],
    ServiceIdentities: [{ ServiceName: "db" }],
  });
  const token = await tokenOf(await join(minted.Token));
  const self = await datacenter.as(token, "GET", "/v1/acl/token/self");
  expect(self.json).toMatchObject({
    Description: `Node web-1 (${id}), joined by ${minted.AccessorID}`,
    Policies: [{ Name: "proconsul-node" }, { Name: "web" }],
    ServiceIdentities: [{ ServiceName: "db" }],
    NodeIdentities: [{ NodeName: "web-1", Datacenter: "dc1" }],
    Local: true,
  });
});

test("joining again replaces the token: there is one a name", async () => {
  const minted = await mint();
  const first = await tokenOf(await join(minted.Token));
  const second = await tokenOf(await join(minted.Token));
  expect((await datacenter.as(first, "GET", "/v1/acl/token/self")).status).toBe(403);
  expect((await datacenter.as(second, "GET", "/v1/acl/token/self")).status).toBe(200);
});

test("only nodes that it is for", async () => {
  const { Token: token } = await mint({ Nodes: ["web-*", "db"] });
  for (const node of ["web-1", "web-", "db"]) {
    expect((await join(token, { node, id })).status, node).toBe(200);
  }
  for (const node of ["web", "db-1", "xweb-1", "DB"]) {
    const refused = await join(token, { node, id });
    expect(refused.status, node).toBe(403);
    expect(await refused.text()).toBe(`the join token is not for a node named "${node}"`);
  }
});

test("a name that a live node has is nobody else's", async () => {
  const { Token: token } = await mint();
  const register = async (Status: string): Promise<void> => {
    await datacenter.administer("PUT", "/v1/catalog/register", {
      ...{ Node: "web-1", ID: id, Address: "10.0.0.1", SkipNodeUpdate: false },
      Check: { CheckID: "serfHealth", Name: "Serf Health Status", Status },
    });
  };
  await register("passing");
  const another = { node: "WEB-1", id: id.replace("1b", "2c") };
  const refused = await join(token, another);
  expect(refused.status).toBe(403);
  expect(await refused.text()).toBe(`member name "WEB-1" is held by the live member with id ${id}`);
  expect((await join(token)).status).toBe(200);
  await register("critical");
  expect((await join(token, another)).status).toBe(200);
});

test("revoked, ended, of nobody: each says what it is", async () => {
  const revoked = await mint();
  const path = `/v1/operator/join-token/${revoked.AccessorID}`;
  expect((await as(administrator, "DELETE", path)).status).toBe(200);
  expect(await (await join(revoked.Token)).text()).toBe("the join token was revoked");
  const short = await mint({ TTL: "1h" });
  nowMs += 3_600_001;
  expect(await (await join(short.Token)).text()).toMatch(/^the join token ended at /);
  expect(await (await join("pj1_AAAA")).text()).toBe("this is no join token");
  expect((await join("")).status).toBe(403);
  // A token of ACLs is none, even one that may do everything.
  const disguised = await keys.seal({
    kind: "join",
    secret: administrator,
    nodes: [],
    expiresMs: 0,
  });
  expect((await join(disguised)).status).toBe(403);
});

test.each([
  [{ node: "", id }, 400],
  [{ node: "a".repeat(254), id }, 400],
  [{ node: "a", id: "no" }, 400],
  [{ node: 1, id }, 400],
  [{}, 400],
  [{ node: "a", id, more: "x".repeat(5_000) }, 400],
])("a host that says %j of itself is refused", async (newcomer, status) => {
  expect((await join((await mint()).Token, newcomer)).status).toBe(status);
});

test("minting needs acl:write, and says what it cannot take", async () => {
  const reader = await datacenter.administer<{ SecretID: string }>("PUT", "/v1/acl/token", {});
  expect((await as(reader.SecretID, "PUT", "/v1/operator/join-token", {})).status).toBe(403);
  for (const body of [
    { Nodes: ["a*b"] },
    { Nodes: [""] },
    { TTL: "-1h" },
    { TTL: "soon" },
    { Zap: 1 },
  ]) {
    const answer = await as(administrator, "PUT", "/v1/operator/join-token", body);
    expect(answer.status, JSON.stringify(body)).toBe(400);
  }
});

test("they are listed without what they are", async () => {
  expect((await as(administrator, "GET", "/v1/operator/join-tokens")).json).toEqual([]);
  const minted = await mint({ Description: "Web hosts", Nodes: ["web-*"] });
  const listed = await as(administrator, "GET", "/v1/operator/join-tokens");
  expect(listed.json).toMatchObject([
    { AccessorID: minted.AccessorID, Description: "Web hosts (web-*)" },
  ]);
  expect(listed.text).not.toContain(minted.Token);
});

test("a key for DNS stands for the token of who asks for it", async () => {
  const answer = await as(administrator, "PUT", "/v1/operator/dns-key?ttl=1h");
  const { Key: key, Path: path } = answer.json as { Key: string; Path: string };
  expect(path).toBe(`/dns-query/${key}`);
  expect(await keys.open("dns", key, nowMs)).toMatchObject({ grant: { secret: administrator } });
  expect((await api.send("PUT", "/v1/operator/dns-key")).status).toBe(403);
  expect((await as(crypto.randomUUID(), "PUT", "/v1/operator/dns-key")).status).toBe(403);
});
