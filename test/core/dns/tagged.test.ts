// Which of several addresses a node or an instance is answered with: what Consul 1.8.7 answers for the same rows.

import { expect, test } from "vitest";

import type { Found, Need } from "../../../src/core/dns/needs.ts";
import type { DnsRecord, SrvData } from "../../../src/core/dns/records.ts";
import { resolve } from "../../../src/core/dns/resolve.ts";
import { defaultDnsSettings } from "../../../src/core/dns/settings.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import type { CheckServiceNode, Node } from "../../../src/core/model/types.ts";

interface Row {
  address: string;
  tagged?: Record<string, string>;
  own?: string;
  ownTagged?: Record<string, string>;
}

/** Nodes by name, each with one instance of the service of that name. */
const rows: Record<string, Row> = {
  both: {
    address: "10.9.1.1",
    tagged: { lan_ipv4: "10.9.1.2", lan_ipv6: "2001:db8:9::2" },
    own: "10.9.1.5",
    ownTagged: { lan_ipv4: "10.9.1.6", lan_ipv6: "2001:db8:9::6" },
  },
  newer: { address: "10.9.2.1", own: "2001:db8:9::7" },
  host: {
    address: "2001:db8:9::8",
    tagged: { lan_ipv4: "10.9.3.1" },
    own: "x.example.com",
    ownTagged: { lan_ipv6: "2001:db8:9::9" },
  },
  onlynode: { address: "10.9.4.1", tagged: { lan_ipv4: "10.9.4.2", wan: "1.2.3.4" } },
  same: { address: "10.9.5.1", tagged: { lan_ipv4: "10.9.5.1", lan_ipv6: "" } },
  onlytag: { address: "10.9.6.1", ownTagged: { lan_ipv4: "10.9.6.2" } },
  pointer: { address: "10.9.7.1", own: "same.node.consul" },
};

function nodeOf(name: string): Node {
  const { address, tagged = null } = rows[name] ?? { address: "" };
  return { Node: name, Address: address, TaggedAddresses: tagged, Meta: null } as Node;
}

function instanceOf(name: string): CheckServiceNode {
  const { own = "", ownTagged } = rows[name] ?? {};
  const tagged = Object.entries(ownTagged ?? {}).map(([tag, Address]) => [
    tag,
    { Address, Port: 9 },
  ]);
  const TaggedAddresses = ownTagged ? Object.fromEntries(tagged) : null;
  const Service = { Address: own, Port: 7, TaggedAddresses, Weights: { Passing: 1, Warning: 1 } };
  return { Node: nodeOf(name), Service, Checks: [] } as unknown as CheckServiceNode;
}

function find(need: Need): Found {
  if (need.need === "node") return { node: nodeOf(need.node) };
  if (need.need === "service") return { instances: [instanceOf(need.service)] };
  return { records: [] };
}

function ask(name: string, type: string): string[] {
  const settings = { ...defaultDnsSettings, datacenter: "dc1", serviceTtlMs: { pointer: 5_000 } };
  const context = {
    settings,
    random: seededRandom(1),
    nowSeconds: 0,
    edns: false,
    clientAddress: "",
  };
  const resolution = resolve({ name: `${name}.consul`, type }, context);
  let step = resolution.next();
  while (!step.done) step = resolution.next(find(step.value));
  return [...step.value.answers, ...step.value.additionals].map(line);
}

function line({ type, ttl, data }: DnsRecord): string {
  const text = typeof data === "string" ? data : (data as SrvData).target;
  return `${type}${ttl > 0 ? ` ${ttl}` : ""} ${text}`;
}

const cases: [name: string, type: string, lines: string[]][] = [
  ["both.node", "A", ["A 10.9.1.2"]],
  ["both.node", "AAAA", ["AAAA 2001:db8:9::2"]],
  ["both.node", "ANY", ["AAAA 2001:db8:9::2"]],
  ["newer.node", "AAAA", []],
  ["newer.node", "ANY", ["A 10.9.2.1"]],
  ["host.node", "A", ["A 10.9.3.1"]],
  ["host.node", "AAAA", ["AAAA 2001:db8:9::8"]],
  ["host.node", "ANY", ["A 10.9.3.1"]],
  ["both.service", "A", ["A 10.9.1.6"]],
  ["both.service", "AAAA", ["AAAA 2001:db8:9::6"]],
  ["both.service", "ANY", ["AAAA 2001:db8:9::6"]],
  [
    "both.service",
    "SRV",
    ["SRV 20010db8000900000000000000000006.addr.dc1.consul", "AAAA 2001:db8:9::6"],
  ],
  ["newer.service", "AAAA", ["AAAA 2001:db8:9::7"]],
  ["host.service", "A", ["CNAME x.example.com"]],
  ["host.service", "AAAA", ["AAAA 2001:db8:9::9"]],
  [
    "host.service",
    "SRV",
    ["SRV 20010db8000900000000000000000009.addr.dc1.consul", "AAAA 2001:db8:9::9"],
  ],
  ["onlynode.service", "A", ["A 10.9.4.2"]],
  ["onlynode.service", "SRV", ["SRV 0a090402.addr.dc1.consul", "A 10.9.4.2"]],
  ["same.service", "SRV", ["SRV same.node.dc1.consul", "A 10.9.5.1"]],
  ["onlytag.service", "A", ["A 10.9.6.2"]],
  ["onlytag.service", "SRV", ["SRV 0a090602.addr.dc1.consul", "A 10.9.6.2"]],
  ["pointer.service", "A", ["CNAME 5 same.node.consul", "A 5 10.9.5.1"]],
  ["pointer.service", "SRV", ["SRV 5 same.node.consul", "A 5 10.9.5.1"]],
];

test.each(cases)("%s %s: %j", (name, type, lines) => {
  expect(ask(name, type)).toEqual(lines);
});

test("an instance of the other family is left out, not its node put in its place", () => {
  expect(ask("newer.service", "A")).toEqual([]);
});
