// Names of policies and roles are found in any case, and each exists once, however it is written.

import { beforeAll, expect, test } from "vitest";

import { AclClient, administrator } from "../../support/acl-client.ts";

let client: AclClient;

beforeAll(async () => {
  client = await AclClient.start();
  await client.administer("PUT", "/v1/acl/policy", { Name: "Reader" });
  await client.administer("PUT", "/v1/acl/policy", { Name: "writer" });
  await client.administer("PUT", "/v1/acl/role", { Name: "Ops" });
  await client.administer("PUT", "/v1/acl/role", { Name: "dev" });
});

async function refusal(path: string, body: object): Promise<string> {
  const { status, text } = await client.as(administrator, "PUT", path, body);
  return `${status} ${text}`;
}

test("a new one must differ by more than its case", async () => {
  expect(await refusal("/v1/acl/policy", { Name: "reader" })).toBe(
    '500 Invalid Policy: A Policy with Name "reader" already exists',
  );
  expect(await refusal("/v1/acl/role", { Name: "OPS" })).toBe(
    '500 Invalid Role: A Role with Name "OPS" already exists',
  );
});

test("one is found by its name in any case, and links show the name as it was given", async () => {
  const policy = await client.administer<{ Name: string }>("GET", "/v1/acl/policy/name/READER");
  expect(policy.Name).toBe("Reader");
  const role = await client.administer<{ ID: string; Name: string }>(
    "GET",
    "/v1/acl/role/name/oPS",
  );
  expect(role.Name).toBe("Ops");
  const token = await client.administer<{ Roles: object[]; Policies: object[] }>(
    ...([
      "PUT",
      "/v1/acl/token",
      { Roles: [{ Name: "ops" }], Policies: [{ Name: "READER" }] },
    ] as const),
  );
  expect(token.Roles).toEqual([{ ID: role.ID, Name: "Ops" }]);
  expect(token.Policies).toMatchObject([{ Name: "Reader" }]);
});

test("none takes another's name, nor its own in another case", async () => {
  const { ID: policy } = await client.administer<{ ID: string }>(
    "GET",
    "/v1/acl/policy/name/writer",
  );
  for (const name of ["READER", "WRITER"]) {
    expect(await refusal(`/v1/acl/policy/${policy}`, { Name: name })).toBe(
      `500 Invalid Policy: A policy with name "${name}" already exists`,
    );
  }
  const { ID: role } = await client.administer<{ ID: string }>("GET", "/v1/acl/role/name/dev");
  for (const name of ["ops", "Dev"]) {
    expect(await refusal(`/v1/acl/role/${role}`, { Name: name })).toBe(
      `500 Invalid Role: A role with name "${name}" already exists`,
    );
  }
  await client.administer("PUT", `/v1/acl/role/${role}`, { Name: "developers" });
});
