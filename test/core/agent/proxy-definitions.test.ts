// What proxies and sidecars may say of themselves, and how they are refused; every text is Consul 1.8.7's.

import { expect, test } from "vitest";
import { decodeService } from "../../../src/core/agent/decode.ts";
import { validateService } from "../../../src/core/agent/validate.ts";

const service = { Name: "web", Port: 80 };
const proxy = { Name: "px", Kind: "connect-proxy", Port: 9_000 };
const api = { DestinationServiceName: "api" };
const sidecar = (SidecarService: object) => ({ ...service, Connect: { SidecarService } });

function read(body: object) {
  const definition = decodeService(JSON.stringify(body));
  validateService(definition);
  return definition;
}

const proxyType =
  'struct { DestinationServiceNameSnake string "json:\\"destination_service_name\\""; ' +
  'DestinationServiceIDSnake string "json:\\"destination_service_id\\""; ' +
  'LocalServiceAddressSnake string "json:\\"local_service_address\\""; ' +
  'LocalServicePortSnake int "json:\\"local_service_port\\""; *structs.Alias }';
const unknown = (name: string): string => `Request decode failed: json: unknown field "${name}"`;
const mismatch = (what: string, field: string, type: string): string =>
  `Request decode failed: json: cannot unmarshal ${what} into Go struct field .${field} of type ${type}`;

const refusals: [body: object, text: string][] = [
  [{ ...proxy, Proxy: { ...api, mesh_gateway: {} } }, unknown("mesh_gateway")],
  [{ ...proxy, Proxy: { destination_servicename: "q" } }, unknown("destination_servicename")],
  [{ ...proxy, Proxy: { ...api, up_streams: [] } }, unknown("up_streams")],
  [{ ...proxy, Proxy: { ...api, Upstreams: [{ data_center: "x" }] } }, unknown("data_center")],
  [{ ...proxy, Proxy: { ...api, Expose: { check_s: true } } }, unknown("check_s")],
  [
    { ...proxy, Proxy: { ...api, Expose: { Paths: [{ parsed_from_check: true }] } } },
    unknown("parsed_from_check"),
  ],
  [sidecar({ Foo: 1 }), unknown("Foo")],
  [sidecar({ Proxy: { Foo: 1 } }), unknown("Foo")],
  [{ ...proxy, Proxy: 5 }, mismatch("number", "Proxy", proxyType)],
  [
    { ...proxy, Proxy: { ...api, Upstreams: {} } },
    mismatch("object", "Proxy", "structs.Upstreams"),
  ],
  [
    { ...service, Connect: 5 },
    mismatch(
      "number",
      "Connect",
      'struct { SidecarServiceSnake *structs.ServiceDefinition "json:\\"sidecar_service\\""; *structs.Alias }',
    ),
  ],
  [
    sidecar({ Meta: { "a b": "c" } }),
    "Bad request: Invalid SidecarService: Couldn't load metadata pair ('a b', 'c'): " +
      "Key contains invalid characters",
  ],
  [
    sidecar({ TaggedAddresses: { lan_ipv4: { Address: "::1" } } }),
    'Service tagged address "lan_ipv4" must be a valid ipv4 address',
  ],
  [
    {
      ...proxy,
      Proxy: {
        ...api,
        Expose: {
          Paths: [
            { Path: "/a", ListenerPort: 70_000 },
            { Path: "/a", ListenerPort: 70_000, Protocol: "x" },
          ],
        },
      },
    },
    "5 errors occurred:\n" +
      "\t* expose.paths: invalid listener port: 70000\n" +
      "\t* expose.paths: duplicate paths exposed\n" +
      "\t* expose.paths: duplicate listener ports exposed\n" +
      "\t* expose.paths: invalid listener port: 70000\n" +
      "\t* protocol 'x' not supported for path: /a, must be in: [http http2]\n\n",
  ],
];

test.each(refusals)("%j is refused", (body, text) => {
  expect(() => read(body)).toThrow(expect.objectContaining({ message: text }));
});

test("snake case is read where Consul reads it", () => {
  const upstream = {
    destination_type: "prepared_query",
    destination_name: "q",
    local_bind_port: 3,
  };
  const path = { listener_port: 5, path: "/x", local_path_port: 4 };
  const { service: found } = read({
    ...proxy,
    Proxy: {
      destination_service_name: "api",
      local_service_port: 7,
      Upstreams: [upstream],
      Expose: { Paths: [path] },
    },
  });
  expect(found.Proxy).toMatchObject({
    DestinationServiceName: "api",
    LocalServicePort: 7,
    Upstreams: [{ DestinationType: "prepared_query", DestinationName: "q", LocalBindPort: 3 }],
    Expose: { Paths: [{ ListenerPort: 5, Path: "/x", LocalPathPort: 4 }] },
  });
});

test("what Connect does not know passes, in a sidecar's own Connect, too", () => {
  expect(read({ ...service, Connect: { Native: true, Foo: { a: 1 } } }).service.Connect).toEqual({
    Native: true,
  });
  expect(read(sidecar({ Connect: { Foo: 1 } })).sidecar).not.toBeNull();
});
