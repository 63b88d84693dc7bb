import { describe, expect, test } from "vitest";
import { compileFilter } from "../../../src/core/model/filter/filter.ts";
import { checkServiceNodeSchema, nodeSchema } from "../../../src/core/model/schemas.ts";
import type { StructType } from "../../../src/core/model/schema.ts";
import { nodeAnswers, serviceAnswers } from "./filter-answers.ts";

const node = {
  ID: "09efefad-278a-162b-651c-1b80a09a024c",
  Node: "refnode",
  Address: "127.0.0.1",
  Datacenter: "dc1",
  TaggedAddresses: { lan: "127.0.0.1", lan_ipv4: "127.0.0.1", wan: "127.0.0.1" },
  Meta: { "consul-network-segment": "" },
};
const instance = {
  Node: node,
  Service: {
    ID: "consul",
    Service: "consul",
    Tags: [],
    Address: "",
    Meta: { raft_version: "3", version: "1.8.7" },
    Port: 28_502,
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Proxy: { MeshGateway: {}, Expose: {} },
    Connect: {},
  },
  Checks: [
    {
      Node: "refnode",
      CheckID: "serfHealth",
      Name: "Serf Health Status",
      Status: "passing",
      Output: "Agent alive and reachable",
      ServiceID: "",
      ServiceTags: [],
    },
  ],
};

function answer(expression: string, schema: StructType, row: object): number | string {
  try {
    return compileFilter(expression, schema)(row) ? 1 : 0;
  } catch (error) {
    const prefix = "Failed to create boolean expression evaluator: ";
    return (error as Error).message.replace(prefix, "");
  }
}

describe("as Consul answers", () => {
  test.each(nodeAnswers)("nodes: %s", (expression, expected) => {
    expect(answer(expression, nodeSchema, node)).toBe(expected);
  });

  test.each(serviceAnswers)("service: %s", (expression, expected) => {
    expect(answer(expression, checkServiceNodeSchema, instance)).toBe(expected);
  });
});

test("names of JavaScript's own are no selectors", () => {
  for (const name of ["constructor", "toString"]) {
    expect(answer(`${name} == x`, nodeSchema, node)).toBe(`Selector "${name}" is not valid`);
    expect(answer(`Meta.${name} == x`, nodeSchema, node)).toBe(0);
  }
  expect(answer('Meta["__proto__"] == x', nodeSchema, node)).toBe(0);
});

test("an expression that is too long or too deep is refused, not parsed", () => {
  expect(answer(`Node == "${"x".repeat(20_000)}"`, nodeSchema, node)).toMatch(/too long/);
  expect(answer(`${"(".repeat(500)}Node == x`, nodeSchema, node)).toMatch(/too deeply/);
  expect(answer(`${"not ".repeat(190)}Node == x`, nodeSchema, node)).toBe(0);
});
