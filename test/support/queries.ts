// Prepared queries in a state: short ways to write them, to fill the catalog for them, and to execute them.

import { decodeBody } from "../../src/core/model/decode.ts";
import { preparedQuerySchema } from "../../src/core/model/prepared-query.ts";
import type { PreparedQuery, ServiceQuery } from "../../src/core/model/prepared-query.ts";
import type { Command } from "../../src/core/state/commands.ts";
import type { ExecuteArguments } from "../../src/core/state/tables/query/execute.ts";
import type { StateHarness } from "./state-harness.ts";

export const idOf = (n: number): string => `0000000a-0000-0000-0000-${String(n).padStart(12, "0")}`;

export interface Given {
  Name?: string;
  Session?: string;
  Template?: Partial<PreparedQuery["Template"]>;
  Service?: Partial<ServiceQuery>;
}

export function queryOf(given: Given): PreparedQuery {
  const body = { ...given, Service: { Service: "web", ...given.Service } };
  return decodeBody(preparedQuerySchema, JSON.stringify(body), "refuse") as PreparedQuery;
}

export const create = (n: number, given: Given): Command => ({
  type: "query.create",
  id: idOf(n),
  query: queryOf(given),
});
export const update = (n: number, given: Given): Command => ({
  type: "query.update",
  id: idOf(n),
  query: queryOf(given),
});
export const template = (Name: string, Service: Partial<ServiceQuery>, Regexp = ""): Given => ({
  Name,
  Template: { Type: "name_prefix_match", Regexp },
  Service,
});

export interface Instance {
  tags?: string[];
  status?: string;
  meta?: Record<string, string>;
  nodeMeta?: Record<string, string>;
}

export function register(harness: StateHarness, node: string, instance: Instance = {}): void {
  const { tags = [], status = "passing", meta = {}, nodeMeta = {} } = instance;
  harness.register({
    Node: node,
    Address: `10.0.0.${node.charCodeAt(0)}`,
    NodeMeta: nodeMeta,
    Service: { Service: "web", Tags: tags, Meta: meta },
    Check: { CheckID: "c", Name: "c", ServiceID: "web", Status: status },
  });
}

export function locate(harness: StateHarness, places: Record<string, number>): void {
  for (const [Node, x] of Object.entries(places)) {
    const Coord = { Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };
    harness.run({ type: "coordinate.update", update: { Node, Segment: "", Coord } });
  }
}

export function execute(
  harness: StateHarness,
  query: string,
  args: Partial<ExecuteArguments> = {},
): string[] {
  const { value } = harness.read("query.execute", { query, seed: 1, agent: "z", ip: "", ...args });
  return (value as { Nodes: { Node: { Node: string } }[] }).Nodes.map(({ Node }) => Node.Node);
}

export const explain = (harness: StateHarness, query: string): PreparedQuery =>
  (harness.read("query.explain", { query }).value as { Query: PreparedQuery }).Query;
