// Consul's DNS rules, each as it was captured from Consul 1.8.7. The view is a few rows in memory; the resolver asks it
// synchronously.

import { describe, expect, test } from "vitest";

import type { Found, Need } from "../../../src/core/dns/needs.ts";
import type { Answer, DnsRecord } from "../../../src/core/dns/records.ts";
import { resolve } from "../../../src/core/dns/resolve.ts";
import { defaultDnsSettings, type DnsSettings } from "../../../src/core/dns/settings.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import type { CheckServiceNode, Node } from "../../../src/core/model/types.ts";

interface Instance {
  node: string;
  address: string;
  service: string;
  port: number;
  serviceAddress?: string;
  tags?: string[];
  status?: string;
  weights?: { Passing: number; Warning: number };
}

const metas: Record<string, Record<string, string>> = {
  dn1: { zone: "z1" },
  srv: { rack: "r1", "rfc1035-note": "hello", "a=b`c": " x`y " },
};

const instances: Instance[] = [
  ...[1, 2, 3, 4, 5].map((n) => ({
    node: `dn${n}`,
    address: `10.0.1.${n}`,
    service: "dnsweb",
    port: 8_080 + n,
    tags: [`v${n}`],
    status: n === 5 ? "critical" : n === 4 ? "warning" : "passing",
    weights: { Passing: 5, Warning: 2 },
  })),
  { node: "srv", address: "127.77.0.1", service: "consul", port: 8_300 },
  { node: "v6", address: "2001:db8::1", service: "six", port: 1 },
  { node: "ext", address: "www.example.com", service: "extsvc", port: 443 },
  { node: "dn1", address: "10.0.1.1", service: "sa", port: 9, serviceAddress: "10.9.9.9" },
  { node: "dn1", address: "10.0.1.1", service: "sf", port: 9, serviceAddress: "db.example.com" },
  {
    node: "dn1",
    address: "10.0.1.1",
    service: "sc",
    port: 9,
    serviceAddress: "dnsweb.service.consul",
  },
  {
    node: "dn1",
    address: "10.0.1.1",
    service: "loop",
    port: 9,
    serviceAddress: "loop.service.consul",
  },
];

function nodeOf({ node, address }: Instance): Node {
  return {
    ID: "",
    Node: node,
    Address: address,
    Datacenter: "dc1",
    TaggedAddresses: null,
    Meta: metas[node] ?? null,
    CreateIndex: 1,
    ModifyIndex: 1,
  };
}

function entryOf(instance: Instance): CheckServiceNode {
  const { service, port, serviceAddress = "", tags = [], status = "passing", weights } = instance;
  return {
    Node: nodeOf(instance),
    Service: {
      ID: service,
      Service: service,
      Tags: tags,
      Address: serviceAddress,
      TaggedAddresses: null,
      Port: port,
      Weights: weights ?? { Passing: 1, Warning: 1 },
    } as unknown as CheckServiceNode["Service"],
    Checks: [{ Status: status }] as CheckServiceNode["Checks"],
  };
}

function view(need: Need): Found {
  if ("datacenter" in need && need.datacenter !== "dc1") return { failure: "absent" };
  if (need.need === "host") return { records: [] };
  if (need.need === "recursion") return { failure: "unreachable" };
  if (need.need === "node") {
    const found = instances.find(({ node }) => node === need.node);
    return { node: found ? nodeOf(found) : null };
  }
  if (need.need === "reverse") {
    const node = instances.find(({ address }) => address === need.address)?.node;
    const service = instances.find(
      ({ serviceAddress }) => serviceAddress === need.address,
    )?.service;
    if (node !== undefined) return { reverse: { node } };
    return { reverse: service === undefined ? null : { service } };
  }
  if (need.need === "query") return { failure: "absent" };
  const { service, tag } = need;
  const found = instances.filter(
    (instance) => instance.service === service && (tag === "" || instance.tags?.includes(tag)),
  );
  return { instances: found.map(entryOf) };
}

