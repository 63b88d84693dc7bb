// `translate_wan_addrs`: what the real Consul 1.8.7 answered of nodes and services of another datacenter, over HTTP and
// DNS, where some have addresses of both families in the WAN, some only in the LAN, and some none.

import * as codec from "@leichtgewicht/dns-packet";
import { beforeEach, describe, expect, test } from "vitest";

import { answerMessage } from "../../../src/core/dns/message.ts";
import { defaultDnsSettings } from "../../../src/core/dns/settings.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import { drive } from "../../../src/dns-source.ts";
import { ApiClient } from "../../support/api-client.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";
import { registrationOf } from "../../support/state-harness.ts";

const tagged = {
  ...{ lan: "10.0.0.1", lan_ipv4: "10.0.0.1" },
  ...{ wan: "192.0.2.1", wan_ipv4: "192.0.2.1", wan_ipv6: "2001:db8::1" },
};
const far = { Address: "192.0.2.7", Port: 8_080 };
const web = {
  ...{ Service: "web", Port: 80, Address: "10.0.0.7" },
  TaggedAddresses: { lan: { Address: "10.0.0.7", Port: 80 }, wan: far, wan_ipv4: far },
};

let near: ApiClient;
let there: MemoryCluster;

beforeEach(async () => {
  near = new ApiClient({ settings: { translatesFrom: "dc1" } });
  there = new MemoryCluster({ datacenter: "dc2" });
  near.cluster.others.set("dc2", there);
  for (const cluster of [near.cluster, there]) {
    for (const body of [
      { Node: "ext", Address: "10.0.0.1", TaggedAddresses: tagged, Service: web },
      { Node: "ext2", Address: "10.0.0.2", Service: { Service: "web", Port: 81 } },
    ]) {
      await cluster.write({ type: "catalog.register", registration: registrationOf(body) }, {});
    }
  }
});

async function get<Body>(path: string): Promise<Body> {
  return (await near.send("GET", path)).json as Body;
}

describe("over HTTP", () => {
  test("nodes are at their addresses in the WAN, the newer family first", async () => {
    const nodes = await get<{ Address: string }[]>("/v1/catalog/nodes?dc=dc2");
    expect(nodes.map(({ Address }) => Address)).toEqual(["2001:db8::1", "10.0.0.2"]);
    for (const path of ["node", "node-services"]) {
      const one = await get<{ Node: { Address: string }; Services: object }>(
        `/v1/catalog/${path}/ext?dc=dc2`,
      );
      expect(one.Node.Address).toBe("2001:db8::1");
      expect(Object.values(one.Services)).toMatchObject([far]);
    }
  });

  test("services are at theirs, with the port that is tagged for the WAN", async () => {
    const listed = await get<object[]>("/v1/catalog/service/web?dc=dc2");
    expect(listed).toMatchObject([
      { Address: "2001:db8::1", ServiceAddress: "192.0.2.7", ServicePort: 8_080 },
      { Address: "10.0.0.2", ServiceAddress: "", ServicePort: 81 },
    ]);
    const healthy = await get<object[]>("/v1/health/service/web?dc=dc2");
    expect(healthy).toMatchObject([
      { Node: { Address: "2001:db8::1", TaggedAddresses: tagged }, Service: far },
      { Node: { Address: "10.0.0.2" }, Service: { Address: "", Port: 81 } },
    ]);
  });

  test("what a query finds in another datacenter, but not what it finds here", async () => {
    const query = {
      Name: "q",
      Service: { Service: "web", Failover: { Datacenters: ["dc2"] } },
    };
    await near.send("POST", "/v1/query", { body: query });
    type Executed = { Nodes: { Node: { Node: string; Address: string } }[] };
    const addresses = async (): Promise<string[]> => {
      const { Nodes } = await get<Executed>("/v1/query/q/execute");
      return Nodes.map(({ Node }) => Node.Address).toSorted();
    };
    expect(await addresses()).toEqual(["10.0.0.1", "10.0.0.2"]);
    for (const Node of ["ext", "ext2"]) {
      await near.send("PUT", "/v1/catalog/deregister", { body: { Node } });
    }
    expect(await addresses()).toEqual(["10.0.0.2", "2001:db8::1"]);
  });

  test("nothing else is touched: the own datacenter, other answers, agents that are not told to", async () => {
    const plain = new ApiClient();
    plain.cluster.others.set("dc2", there);
    for (const path of [
      "/v1/catalog/nodes",
      "/v1/catalog/nodes?dc=dc1",
      "/v1/health/service/web",
    ]) {
      expect((await near.send("GET", path)).text).toContain('"Address":"10.0.0.1"');
    }
    for (const path of ["/v1/internal/ui/nodes?dc=dc2", "/v1/catalog/services?dc=dc2"]) {
      expect((await near.send("GET", path)).text).toBe((await plain.send("GET", path)).text);
    }
    expect((await plain.send("GET", "/v1/catalog/nodes?dc=dc2")).text).toContain(
      '"Address":"10.0.0.1"',
    );
    expect((await near.send("GET", "/v1/catalog/node/nobody?dc=dc2")).json).toBe(null);
  });
});

describe("over DNS", () => {
  async function dig(name: string, type: string, translatesFrom?: string): Promise<unknown[]> {
    const message = codec.encode({ type: "query", id: 1, questions: [{ type, name }] } as never);
    const settings = { ...defaultDnsSettings, datacenter: "dc1" };
    const random = seededRandom(1);
    const context = { settings, random, nowSeconds: 0, clientAddress: "127.0.0.1" };
    const reply = await drive(answerMessage(message, "stream", context), {
      ...{ cluster: near.cluster, agent: "self", options: {}, translatesFrom },
      host: () => Promise.resolve([]),
    });
    const { answers = [] } = codec.decode(reply ?? new Uint8Array());
    const found = (answers as { data: { port?: number } | string }[]).map(({ data }) =>
      typeof data === "string" ? data : data.port,
    );
    return found.toSorted((a, b) => String(a).localeCompare(String(b)));
  }

  test.each([
    ["ext.node.dc2.consul", "A", ["192.0.2.1"]],
    ["ext.node.dc2.consul", "AAAA", ["2001:db8::1"]],
    ["ext.node.dc2.consul", "ANY", ["2001:db8::1"]],
    ["web.service.dc2.consul", "A", ["10.0.0.2", "192.0.2.7"]],
    ["web.service.dc2.consul", "AAAA", []],
    ["web.service.dc2.consul", "SRV", [8_080, 81]],
    ["web.service.dc1.consul", "A", ["10.0.0.2", "10.0.0.7"]],
    ["ext.node.consul", "A", ["10.0.0.1"]],
  ])("%s %s", async (name, type, expected) => {
    expect(await dig(name, type, "dc1")).toEqual(expected);
  });

  test("an agent that is not told to answers what the other datacenter says", async () => {
    expect(await dig("ext.node.dc2.consul", "A")).toEqual(["10.0.0.1"]);
    expect(await dig("web.service.dc2.consul", "SRV")).toEqual([80, 81]);
  });
});
