// What waits, when what its token may do changes: it ends, or it is answered anew, whatever the index does.

import { beforeEach, expect, test } from "vitest";

import { AclClient } from "../../support/acl-client.ts";

let client: AclClient;

beforeEach(async () => {
  client = await AclClient.start();
  await client.administer("PUT", "/v1/kv/a", "1");
});

/** Waits for a minute, unless something happens. */
async function waiting(secret: string): Promise<{ status: number; text: string }> {
  const [{ ModifyIndex: index }] = (await client.as(secret, "GET", "/v1/kv/a")).json as [
    { ModifyIndex: number },
  ];
  const answer = client.as(secret, "GET", `/v1/kv/a?index=${index}&wait=60s`);
  while (client.cluster.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  return await answer;
}

const readable = 'key "a" { policy = "read" }';

test("a token that is deleted ends it", async () => {
  const { secret, accessor } = await client.token(readable);
  const answer = waiting(secret);
  await untilWaiting();
  await client.administer("DELETE", `/v1/acl/token/${accessor}`);
  expect(await answer).toMatchObject({ status: 403, text: "ACL not found" });
});

test("a policy that no longer allows it ends it", async () => {
  const { secret, policy } = await client.token(readable);
  const answer = waiting(secret);
  await untilWaiting();
  await client.administer("PUT", `/v1/acl/policy/${policy}`, { Name: "policy-1", Rules: "" });
  expect(await answer).toMatchObject({ status: 403, text: "Permission denied" });
});

test("a policy that is deleted ends it", async () => {
  const { secret, policy } = await client.token(readable);
  const answer = waiting(secret);
  await untilWaiting();
  await client.administer("DELETE", `/v1/acl/policy/${policy}`);
  expect(await answer).toMatchObject({ status: 403, text: "Permission denied" });
});

test("tokens of others do not disturb it", async () => {
  const { secret } = await client.token(readable);
  const answer = waiting(secret);
  await untilWaiting();
  const other = await client.administer<{ AccessorID: string }>("PUT", "/v1/acl/token", {});
  await client.administer("DELETE", `/v1/acl/token/${other.AccessorID}`);
  expect(client.cluster.waiting).toBe(1);
  await client.administer("PUT", "/v1/kv/a", "2");
  expect((await answer).text).toContain("Mg==");
});

async function untilWaiting(): Promise<void> {
  while (client.cluster.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
}