function ask(name: string, type: string, changed: Partial<DnsSettings> = {}): Answer {
  const settings = { ...defaultDnsSettings, datacenter: "dc1", ...changed };
  const context = {
    settings,
    random: seededRandom(1),
    nowSeconds: 1_795_354_395,
    edns: false,
    clientAddress: "",
  };
  const resolution = resolve({ name, type }, context);
  let step = resolution.next();
  while (!step.done) step = resolution.next(view(step.value));
  return step.value;
}

function line({ name, type, ttl, data }: DnsRecord): string {
  const text = typeof data === "string" ? data : Object.values(data).join(" ");
  return `${name} ${ttl} ${type} ${text}`;
}

/** Sorted, because answers are shuffled. */
function lines(records: readonly DnsRecord[]): string[] {
  return records.map(line).toSorted();
}

const soa = "consul 0 SOA ns.consul hostmaster.consul 1795354395 3600 600 86400 0";

describe("nodes", () => {
  test("an address, and the metadata beside it", () => {
    const { rcode, answers, additionals } = ask("srv.node.consul", "A");
    expect(rcode).toBe("NOERROR");
    expect(lines(answers)).toEqual(["srv.node.consul 0 A 127.77.0.1"]);
    expect(lines(additionals)).toEqual([
      "srv.node.consul 0 TXT a`=b``c= x``y ",
      "srv.node.consul 0 TXT hello",
      "srv.node.consul 0 TXT rack=r1",
    ]);
    expect(lines(ask("srv.node.dc1.consul", "A").answers)).toHaveLength(1);
  });

  test("the wrong family is NOERROR without SOA; ANY has the metadata as answers", () => {
    expect(ask("dn1.node.consul", "AAAA")).toMatchObject({
      rcode: "NOERROR",
      answers: [],
      authorities: [],
    });
    expect(lines(ask("dn1.node.consul", "ANY").answers)).toEqual([
      "dn1.node.consul 0 A 10.0.1.1",
      "dn1.node.consul 0 TXT zone=z1",
    ]);
    expect(ask("dn1.node.consul", "SRV")).toMatchObject({
      rcode: "NOERROR",
      answers: [],
      additionals: [],
    });
  });

  test("unknown nodes and datacenters are NXDOMAIN with SOA", () => {
    for (const name of [
      "nope.node.consul",
      "dn1.node.dc9.consul",
      "foo.bar.consul",
      "service.consul",
      "consul",
    ]) {
      const { rcode, authorities } = ask(name, "A");
      expect(rcode, name).toBe("NXDOMAIN");
      expect(lines(authorities), name).toEqual([soa]);
    }
  });

  test("a node that is a host name is a CNAME", () => {
    expect(lines(ask("ext.node.consul", "A").answers)).toEqual([
      "ext.node.consul 0 CNAME www.example.com",
    ]);
  });
});

