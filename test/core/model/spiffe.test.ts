import { expect, test } from "vitest";
import {
  parseSpiffeId,
  rootCommonName,
  serviceCommonName,
  serviceUri,
} from "../../../src/core/model/spiffe.ts";

const service = { kind: "service", host: "x.consul", namespace: "default", datacenter: "dc1" };

/** As Consul 1.8.7 took or refused them in `agent/connect/authorize`. */
const ids: [uri: string, id: unknown][] = [
  ["spiffe://x.consul/ns/default/dc/dc1/svc/web", { ...service, service: "web" }],
  ["SPIFFE://x.consul/ns/default/dc/dc1/svc/we%20b", { ...service, service: "we b" }],
  ["spiffe://x.consul/ns/default/dc/dc1/svc/a?b#c", { ...service, service: "a" }],
  [
    "spiffe://x.consul/agent/client/dc/dc1/id/abc",
    { kind: "agent", host: "x.consul", datacenter: "dc1", agent: "abc" },
  ],
  ["spiffe://x.consul", { kind: "signing", host: "x.consul" }],
  ["spiffe://x", null],
  ["x", null],
  [":", null],
  ["", null],
  ["http://x.consul/ns/default/dc/dc1/svc/web", null],
  ["spiffe://x.consul/ns/default/dc/dc1/svc/", null],
  ["spiffe://x.consul/ns/default/dc/dc1/svc/a/b", null],
  ["spiffe://x.consul/ns/default/dc/dc1/svc/%zz", null],
  ["spiffe:///ns/default/dc/dc1/svc/web", { ...service, host: "", service: "web" }],
  ["spiffe://u:p@x.consul/ns/default/dc/dc1/svc/web", { ...service, service: "web" }],
  ["spiffe://x.consul/ns/default/dc/dc1/svc/a b", { ...service, service: "a b" }],
  ["spiffe://[::1/ns/default/dc/dc1/svc/web", null],
  ["spiffe://x y/ns/default/dc/dc1/svc/web", null],
  ["spiffe://x.consul/ns/default/dc/dc1/svc/web\n", null],
  [" spiffe://x.consul/ns/default/dc/dc1/svc/web", null],
];

test.each(ids)("%s", (uri, id) => {
  expect(parseSpiffeId(uri)).toEqual(id);
});

const names: [service: string, uri: string, commonName: string][] = [
  ["web", "web", "web.svc.default.0931f1fd.consul"],
  ["Web_1.x", "Web_1.x", "web1x.svc.default.0931f1fd.consul"],
  ["web-api", "web-api", "webapi.svc.default.0931f1fd.consul"],
  ["web y", "web%20y", "weby.svc.default.0931f1fd.consul"],
  ["été", "%C3%A9t%C3%A9", "t.svc.default.0931f1fd.consul"],
  ["$&+,:;=@!*'()", "$&+,:;=@%21%2A%27%28%29", ".svc.default.0931f1fd.consul"],
  ["a".repeat(80), "a".repeat(80), `${"a".repeat(36)}.svc.default.0931f1fd.consul`],
];

test.each(names)("what the certificate of %s is called", (name, path, commonName) => {
  const domain = "0931f1fd-6acf-fec9-6a4d-1d3811a1992f.consul";
  const uri = serviceUri(domain, "dc1", name);
  expect(uri).toBe(`spiffe://${domain}/ns/default/dc/dc1/svc/${path}`);
  expect(parseSpiffeId(uri)).toMatchObject({ service: name, host: domain });
  expect(serviceCommonName(domain, name)).toBe(commonName);
  expect(serviceCommonName(domain, name).length).toBeLessThanOrEqual(64);
});

test("what a root is called", () => {
  expect(rootCommonName("0931f1fd-6acf", "1woze5z")).toBe("pri-1woze5z.consul.ca.0931f1fd.consul");
});
