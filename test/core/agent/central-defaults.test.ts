// What configuration entries add to a registration; the answers are Consul 1.8.7's.

import { expect, test } from "vitest";
import { defaultsSubject, withDefaults } from "../../../src/core/agent/central-defaults.ts";
import type { CentralDefaults } from "../../../src/core/agent/central-defaults.ts";
import { decodeBody } from "../../../src/core/model/decode.ts";
import { nodeServiceDefinitionSchema } from "../../../src/core/model/schemas.ts";
import type { NodeServiceDefinition } from "../../../src/core/model/types.ts";

const serviceOf = (body: object) =>
  decodeBody(nodeServiceDefinitionSchema, JSON.stringify(body), "refuse") as NodeServiceDefinition;
const sidecar = (proxy: object) =>
  serviceOf({
    Kind: "connect-proxy",
    Service: "px",
    Port: 1,
    Proxy: { DestinationServiceName: "web", DestinationServiceID: "web1", ...proxy },
  });
const nothing: CentralDefaults = {
  ProxyConfig: null,
  UpstreamProtocols: {},
  MeshGateway: { Mode: "" },
  Expose: { Checks: false, Paths: null },
};
const proxyWith = (own: object, defaults: Partial<CentralDefaults>) =>
  withDefaults(sidecar(own), { ...nothing, ...defaults }).Proxy;

test.each<[service: NodeServiceDefinition, subject: object | null]>([
  [serviceOf({ Service: "web" }), null],
  [
    serviceOf({ Service: "px", Kind: "connect-proxy", Proxy: { DestinationServiceName: "web" } }),
    null,
  ],
  [serviceOf({ Service: "gw", Kind: "mesh-gateway" }), { service: "gw", upstreams: [] }],
  [
    sidecar({
      Upstreams: [
        { DestinationName: "b", LocalBindPort: 1 },
        { DestinationName: "a", DestinationType: "service", LocalBindPort: 2 },
        { DestinationName: "b", LocalBindPort: 3 },
        { DestinationName: "q", DestinationType: "prepared_query", LocalBindPort: 4 },
      ],
    }),
    { service: "web", upstreams: ["a", "b"] },
  ],
])("only gateways and sidecars follow entries: case %#", (service, subject) => {
  expect(defaultsSubject(service)).toEqual(subject);
});

test("what the registration says wins, but for what is empty", () => {
  const own = {
    zero: 0,
    empty: "",
    f: false,
    l: [],
    o: { b: 2, z: { q: 0, w: 1 } },
    t: "own",
    mix: 5,
  };
  const general = {
    ...{ zero: 5, empty: "d", f: true, l: [1, 2], t: "s", mix: { x: 1 } },
    o: { a: 1, z: { q: 1 } },
  };
  expect(proxyWith({ Config: own }, { ProxyConfig: general }).Config).toEqual({
    ...{ zero: 5, empty: "d", f: true, l: [1, 2], t: "own", mix: 5 },
    o: { a: 1, b: 2, z: { q: 1, w: 1 } },
  });
  expect(proxyWith({}, { ProxyConfig: general }).Config).toEqual(general);
  expect(proxyWith({ Config: own }, {}).Config).toEqual(own);
});

test("names of JavaScript's own are only names", () => {
  const own = JSON.parse('{"__proto__":{"a":1},"constructor":1}') as object;
  const general = JSON.parse('{"__proto__":{"b":2},"toString":2}') as never;
  const merged = proxyWith({ Config: own }, { ProxyConfig: general }).Config;
  expect(JSON.stringify(merged)).toBe('{"__proto__":{"a":1,"b":2},"constructor":1,"toString":2}');
});

test("gateway modes go down to upstreams that are services, protocols to those that are known", () => {
  const Upstreams = [
    { DestinationName: "api", LocalBindPort: 1 },
    { DestinationName: "q", DestinationType: "prepared_query", LocalBindPort: 2 },
    {
      DestinationName: "web",
      LocalBindPort: 3,
      Config: { protocol: "mine" },
      MeshGateway: { Mode: "none" },
    },
    { DestinationName: "toString", LocalBindPort: 4 },
  ];
  const proxy = proxyWith(
    { Upstreams },
    { UpstreamProtocols: { api: "http2", web: "grpc" }, MeshGateway: { Mode: "local" } },
  );
  expect(proxy.MeshGateway).toEqual({ Mode: "local" });
  expect(proxy.Upstreams).toMatchObject([
    { Config: { protocol: "http2" }, MeshGateway: { Mode: "local" } },
    { Config: null, MeshGateway: { Mode: "" } },
    { Config: { protocol: "mine" }, MeshGateway: { Mode: "none" } },
    { Config: null, MeshGateway: { Mode: "local" } },
  ]);
  expect(
    proxyWith({ MeshGateway: { Mode: "none" } }, { MeshGateway: { Mode: "local" } }),
  ).toMatchObject({
    MeshGateway: { Mode: "none" },
  });
});

test("exposed paths are the registration's, unless it has none; checks are exposed when either says so", () => {
  const path = {
    ListenerPort: 1,
    Path: "/d",
    LocalPathPort: 2,
    Protocol: "",
    ParsedFromCheck: false,
  };
  const Expose = { Checks: true, Paths: [path] };
  expect(proxyWith({}, { Expose }).Expose).toEqual(Expose);
  const own = { ...path, Path: "/own" };
  expect(proxyWith({ Expose: { Paths: [own] } }, { Expose }).Expose).toEqual({
    Checks: true,
    Paths: [own],
  });
});
