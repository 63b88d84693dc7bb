// `/v1/agent/connect` over a memory cluster; texts and headers are Consul 1.8.7's.

import { expect, test } from "vitest";
import { HostLeaves } from "../../../src/agent/leaf-memory.ts";
import { ApiClient } from "../../support/api-client.ts";
import type { LeafSource } from "../../../src/ports/leaf-source.ts";

async function withAgent(enabled = true): Promise<ApiClient> {
  let source: LeafSource | null = null;
  const leaves: LeafSource = {
    leaf: (service, options) => {
      source ??= new HostLeaves(client.cluster, "dc1");
      return source.leaf(service, options);
    },
  };
  const client: ApiClient = new ApiClient({ leaves }, enabled ? { connect: {} } : {});
  if (enabled) await client.cluster.authority.initialize();
  return client;
}

const authorize = "/v1/agent/connect/authorize";
const leaf = "/v1/agent/connect/ca/leaf";
const roots = "/v1/agent/connect/ca/roots";
const web = "spiffe://x.consul/ns/default/dc/dc1/svc/web";

test("the first leaf is a miss, the next a hit, both with the certificate's index", async () => {
  const client = await withAgent();
  const first = await client.get(`${leaf}/web`);
  expect(Object.keys(first.json as object)).toEqual([
    "SerialNumber",
    "CertPEM",
    "PrivateKeyPEM",
    "Service",
    "ServiceURI",
    "ValidAfter",
    "ValidBefore",
    "CreateIndex",
    "ModifyIndex",
  ]);
  const second = await client.get(`${leaf}/web?index=1`);
  expect(second.text).toBe(first.text);
  const headersOf = ({ headers }: typeof first) =>
    ["X-Cache", "Age", "X-Consul-Index", "X-Consul-Knownleader"].map((name) => headers.get(name));
  expect(headersOf(first)).toEqual(["MISS", null, "2", null]);
  expect(headersOf(second)).toEqual(["HIT", "0", "2", null]);
});

test("roots are answered from what is followed", async () => {
  const client = await withAgent();
  const [first, second] = [await client.get(roots), await client.get(roots)];
  expect(first.headers.get("X-Cache")).toBe("MISS");
  expect(second.headers.get("X-Cache")).toBe("HIT");
  expect(second.headers.get("Age")).toBe("0");
  expect(second.headers.get("X-Consul-Knownleader")).toBe("false");
  expect(second.text).toBe((await client.get("/v1/connect/ca/roots")).text);
});

const asked = (Target: string, ClientCertURI: string) => ({
  body: { Target, ClientCertURI, ClientCertSerial: "01" },
});

test("without intentions a connection is allowed, and Consul's default says why", async () => {
  const client = await withAgent(false);
  const first = await client.send("POST", authorize, asked("db", web));
  expect(first.text).toBe(
    '{"Authorized":true,"Reason":"ACLs disabled, access is allowed by default"}',
  );
  expect(first.headers.get("X-Cache")).toBe("MISS");
  expect(first.headers.get("X-Consul-Index")).toBeNull();
  const second = await client.send("POST", `${authorize}?dc=zz`, asked("db", web));
  expect([second.status, second.headers.get("X-Cache")]).toEqual([200, "HIT"]);
});

test("the most exact intention decides, and is named", async () => {
  const client = await withAgent(false);
  const create = async (SourceName: string, Action: string): Promise<void> => {
    const body = { SourceName, DestinationName: "db", Action };
    await client.send("POST", "/v1/connect/intentions", { body });
  };
  await create("*", "deny");
  await create("web", "allow");
  const reason = async (uri: string) =>
    (await client.send("POST", authorize, asked("db", uri))).text;
  expect(await reason(web)).toBe(
    '{"Authorized":true,"Reason":"Matched intention: ALLOW default/web =\\u003e default/db ' +
      '(ID: 00000000-0000-0000-0000-000000000002, Precedence: 9)"}',
  );
  expect(await reason(web.replace("web", "app"))).toBe(
    '{"Authorized":false,"Reason":"Matched intention: DENY default/* =\\u003e default/db ' +
      '(ID: 00000000-0000-0000-0000-000000000001, Precedence: 8)"}',
  );
});

const undecoded = "Bad request: Request decode failed: ";
const refusals: [method: string, path: string, body: unknown, status: number, text: string][] = [
  ["POST", authorize, "", 400, `${undecoded}EOF`],
  ["POST", authorize, { Foo: 1 }, 400, `${undecoded}json: unknown field "Foo"`],
  [
    "POST",
    authorize,
    { Target: 1 },
    400,
    `${undecoded}json: cannot unmarshal number into Go struct field ConnectAuthorizeRequest.Target of type string`,
  ],
  ["POST", authorize, {}, 400, "Bad request: Target service must be specified"],
  [
    "POST",
    authorize,
    { Target: "web" },
    400,
    "Bad request: ClientCertURI not a valid Connect identifier",
  ],
  [
    "POST",
    authorize,
    { Target: "web", ClientCertURI: "spiffe://x.consul" },
    400,
    "Bad request: ClientCertURI not a valid Service identifier",
  ],
  ["GET", authorize, null, 405, "method GET not allowed"],
  ["GET", `${leaf}/`, null, 500, "URI must be either service or agent"],
  ["GET", `${leaf}/web?index=x`, null, 400, "Invalid index"],
  ["GET", `${leaf}/web?dc=zz`, null, 500, "No path to datacenter"],
  ["POST", `${leaf}/web`, {}, 405, "method POST not allowed"],
  ["GET", `${roots}?dc=zz`, null, 500, "No path to datacenter"],
];

test.each(refusals)("%s %s with %j is refused", async (method, path, body, status, text) => {
  const client = await withAgent();
  const answer = await client.send(method, path, body === null ? {} : { body: body as object });
  expect([answer.status, answer.text]).toEqual([status, text]);
  expect(answer.headers.get("X-Consul-Index")).toBeNull();
});

test("without Connect there are no certificates", async () => {
  const client = await withAgent(false);
  for (const path of [roots, `${leaf}/web`]) {
    const { status, text } = await client.get(path);
    expect([status, text]).toEqual([500, "Connect must be enabled in order to use this endpoint"]);
  }
});
