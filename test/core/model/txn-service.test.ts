// A service in the body of a transaction: what is wrong with it is said in Consul 1.8.7's words, though little of it is
// kept.

import { expect, test } from "vitest";
import { decodeBody } from "../../../src/core/model/decode.ts";
import { txnOperations, txnRequestSchema } from "../../../src/core/model/txn-request.ts";

function read(service: string) {
  const body = `[{"Service":{"Verb":"set","Node":"n","Service":{"Service":"web",${service}}}}]`;
  return txnOperations(decodeBody(txnRequestSchema, body, "refuse"));
}

const mismatch = (what: string, field: string, type: string): string => {
  const path = field.replace(".", ".Service.Service.");
  return `json: cannot unmarshal ${what} into Go struct field ${path} of type ${type}`;
};

const refusals: [service: string, text: string][] = [
  ['"Kind":5', mismatch("number", "AgentService.Kind", "api.ServiceKind")],
  [
    '"TaggedAddresses":{"lan":5}',
    mismatch("number", "AgentService.TaggedAddresses", "api.ServiceAddress"),
  ],
  ['"CreateIndex":"x"', mismatch("string", "AgentService.CreateIndex", "uint64")],
  ['"Weights":{"Passing":"x"}', mismatch("string", "AgentWeights.Weights.Passing", "int")],
  ['"Connect":5', mismatch("number", "AgentService.Connect", "api.AgentServiceConnect")],
  ['"Connect":{"Foo":1}', 'json: unknown field "Foo"'],
  ['"Proxy":{"destination_service_name":"x"}', 'json: unknown field "destination_service_name"'],
  ['"Proxy":5', mismatch("number", "AgentService.Proxy", "api.AgentServiceConnectProxyConfig")],
  [
    '"Proxy":{"Upstreams":5}',
    mismatch("number", "AgentServiceConnectProxyConfig.Proxy.Upstreams", "[]api.Upstream"),
  ],
  [
    '"Proxy":{"Upstreams":[{"DestinationType":5}]}',
    mismatch("number", "Upstream.Proxy.Upstreams.DestinationType", "api.UpstreamDestType"),
  ],
  [
    '"Proxy":{"Expose":{"Paths":[{"ListenerPort":"x"}]}}',
    mismatch("string", "ExposePath.Proxy.Expose.Paths.ListenerPort", "int"),
  ],
];

test.each(refusals)("%s is refused", (service, text) => {
  expect(() => read(service)).toThrow(text);
});

test("what kind of proxy it is does not enter the catalog this way", () => {
  const [operation] = read(
    '"Port":3,"Kind":"connect-proxy","Proxy":{"DestinationServiceName":"q"},' +
      '"Connect":{"Native":true},"TaggedAddresses":{"lan":{"Address":"1.1.1.1"}}',
  );
  expect(operation).toMatchObject({
    service: {
      Service: "web",
      Port: 3,
      Kind: "",
      TaggedAddresses: null,
      Proxy: { DestinationServiceName: "" },
      Connect: { Native: false },
    },
  });
});