describe("services", () => {
  test("every instance without a critical check, under the name as it was asked", () => {
    const { answers } = ask("DNSWEB.Service.Consul", "A");
    expect(lines(answers)).toEqual(
      [1, 2, 3, 4].map((n) => `DNSWEB.Service.Consul 0 A 10.0.1.${n}`),
    );
    expect(lines(ask("dnsweb.service.consul", "A", { onlyPassing: true }).answers)).toHaveLength(3);
    expect(lines(ask("dnsweb.service.consul", "A", { aRecordLimit: 2 }).answers)).toHaveLength(2);
  });

  test("SRV: targets are nodes, weights follow the status, addresses and metadata come along", () => {
    const { answers, additionals } = ask("dnsweb.service.consul", "SRV");
    expect(lines(answers)).toEqual([
      "dnsweb.service.consul 0 SRV 1 2 8084 dn4.node.dc1.consul",
      "dnsweb.service.consul 0 SRV 1 5 8081 dn1.node.dc1.consul",
      "dnsweb.service.consul 0 SRV 1 5 8082 dn2.node.dc1.consul",
      "dnsweb.service.consul 0 SRV 1 5 8083 dn3.node.dc1.consul",
    ]);
    expect(lines(additionals)).toContain("dn1.node.dc1.consul 0 TXT zone=z1");
  });

  test("a tag narrows, an unknown one is NXDOMAIN", () => {
    expect(lines(ask("v1.dnsweb.service.consul", "A").answers)).toHaveLength(1);
    expect(ask("v9.dnsweb.service.consul", "A").rcode).toBe("NXDOMAIN");
  });

  test("RFC 2782: _tcp is no tag, any other word is one, .service may be left out for SRV only", () => {
    expect(ask("_dnsweb._tcp.service.consul", "SRV").answers).toHaveLength(4);
    expect(ask("_dnsweb._v2.service.consul", "SRV").answers).toHaveLength(1);
    expect(ask("_dnsweb._udp.service.consul", "SRV").rcode).toBe("NXDOMAIN");
    expect(ask("_dnsweb._tcp.consul", "SRV").answers).toHaveLength(4);
    expect(ask("_dnsweb._tcp.consul", "A").rcode).toBe("NXDOMAIN");
  });

  test("no record of the family left: NOERROR with SOA", () => {
    const { rcode, answers, authorities } = ask("six.service.consul", "A");
    expect({ rcode, answers }).toEqual({ rcode: "NOERROR", answers: [] });
    expect(lines(authorities)).toEqual([soa]);
    expect(lines(ask("six.service.consul", "AAAA").answers)).toEqual([
      "six.service.consul 0 AAAA 2001:db8::1",
    ]);
  });

  test("an address of its own becomes an .addr. target", () => {
    const { answers, additionals } = ask("sa.service.consul", "SRV");
    expect(lines(answers)).toEqual(["sa.service.consul 0 SRV 1 1 9 0a090909.addr.dc1.consul"]);
    expect(lines(additionals)[0]).toBe("0a090909.addr.dc1.consul 0 A 10.9.9.9");
  });

  test("host names: a CNAME, followed inside the zone, and no further than three deep", () => {
    expect(lines(ask("sf.service.consul", "A").answers)).toEqual([
      "sf.service.consul 0 CNAME db.example.com",
    ]);
    expect(ask("sc.service.consul", "A").answers[0]).toMatchObject({
      type: "CNAME",
      data: "dnsweb.service.consul",
    });
    expect(ask("sc.service.consul", "A").answers.length).toBe(5);
    expect(ask("loop.service.consul", "A").rcode).toBe("NOERROR");
  });

  test("host names: a CNAME is answered to whoever asks for one, or for anything that is not there", () => {
    for (const type of ["CNAME", "MX", "CAA"]) {
      const { answers, authorities } = ask("sf.service.consul", type);
      expect(lines(answers)).toEqual(["sf.service.consul 0 CNAME db.example.com"]);
      expect(authorities).toEqual([]);
    }
    expect(ask("sc.service.consul", "CNAME").answers.length).toBe(5);
    expect(lines(ask("dnsweb.service.consul", "CNAME").authorities)).toEqual([soa]);
  });

  test("SRV: the node's metadata is there also beside an address of its own or a host name", () => {
    const text = "dn1.node.dc1.consul 0 TXT zone=z1";
    for (const service of ["sa", "sf", "sc"]) {
      expect(lines(ask(`${service}.service.consul`, "SRV").additionals)).toContain(text);
      const none = { nodeMetaTxt: false };
      expect(lines(ask(`${service}.service.consul`, "SRV", none).additionals)).not.toContain(text);
    }
  });

  test("TTLs: the exact name, else the longest prefix", () => {
    const serviceTtlMs = { "*": 10_000, "dns*": 8_000, dnsweb: 7_000 };
    expect(ask("dnsweb.service.consul", "A", { serviceTtlMs }).answers[0]?.ttl).toBe(7);
    expect(ask("six.service.consul", "AAAA", { serviceTtlMs }).answers[0]?.ttl).toBe(10);
    expect(ask("dn1.node.consul", "A", { nodeTtlMs: 30_000 }).answers[0]?.ttl).toBe(30);
  });
});

