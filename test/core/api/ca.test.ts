// `/v1/connect/ca` over a memory cluster; texts and headers are Consul 1.8.7's.

import { expect, test } from "vitest";
import { ApiClient } from "../../support/api-client.ts";

const roots = "/v1/connect/ca/roots";
const configuration = "/v1/connect/ca/configuration";

async function enabled(): Promise<ApiClient> {
  const client = new ApiClient({}, { connect: {} });
  await client.cluster.authority.initialize();
  return client;
}

test("roots are answered in Consul's order, with an index and without a leader", async () => {
  const client = await enabled();
  const { headers, json } = await client.get(roots);
  expect(headers.get("X-Consul-Index")).toBe("1");
  expect(headers.get("X-Consul-Knownleader")).toBe("false");
  expect(headers.get("X-Consul-Lastcontact")).toBe("0");
  const { Roots: list, ...rest } = json as { Roots: Record<string, unknown>[] };
  expect(Object.keys(rest)).toEqual(["ActiveRootID", "TrustDomain"]);
  expect(list).toHaveLength(1);
  expect(Object.keys(list[0] ?? {})).toEqual([
    "ID",
    "Name",
    "SerialNumber",
    "SigningKeyID",
    "ExternalTrustDomain",
    "NotBefore",
    "NotAfter",
    "RootCert",
    "IntermediateCerts",
    "Active",
    "PrivateKeyType",
    "PrivateKeyBits",
    "CreateIndex",
    "ModifyIndex",
  ]);
});

test("roots as a chain carry no index", async () => {
  const client = await enabled();
  const { headers, text } = await client.get(`${roots}?pem=true`);
  expect(headers.get("Content-Type")).toBe("application/pem-certificate-chain");
  expect(headers.get("X-Consul-Index")).toBeNull();
  expect(text).toMatch(/^-----BEGIN CERTIFICATE-----\n[\s\S]*\n-----END CERTIFICATE-----\n$/);
});

test("a configuration is put and answered as it was given", async () => {
  const client = await enabled();
  const Config = { LeafCertTTL: "80h", Foo: [1] };
  const body = { Provider: "consul", Config, force_without_cross_signing: true, State: { a: "b" } };
  const put = await client.put(configuration, body);
  expect([put.status, put.text, put.headers.get("Content-Type")]).toEqual([200, "", null]);
  const { text, headers } = await client.get(configuration);
  expect(headers.get("X-Consul-Index")).toBeNull();
  expect(text).toBe(
    '{"Provider":"consul","Config":{"Foo":[1],"LeafCertTTL":"80h"},"State":null,' +
      '"ForceWithoutCrossSigning":true,"CreateIndex":1,"ModifyIndex":2}',
  );
});

const undecoded = "Bad request: Request decode failed: ";
const refusals: [method: string, path: string, body: unknown, status: number, text: string][] = [
  [
    "GET",
    `${roots}?pem=zz`,
    null,
    400,
    "Bad request: The 'pem' query parameter must be a boolean value",
  ],
  ["GET", `${roots}?dc=zz`, null, 500, "No path to datacenter"],
  ["GET", `${roots}?index=x`, null, 400, "Invalid index"],
  ["GET", `${configuration}?dc=zz`, null, 500, "No path to datacenter"],
  ["PUT", configuration, "{", 400, `${undecoded}unexpected EOF`],
  ["PUT", configuration, { Foo: 1 }, 400, `${undecoded}json: unknown field "Foo"`],
  [
    "PUT",
    configuration,
    [],
    400,
    `${undecoded}json: cannot unmarshal array into Go value of type ` +
      'struct { ForceWithoutCrossSigningSnake bool "json:\\"force_without_cross_signing\\""; *structs.Alias }',
  ],
  [
    "PUT",
    configuration,
    { Config: [] },
    400,
    `${undecoded}json: cannot unmarshal array into Go struct field .Config of type map[string]interface {}`,
  ],
  ["PUT", configuration, {}, 500, 'could not initialize provider: unknown CA provider ""'],
  [
    "PUT",
    configuration,
    { Provider: "vault" },
    500,
    'could not initialize provider: unknown CA provider "vault"',
  ],
  [
    "PUT",
    configuration,
    { Provider: "consul", Config: { PrivateKey: "x" } },
    500,
    "error generating CA root certificate: error generating CA: error parsing private key: " +
      "no PEM-encoded data found",
  ],
  [
    "PUT",
    configuration,
    { Provider: "consul", Config: { PrivateKey: "x", RootCert: "y" } },
    500,
    "error parsing root fingerprint: no PEM-encoded data found",
  ],
  ["POST", configuration, {}, 405, "method POST not allowed"],
];

test.each(refusals)("%s %s with %j is refused", async (method, path, body, status, text) => {
  const client = await enabled();
  const answer = await client.send(method, path, body === null ? {} : { body: body as object });
  expect([answer.status, answer.text]).toEqual([status, text]);
});

test("without Connect everything says so, once it could be read", async () => {
  const client = new ApiClient();
  const off = "Connect must be enabled in order to use this endpoint";
  for (const path of [roots, `${roots}?pem=1`, configuration]) {
    const { status, text } = await client.get(path);
    expect([status, text]).toEqual([500, off]);
  }
  expect((await client.get(roots)).headers.get("X-Consul-Index")).toBe("1");
  expect((await client.put(configuration, { Provider: "x" })).text).toBe(off);
  expect((await client.put(configuration, "{")).status).toBe(400);
});
