// Whose certificate is a server's, and for what.

import { expect, test } from "vitest";

import { dnsNames, isOfService, isServersName } from "../../../src/link/peer-tls.ts";

const naming = { datacenter: "dc1", domain: "consul" };

test.each([
  ["server.dc1.consul", "/rpc/raft", true],
  ["SERVER.DC1.consul", "/rpc/raft", true],
  ["server.dc2.consul", "/rpc/raft", false],
  ["server.dc2.consul", "/rpc/requests", true],
  ["server.dc2.consul", "/rpc/link", true],
  ["server.dc2.consul", "/link", false],
  ["client.dc1.consul", "/rpc/raft", false],
  ["client.dc1.consul", "/rpc/requests", false],
  ["server.client.dc1.consul", "/rpc/requests", false],
  ["server.dc1.consul.example", "/rpc/raft", false],
  ["n1.server.dc1.consul", "/rpc/raft", false],
  ["server..consul", "/rpc/requests", false],
  ["*.dc1.consul", "/rpc/raft", false],
  ["server.dc1", "/rpc/requests", false],
])("%s at %s: %s", (name, path, expected) => {
  expect(isServersName(["localhost", name], path, naming)).toBe(expected);
});

test.each([
  [undefined, []],
  ["", []],
  ["DNS:a.b, IP Address:127.0.0.1, DNS:c", ["a.b", "c"]],
  ["URI:spiffe://x/DNS:a", []],
  // Connect's certificates are no server's, whatever names their owner asked for.
  ["DNS:server.dc1.consul, URI:spiffe://x.consul/agent/client/dc/dc1/id/a", []],
  ["URI:SPIFFE://x.consul/ns/default/dc/dc1/svc/web, DNS:server.dc1.consul", []],
  ['DNS:server.dc1.consul, URI:"spiffe://x.consul/a\\u002cb"', []],
  // A name that holds what looks like the next one is quoted by Node.
  ['DNS:"evil\\u002c DNS:server.dc1.consul"', []],
  ['DNS:"evil, DNS:server.dc1.consul"', []],
  ['DNS:"a, DNS:server.dc1.consul, DNS:b", DNS:c', ["c"]],
  ['DNS:"a\\", DNS:server.dc1.consul, ", DNS:c', ["c"]],
])("%j holds %j", (text, names) => {
  expect(dnsNames(text)).toEqual(names);
});

test.each([
  [undefined, false],
  ["DNS:localhost, URI:spiffe://x.consul/agent/client/dc/dc1/id/a", false],
  ["URI:spiffe://x.consul/ns/default/dc/dc1/svc/web", true],
  ["DNS:client.dc1.consul", false],
])("%j is of a service: %s", (text, expected) => {
  expect(isOfService(text)).toBe(expected);
});