describe("the zone, addresses and reverse names", () => {
  test("SOA and NS of any name", () => {
    const { answers, authorities, additionals } = ask("dnsweb.service.consul", "SOA");
    expect(lines(answers)).toEqual([soa]);
    expect(lines(authorities)).toEqual(["consul 0 NS srv.node.dc1.consul"]);
    expect(lines(additionals)).toEqual(["srv.node.dc1.consul 0 A 127.77.0.1"]);
    expect(lines(ask("consul", "NS").answers)).toEqual(["consul 0 NS srv.node.dc1.consul"]);
    expect(ask("consul", "AXFR").rcode).toBe("NOTIMP");
  });

  test(".addr. answers its own type and ANY; asked for another, it is beside the answer", () => {
    const v4 = "0a090909.addr.dc1.consul 0 A 10.9.9.9";
    for (const type of ["A", "ANY"]) {
      expect(lines(ask("0a090909.addr.dc1.consul", type).answers)).toEqual([v4]);
    }
    for (const type of ["AAAA", "MX", "TXT", "SRV"]) {
      const { rcode, answers, additionals } = ask("0a090909.addr.dc1.consul", type);
      expect([rcode, answers, lines(additionals)]).toEqual(["NOERROR", [], [v4]]);
    }
    const v6 = "20010db8000000000000000000000001.addr.consul";
    expect(lines(ask(v6, "AAAA").answers)).toEqual([`${v6} 0 AAAA 2001:db8::1`]);
    expect(ask(v6, "A").answers).toEqual([]);
    expect(ask("c633.addr.consul", "A")).toMatchObject({ rcode: "NOERROR", answers: [] });
    expect(ask("zzzzzzzz.addr.consul", "A").rcode).toBe("NXDOMAIN");
    expect(ask("a.0a090909.addr.consul", "A").rcode).toBe("NXDOMAIN");
  });

  test("reverse names: nodes, then services, else SERVFAIL with recursion available", () => {
    expect(lines(ask("1.1.0.10.in-addr.arpa", "PTR").answers)).toEqual([
      "1.1.0.10.in-addr.arpa 0 PTR dn1.node.dc1.consul",
    ]);
    expect(lines(ask("9.9.9.10.in-addr.arpa", "PTR").answers)).toEqual([
      "9.9.9.10.in-addr.arpa 0 PTR sa.service.dc1.consul",
    ]);
    expect(ask("99.99.99.10.in-addr.arpa", "PTR")).toMatchObject({
      rcode: "SERVFAIL",
      authoritative: false,
      recursionAvailable: true,
    });
  });

  test("other zones are refused; a second zone answers with the primary's names", () => {
    expect(ask("www.example.com", "A")).toMatchObject({ rcode: "REFUSED", authoritative: false });
    const altDomain = "test.alt";
    const { answers } = ask("v1.dnsweb.service.test.alt", "SRV", { altDomain });
    expect(lines(answers)).toEqual([
      "v1.dnsweb.service.test.alt 0 SRV 1 5 8081 dn1.node.dc1.consul",
    ]);
  });

  test("the SOA is that of the zone that was asked", () => {
    const altDomain = "test.alt";
    const alt = soa.replace("consul 0", "test.alt 0").replaceAll(".consul", ".test.alt");
    expect(lines(ask("no.service.TEST.alt", "A", { altDomain }).authorities)).toEqual([alt]);
    expect(lines(ask("test.alt", "SOA", { altDomain }).answers)).toEqual([alt]);
    expect(lines(ask("no.service.consul", "A", { altDomain }).authorities)).toEqual([soa]);
  });
});

const ways: [name: string, type: string, by: string][] = [
  ["dnsweb.service.consul", "A", "name"],
  ["dnsweb.connect.consul", "A", "connect"],
  ["dnsweb.ingress.consul", "A", "ingress"],
  ["x.y.DNSWEB.ingress.dc1.consul", "SRV", "ingress"],
];

test.each(ways)("%s %s asks for a service by %s", (name, type, by) => {
  const settings = { ...defaultDnsSettings, datacenter: "dc1" };
  const context = {
    settings,
    random: seededRandom(1),
    nowSeconds: 0,
    edns: false,
    clientAddress: "",
  };
  const { value } = resolve({ name, type }, context).next();
  expect(value).toEqual({ need: "service", service: "dnsweb", tag: "", datacenter: "dc1", by });
  expect(ask(name, type).rcode).toBe("NOERROR");
});
