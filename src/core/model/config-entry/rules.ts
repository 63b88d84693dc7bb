// What each kind of configuration entry asks for: how it is completed before it is kept, why it is refused, which
// services it speaks about. That entries fit each other is judged where they are kept.

import { sortedKeys } from "../json.ts";
import {
  ingressProblem,
  normalizeIngress,
  servicesOfIngress,
  terminatingProblem,
} from "./gateways.ts";
import { listProblems } from "./problems.ts";
import { resolverProblem, servicesOfResolver } from "./resolver.ts";
import { normalizeRouter, routerProblem, servicesOfRouter } from "./router.ts";
import { normalizeSplitter, servicesOfSplitter, splitterProblem } from "./splitter.ts";
import { globalProxyName } from "./types.ts";
import type { ConfigEntry, ConfigEntryTypes, ConfigKind } from "./types.ts";

interface KindRules<Entry> {
  /** An empty name is refused as such, and not only by what it leads to. */
  needsName?: true;
  normalize?(entry: Entry): Entry;
  problem?(entry: Entry): string | null;
  /** Services whose own entries decide whether this one is fine. */
  related?(entry: Entry): string[];
}

const rules: { readonly [Kind in ConfigKind]: KindRules<ConfigEntryTypes[Kind]> } = {
  "ingress-gateway": {
    normalize: normalizeIngress,
    problem: ingressProblem,
    related: servicesOfIngress,
  },
  "proxy-defaults": { normalize: (entry) => ({ ...entry, Name: globalProxyName }) },
  "service-defaults": {
    normalize: (entry) => ({ ...entry, Protocol: entry.Protocol.toLowerCase() }),
  },
  "service-resolver": {
    needsName: true,
    problem: resolverProblem,
    related: servicesOfResolver,
  },
  "service-router": {
    needsName: true,
    normalize: normalizeRouter,
    problem: routerProblem,
    related: servicesOfRouter,
  },
  "service-splitter": {
    needsName: true,
    normalize: normalizeSplitter,
    problem: splitterProblem,
    related: servicesOfSplitter,
  },
  "terminating-gateway": { problem: terminatingProblem },
};

function rulesOf(kind: ConfigKind): KindRules<unknown> {
  return rules[kind];
}

/** The entry as it is kept: names and protocols in their one spelling. */
export function normalizeEntry({ kind, entry }: ConfigEntry): ConfigEntry {
  const named = { ...entry, Kind: kind };
  return { kind, entry: rulesOf(kind).normalize?.(named) ?? named } as ConfigEntry;
}

/** Why an entry is refused whatever others there are, in Consul's words; null when it is fine. */
export function entryProblem({ kind, entry }: ConfigEntry): string | null {
  const { needsName, problem } = rulesOf(kind);
  if (needsName && entry.Name === "") return "Name is required";
  return metaProblem(entry.Meta) ?? problem?.(entry) ?? null;
}

/** Services whose entries decide whether this one is fine, each once, in order. */
export function relatedServices({ kind, entry }: ConfigEntry): string[] {
  return [...new Set(rulesOf(kind).related?.(entry) ?? [])].toSorted();
}

const metaPairsMax = 64;
const metaKeyBytesMax = 128;
const metaValueBytesMax = 512;

function metaProblem(meta: Record<string, string> | null): string | null {
  const pairs = meta ?? {};
  const problems: string[] = [];
  if (Object.keys(pairs).length > metaPairsMax) {
    problems.push(`Meta exceeds maximum element count ${metaPairsMax}`);
  }
  for (const key of sortedKeys(pairs)) {
    const name = JSON.stringify(key);
    if (bytesOf(key) > metaKeyBytesMax) {
      problems.push(`Meta key ${name} exceeds maximum length ${metaKeyBytesMax}`);
    }
    if (bytesOf(pairs[key] ?? "") > metaValueBytesMax) {
      problems.push(`Meta value for key ${name} exceeds maximum length ${metaValueBytesMax}`);
    }
  }
  return problems.length === 0 ? null : listProblems(problems);
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
