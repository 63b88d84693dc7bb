// Prepared queries by DNS: what is asked for, what is answered, and how far an answer is for its client only.

import * as codec from "@leichtgewicht/dns-packet";
import { expect, test } from "vitest";

import { answerMessage } from "../../../src/core/dns/message.ts";
import type { ExecutedQuery, Found, Need } from "../../../src/core/dns/needs.ts";
import { defaultDnsSettings } from "../../../src/core/dns/settings.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import type { CheckServiceNode } from "../../../src/core/model/types.ts";

type Asked = Extract<Need, { need: "query" }>;

const instances = [1, 2, 3].map((n) => ({
  Node: { Node: `n${n}`, Address: `10.0.0.${n}`, TaggedAddresses: null, Meta: null },
  Service: { Address: "", Port: n, TaggedAddresses: null, Weights: { Passing: 5, Warning: 2 } },
  Checks: [{ Status: n === 1 ? "critical" : "passing" }],
})) as unknown as CheckServiceNode[];

const executed: ExecutedQuery = { service: "web", ttl: "7s", datacenter: "dc1", instances };

interface Options {
  type?: string;
  subnet?: string;
  family?: number;
  client?: string;
  settings?: object;
}

function ask(name: string, found: Found, options: Options = {}) {
  const { type = "A", subnet, family = 1, client = "192.0.2.1" } = options;
  const option = { code: 8, family, sourcePrefixLength: 24, scopePrefixLength: 0, ip: subnet };
  const opt = { type: "OPT", name: ".", udpPayloadSize: 1_232, flags: 0, options: [option] };
  const message = codec.encode({
    type: "query",
    id: 1,
    questions: [{ type, name }],
    additionals: subnet === undefined ? [] : [opt],
  } as never);
  const settings = { ...defaultDnsSettings, datacenter: "dc1", ...options.settings };
  const random = seededRandom(1);
  const context = { settings, random, nowSeconds: 0, clientAddress: client };
  const resolution = answerMessage(message, "datagram", context);
  const asked: Need[] = [];
  let step = resolution.next();
  while (!step.done) {
    asked.push(step.value);
    step = resolution.next(found);
  }
  const reply = codec.decode(step.value ?? new Uint8Array());
  const { answers = [], authorities = [], additionals = [] } = reply;
  const echoed = (additionals as { options?: { data: Uint8Array }[] }[]).at(-1)?.options?.[0];
  return {
    asked: asked as Asked[],
    rcode: (reply.flags ?? 0) & 15,
    answers: (answers as { type: string; ttl: number; data: unknown }[]).map(
      ({ type: kind, ttl, data }) => [kind, ttl, data],
    ),
    authorities: authorities.length,
    additionals: (additionals as { name: string; data: unknown }[])
      .slice(0, subnet === undefined ? undefined : -1)
      .map(({ name: owner, data }) => [owner, data]),
    /** Source and scope. */
    scope: echoed && [...echoed.data.subarray(2, 4)],
  };
}

test("the name is everything before the word, in lower case; the client comes along", () => {
  const { asked } = ask("My.Query.Is.query.DC2.consul", { failure: "absent" });
  expect(asked).toEqual([
    {
      need: "query",
      query: "my.query.is",
      datacenter: "dc2",
      ip: "192.0.2.1",
      seed: expect.any(Number),
    },
  ]);
  const own = ask("q.query.consul", { failure: "absent" });
  expect(own.asked).toMatchObject([{ query: "q", datacenter: "dc1" }]);
  expect(ask("query.consul", { failure: "absent" }).asked).toEqual([]);
});

test("instances are answered in their order, whatever their health, with the query's TTL", () => {
  const { rcode, answers } = ask(
    "q.query.consul",
    { executed },
    { settings: { onlyPassing: true } },
  );
  expect(rcode).toBe(0);
  expect(answers).toEqual([
    ["A", 7, "10.0.0.1"],
    ["A", 7, "10.0.0.2"],
    ["A", 7, "10.0.0.3"],
  ]);
  expect(ask("q.query.consul", { executed }, { type: "ANY" }).answers).toEqual(answers);
});

test("SRV names the datacenter that answered", () => {
  const elsewhere = { ...executed, datacenter: "dc9", instances: instances.slice(1) };
  const { answers, additionals } = ask("q.query.consul", { executed: elsewhere }, { type: "SRV" });
  expect(answers).toEqual([
    ["SRV", 7, { priority: 1, weight: 5, port: 2, target: "n2.node.dc9.consul" }],
    ["SRV", 7, { priority: 1, weight: 5, port: 3, target: "n3.node.dc9.consul" }],
  ]);
  expect(additionals).toEqual([
    ["n2.node.dc9.consul", "10.0.0.2"],
    ["n3.node.dc9.consul", "10.0.0.3"],
  ]);
});

test("a query without a TTL has that of its service", () => {
  const settings = { serviceTtlMs: { "we*": 9_000 } };
  const { answers } = ask("q.query.consul", { executed: { ...executed, ttl: "" } }, { settings });
  expect(answers.map(([, ttl]) => ttl)).toEqual([9, 9, 9]);
});

test("what does not exist, or finds nothing, is no such name; what fails is a failure", () => {
  expect(ask("q.query.consul", { failure: "absent" })).toMatchObject({ rcode: 3, authorities: 1 });
  expect(ask("q.query.consul", { failure: "unreachable" })).toMatchObject({ rcode: 2 });
  const empty = { executed: { ...executed, instances: [] } };
  expect(ask("q.query.consul", empty)).toMatchObject({ rcode: 3, authorities: 1 });
  const none = ask("q.query.consul", { executed }, { type: "AAAA" });
  expect(none).toMatchObject({ rcode: 0, answers: [], authorities: 1 });
});

test("a client subnet stands for the client, and answers are for that subnet", () => {
  const v4 = ask("q.query.consul", { executed }, { subnet: "203.0.113.0" });
  expect([v4.asked[0]?.ip, v4.scope]).toEqual(["203.0.113.0", [24, 24]]);
  const v6 = ask("q.query.consul", { executed }, { subnet: "2001:db8:1::", family: 2 });
  expect(v6.asked[0]?.ip).toBe("2001:d00::");
  const missing = ask("q.query.consul", { failure: "absent" }, { subnet: "203.0.113.0" });
  expect(missing.scope).toEqual([24, 0]);
  const service = ask("web.service.consul", { instances }, { subnet: "203.0.113.0" });
  expect(service.scope).toEqual([24, 0]);
});
