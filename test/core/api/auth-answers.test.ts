// Auth methods, binding rules, logins and logouts, held against answers recorded from Consul 1.8.7.

import { expect, test } from "vitest";

import { ApiClient } from "../../support/api-client.ts";
import { administrator } from "../../support/acl-client.ts";
import { readFixture, replay } from "../../support/recorded.ts";

/** When the logins were recorded: their tokens hold for a while only. */
const { recordedMs } = readFixture<{ recordedMs: number }>("acl/logins-time.json");

async function client(): Promise<ApiClient> {
  const started = new ApiClient(
    { settings: { aclEnabled: true }, uuid: () => crypto.randomUUID() },
    { acl: { defaultPolicy: "deny", keyListPolicy: false }, nowMs: () => recordedMs },
  );
  const accessor = crypto.randomUUID();
  await started.cluster.writeOwn({ type: "acl.initialize", master: administrator, accessor });
  return started;
}

test.each(["auth-methods", "binding-rules", "logins"])("%s", async (name) => {
  const compared = await replay(await client(), `acl/${name}.json`, administrator);
  const differences = compared.filter(({ consul, ours }) => consul !== ours);
  expect(differences).toEqual([]);
  expect(compared).toHaveLength(readFixture<unknown[]>(`acl/${name}.json`).length);
});
