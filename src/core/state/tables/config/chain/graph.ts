// What is done to the nodes of a chain once all are there: circles are refused, splitters that lead to splitters
// become one, and nodes that nothing leads to go.

import { ServiceError } from "../../../../model/errors.ts";
import { limits } from "../../../../model/limits.ts";
import { multiplyWeights } from "../../../../model/config-entry/splitter.ts";
import type { ChainNode, ChainSplit } from "./types.ts";

export type ChainNodes = Map<string, ChainNode>;

export function nodeKey({ Type: type, Name: name }: ChainNode): string {
  return `${type}:${name}`;
}

/** Nodes that a node leads to, in order. */
function nextNodes(node: ChainNode): string[] {
  if (node.Type === "router") return node.Routes.map((route) => route.NextNode);
  return node.Type === "splitter" ? node.Splits.map((split) => split.NextNode) : [];
}

/** Throws ServiceError `invalid` when a node leads to itself. Like Consul it tries the last way out of a node first. */
export function refuseCircles(nodes: ChainNodes, start: string): void {
  const path: string[] = [];
  const finished = new Set<string>();
  const visit = (key: string): void => {
    if (path.includes(key)) {
      const circle = [...path, key].join(" -> ");
      throw new ServiceError("invalid", `detected circular reference: [${circle}]`);
    }
    const node = nodes.get(key);
    if (!node || finished.has(key)) return;
    path.push(key);
    for (const next of nextNodes(node).toReversed()) visit(next);
    path.pop();
    finished.add(key);
  };
  visit(start);
}

/** Gives each splitter the splits of the splitters it leads to. There must be no circle. */
export function flattenSplitters(nodes: ChainNodes, service: string): void {
  const finished = new Map<string, ChainSplit[]>();
  const flatten = (key: string): ChainSplit[] => {
    const known = finished.get(key);
    if (known) return known;
    const node = nodes.get(key);
    if (node?.Type !== "splitter") return [];
    const flat = node.Splits.flatMap((split) => {
      if (nodes.get(split.NextNode)?.Type !== "splitter") return [split];
      return flatten(split.NextNode).map(({ Weight: inner, NextNode }) => ({
        Weight: multiplyWeights(split.Weight, inner),
        NextNode,
      }));
    });
    // No weight is smaller than 0.01 percent: more parts than that cannot all get something.
    if (flat.length > limits.chainSplitsMax) {
      const count = `more than ${limits.chainSplitsMax} splits`;
      throw new ServiceError("invalid", `discovery chain ${JSON.stringify(service)} has ${count}`);
    }
    node.Splits = flat;
    finished.set(key, flat);
    return flat;
  };
  for (const key of nodes.keys()) flatten(key);
}

export function removeUnused(nodes: ChainNodes, start: string): void {
  const used = new Set<string>();
  const waiting = [start];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    const node = nodes.get(key);
    if (!node || used.has(key)) continue;
    used.add(key);
    waiting.push(...nextNodes(node));
  }
  for (const key of nodes.keys()) if (!used.has(key)) nodes.delete(key);
}
