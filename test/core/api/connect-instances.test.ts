// `catalog/connect` and `health/connect` over a memory cluster, as Consul 1.8.7 answers them.

import { beforeEach, expect, test } from "vitest";
import { ApiClient } from "../../support/api-client.ts";

let client: ApiClient;

beforeEach(async () => {
  client = new ApiClient();
  const register = async (Service: object): Promise<void> => {
    await client.put("/v1/catalog/register", { Node: "n", Address: "10.0.0.1", Service });
  };
  const to = (DestinationServiceName: string, more: object = {}) => ({
    Kind: "connect-proxy",
    Proxy: { DestinationServiceName, ...more },
  });
  await register({ Service: "web", Port: 1, Connect: { Native: true } });
  await register({ Service: "web-proxy", Port: 2, Tags: ["v1"], ...to("Web") });
  const Upstreams = [{ DestinationName: "db", LocalBindPort: 9 }];
  await register({ Service: "other-proxy", Port: 3, ...to("web", { Upstreams }) });
  await register({ Service: "db-proxy", Port: 4, ...to("db") });
  await register({ Service: "plain", Port: 5 });
});

async function catalogPorts(query: string): Promise<number[]> {
  const { json } = await client.get(`/v1/catalog/connect/${query}`);
  return (json as { ServicePort: number }[])
    .map(({ ServicePort }) => ServicePort)
    .toSorted((a, b) => a - b);
}

async function healthPorts(query: string): Promise<number[]> {
  const { json } = await client.get(`/v1/health/connect/${query}`);
  return (json as { Service: { Port: number } }[])
    .map(({ Service }) => Service.Port)
    .toSorted((a, b) => a - b);
}

const found: [query: string, ports: number[]][] = [
  ["web", [1, 2, 3]],
  ["WEB", [1, 2, 3]],
  // Tags are not looked at.
  ["web?tag=nothing", [1, 2, 3]],
  ["web?node-meta=a:b", []],
  ["db", [4]],
  ["plain", []],
  ["web-proxy", []],
];

test.each(found)("%s finds native instances and proxies", async (query, ports) => {
  expect(await catalogPorts(query)).toEqual(ports);
  expect(await healthPorts(query)).toEqual(ports);
});

test("filters narrow what is found", async () => {
  expect(await catalogPorts("web?filter=ServicePort==2")).toEqual([2]);
  expect(await healthPorts("web?filter=Service.Connect.Native==true")).toEqual([1]);
});

test("the catalog always writes the configuration of an upstream", async () => {
  const { text } = await client.get("/v1/catalog/service/other-proxy");
  expect(text).toContain(
    '"Upstreams":[{"DestinationType":"","DestinationName":"db","Datacenter":"",' +
      '"LocalBindPort":9,"Config":null,"MeshGateway":{}}]',
  );
});
