// Which rule of which policy decided: for one's own token, and for others to whoever may read ACLs.

import { beforeAll, describe, expect, test } from "vitest";

import { AclClient, administrator } from "../../support/acl-client.ts";

const path = "/v1/internal/acl/explain";
let client: AclClient;

beforeAll(async () => {
  client = await AclClient.start();
  await client.administer("PUT", "/v1/acl/policy", {
    ...{ Name: "app", Rules: 'key_prefix "app/" { policy = "write" } operator = "read"' },
  });
  await client.administer("PUT", "/v1/acl/policy", {
    ...{ Name: "secrets", Rules: 'key "app/secret" { policy = "deny" }' },
  });
  await client.administer("PUT", "/v1/acl/role", {
    ...{
      Name: "ops",
      Policies: [{ Name: "secrets" }],
      ServiceIdentities: [{ ServiceName: "ops" }],
    },
  });
});

interface Token {
  AccessorID: string;
  SecretID: string;
}

async function token(): Promise<Token> {
  return await client.administer<Token>("PUT", "/v1/acl/token", {
    Policies: [{ Name: "app" }],
    Roles: [{ Name: "ops" }],
    ServiceIdentities: [{ ServiceName: "web" }],
    NodeIdentities: [{ NodeName: "n1", Datacenter: "dc1" }],
  });
}

type Case = [question: [string, string, string], allow: boolean, by: object];

const cases: Case[] = [
  [
    ["key", "app/a", "write"],
    true,
    { Kind: "policy", Name: "app", Rule: 'key_prefix "app/" { policy = "write" }' },
  ],
  [
    ["key", "app/secret", "read"],
    false,
    {
      Kind: "role",
      Name: "ops",
      Of: "policy secrets",
      Rule: 'key "app/secret" { policy = "deny" }',
    },
  ],
  [["operator", "", "write"], false, { Kind: "policy", Name: "app", Rule: 'operator = "read"' }],
  [
    ["service", "web", "write"],
    true,
    { Kind: "identity", Name: "service web", Rule: 'service "web" { policy = "write" }' },
  ],
  [
    ["service", "ops", "write"],
    true,
    {
      ...{ Kind: "role", Name: "ops", Of: "identity service ops" },
      Rule: 'service "ops" { policy = "write" }',
    },
  ],
  [
    ["intention", "web", "read"],
    true,
    { Kind: "identity", Name: "service web", Rule: 'service "web" { intentions = "read" }' },
  ],
  [
    ["node", "n1", "write"],
    true,
    { Kind: "identity", Name: "node n1", Rule: 'node "n1" { policy = "write" }' },
  ],
  [["key", "other", "read"], false, { Kind: "default", Name: "deny", Rule: "" }],
  [["acl", "", "read"], false, { Kind: "default", Name: "deny", Rule: "" }],
];

test.each(cases)("%j", async ([Resource, Segment, Access], Allow, By) => {
  const { SecretID } = await token();
  const question = { Resource, Segment, Access };
  const { json } = await client.as(SecretID, "POST", path, [question]);
  expect(json).toEqual([{ Resource, ...(Segment !== "" && { Segment }), Access, Allow, By }]);
});

test("the answer is that of authorize, with a reason", async () => {
  const { SecretID } = await token();
  const questions = cases.map(([[Resource, Segment, Access]]) => ({ Resource, Segment, Access }));
  const explained = await client.as(SecretID, "POST", path, questions);
  const plain = await client.as(SecretID, "POST", "/v1/internal/acl/authorize", questions);
  const answers = (explained.json as { By?: object }[]).map(({ By: _by, ...answer }) => answer);
  expect(answers).toEqual(plain.json);
});

describe("another token", () => {
  const question = [{ Resource: "key", Segment: "app/a", Access: "write" }];

  test("is explained to whoever may read ACLs, without its secret", async () => {
    const { AccessorID, SecretID } = await token();
    const reader = await client.token('acl = "read"');
    const { status, text } = await client.as(
      ...([reader.secret, "POST", `${path}?accessor=${AccessorID}`, question] as const),
    );
    expect([status, text]).toEqual([200, expect.stringContaining('"Name":"app"')]);
    expect(text).not.toContain(SecretID);
    expect(text).not.toContain(reader.secret);
  });

  test("is nobody else's business", async () => {
    const { AccessorID } = await token();
    const other = await client.token('operator = "write"');
    for (const shown of [other.secret, null]) {
      const answer = await client.as(shown, "POST", `${path}?accessor=${AccessorID}`, question);
      expect([answer.status, answer.text]).toEqual([403, "Permission denied"]);
    }
  });

  test("may be one's own", async () => {
    const { AccessorID, SecretID } = await token();
    for (const accessor of [AccessorID, AccessorID.toUpperCase()]) {
      const answer = await client.as(SecretID, "POST", `${path}?accessor=${accessor}`, question);
      expect(answer.status).toBe(200);
    }
  });

  test("that does not exist is not there, to those who may know", async () => {
    const unknown = `${path}?accessor=${crypto.randomUUID()}`;
    const answer = await client.as(administrator, "POST", unknown, question);
    expect([answer.status, answer.text]).toEqual([403, "ACL not found"]);
    const malformed = await client.as(administrator, "POST", `${path}?accessor=x`, question);
    expect(malformed.status).toBe(500);
  });
});

test("whoever shows no token asks about the anonymous one", async () => {
  const question = [{ Resource: "key", Segment: "a", Access: "read" }];
  const { json } = await client.as(null, "POST", path, question);
  expect(json).toMatchObject([{ Allow: false, By: { Kind: "default", Name: "deny" } }]);
  expect((await client.as(crypto.randomUUID(), "POST", path, question)).status).toBe(403);
});

test("an administrator may do everything because of the policy that says so", async () => {
  const question = [{ Resource: "acl", Access: "write" }];
  const { json } = await client.as(administrator, "POST", path, question);
  expect(json).toMatchObject([
    { Allow: true, By: { Kind: "policy", Name: "global-management", Rule: 'acl = "write"' } },
  ]);
});

test("questions are held to the rules of authorize", async () => {
  const bad = await client.as(administrator, "POST", path, [{ Resource: "zap", Access: "read" }]);
  expect([bad.status, bad.text]).toEqual([
    ...[400, 'Bad request: Invalid ACL resource requested: "zap"'],
  ]);
  const many = Array.from({ length: 65 }, () => ({ Resource: "acl", Access: "read" }));
  expect((await client.as(administrator, "POST", path, many)).status).toBe(400);
});
