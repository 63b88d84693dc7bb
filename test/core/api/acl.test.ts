// A datacenter without ACLs: every path of /v1/acl exists and says so; a wrong method and an unknown path do not.

import { expect, test } from "vitest";

import { aclArea } from "../../../src/api/acl/index.ts";
import { ApiClient } from "../../support/api-client.ts";

test("every endpoint answers 401 ACL support disabled", async () => {
  const client = new ApiClient();
  const parts = {
    nodeName: "self",
    cluster: client.cluster,
    random: () => 0,
    discoveryMaxStaleMs: 0,
    uuid: () => "",
  };
  for (const [path, endpoint] of Object.entries(aclArea(parts))) {
    for (const method of Object.keys(endpoint)) {
      const answer = await client.send(method, path.endsWith("/") ? `${path}x` : path);
      expect(answer, `${method} ${path}`).toMatchObject({
        status: 401,
        text: "ACL support disabled",
      });
    }
  }
});

test("a wrong method is 405 with the methods there are, an unknown path 404", async () => {
  const client = new ApiClient();
  const wrong = await client.send("POST", "/v1/acl/tokens");
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get("allow")).toBe("OPTIONS,GET");
  expect((await client.get("/v1/acl/nope")).status).toBe(404);
});
