// The endpoints of ACLs, and what is permitted where, held against answers recorded from Consul 1.8.7.

import { expect, test } from "vitest";

import { ApiClient } from "../../support/api-client.ts";
import { readFixture, replay } from "../../support/recorded.ts";

const administrator = "e95b599e-166e-7d80-08ad-aee76e7ddf19";

/** When they were recorded: some speak of hours that were still to come. */
const recordedMs = Date.UTC(2026, 10, 26, 12);

/** Beginnings of requests whose answers are not compared, and why. */
const differs: Readonly<Record<string, string>> = {
  'POST /v1/acl/rules/translate agent "a"': "comments are dropped",
  "GET /v1/acl/roles": "in order of their ids, which are random",
  "GET /v1/acl/tokens": "in order of their ids, which are random",
  "GET /v1/acl/list": "in order of their ids, which are random",
};

async function client(): Promise<ApiClient> {
  const started = new ApiClient(
    { settings: { aclEnabled: true }, uuid: () => crypto.randomUUID() },
    { acl: { defaultPolicy: "deny", keyListPolicy: false }, nowMs: () => recordedMs },
  );
  const accessor = crypto.randomUUID();
  await started.cluster.writeOwn({ type: "acl.initialize", master: administrator, accessor });
  return started;
}

test.each(["tokens", "policies", "permissions"])("%s", async (name) => {
  const compared = await replay(await client(), `acl/${name}.json`, administrator);
  const differences = compared.filter(({ request, consul, ours }) => {
    return consul !== ours && !Object.keys(differs).some((each) => request.startsWith(each));
  });
  expect(differences).toEqual([]);
  expect(compared).toHaveLength(readFixture<unknown[]>(`acl/${name}.json`).length);
});
