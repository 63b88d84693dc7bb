// The rules of a policy: HCL or JSON in, a list of what is granted out. What Consul 1.8 accepts is accepted, unknown
// resources among it; what it refuses is refused in its words.

import { HclError, positionOf, typeName } from "../lib/hcl/ast.ts";
import type { HclItem, HclObject, HclValue } from "../lib/hcl/ast.ts";
import { parseHcl } from "../lib/hcl/parser.ts";
import type { Resource } from "./access.ts";

export type Level = "deny" | "read" | "list" | "write";

/** Rules about what has names. */
export type NamedResource = Exclude<Resource, "acl" | "keyring" | "operator" | "intention">;

export interface Rule {
  resource: Resource;
  /** "" for resources without names. */
  segment: string;
  isPrefix: boolean;
  level: Level;
}

/** Rules that cannot be a policy. The message is Consul's. */
export class RulesError extends Error {
  override name = "RulesError";
}

interface Kind {
  resource: NamedResource;
  isPrefix: boolean;
  /** How Consul's texts show one. */
  shown(segment: string, level: string, intentions: string): string;
}

const quoted = JSON.stringify;
const enterprise = "EnterpriseRule:acl.EnterpriseRule{}";

function plain(type: string, field: string): Kind["shown"] {
  return (segment, level) => `&acl.${type}{${field}:${quoted(segment)}, Policy:${quoted(level)}}`;
}

function extended(type: string, field: string): Kind["shown"] {
  return (segment, level) =>
    `&acl.${type}{${field}:${quoted(segment)}, Policy:${quoted(level)}, ${enterprise}}`;
}

const shownService: Kind["shown"] = (segment, level, intentions) =>
  `&acl.ServiceRule{Name:${quoted(segment)}, Policy:${quoted(level)}, ` +
  `Intentions:${quoted(intentions)}, ${enterprise}}`;

/** In the order in which Consul complains. */
const kinds: Readonly<Record<string, Kind>> = {
  ...kindsOf("agent", plain("AgentRule", "Node")),
  ...kindsOf("key", extended("KeyRule", "Prefix")),
  ...kindsOf("node", extended("NodeRule", "Name")),
  ...kindsOf("service", shownService),
  ...kindsOf("session", plain("SessionRule", "Node")),
  ...kindsOf("event", plain("EventRule", "Event")),
  ...kindsOf("query", plain("PreparedQueryRule", "Prefix")),
};

function kindsOf(resource: NamedResource, shown: Kind["shown"]): Record<string, Kind> {
  return {
    [resource]: { resource, isPrefix: false, shown },
    [`${resource}_prefix`]: { resource, isPrefix: true, shown },
  };
}

/** Parses the rules of a policy. Throws RulesError. */
export function parseRules(text: string): Rule[] {
  let document: HclObject;
  try {
    document = parseHcl(text);
    return rulesOf(document);
  } catch (failure) {
    if (!(failure instanceof HclError)) throw failure;
    throw new RulesError(`Failed to parse ACL rules: ${failure.message}`);
  }
}

function rulesOf(document: HclObject): Rule[] {
  // All is read before anything is judged, as in Consul.
  const acl = scalarOf(document, "acl");
  const found = Object.entries(kinds).map(([name, kind]) => ({
    ...{ name, kind },
    elements: elementsOf(document, name),
  }));
  const keyring = scalarOf(document, "keyring");
  const operator = scalarOf(document, "operator");
  return [
    ...unnamed("acl", acl),
    ...found.flatMap(({ name, kind, elements }) =>
      elements.flatMap((element) => named(name, kind, element)),
    ),
    ...unnamed("keyring", keyring),
    ...unnamed("operator", operator),
  ];
}

interface Element {
  segment: string;
  policy: string;
  intentions: string;
}

function unnamed(resource: "acl" | "keyring" | "operator", given: string): Rule[] {
  if (given === "") return [];
  const level = levelOf(given);
  if (!level || level === "list") {
    throw new RulesError(`Invalid ${resource} policy: ${quoted(given)}`);
  }
  return [{ resource, segment: "", isPrefix: false, level }];
}

function named(name: string, kind: Kind, { segment, policy, intentions }: Element): Rule[] {
  const { resource, isPrefix, shown } = kind;
  const level = levelOf(policy);
  const about = shown(segment, policy, intentions);
  if (!level || (level === "list" && resource !== "key")) {
    throw new RulesError(`Invalid ${name} policy: ${about}`);
  }
  const rule = { resource, segment, isPrefix, level };
  if (resource !== "service") return [rule];
  const own = levelOf(intentions);
  if (intentions !== "" && (!own || own === "list")) {
    throw new RulesError(`Invalid ${name} intentions policy: ${about}`);
  }
  // Whoever may see or change a service may see its intentions.
  const implied = level === "deny" ? "deny" : "read";
  return [rule, { resource: "intention", segment, isPrefix, level: own ?? implied }];
}

function levelOf(given: string): Level | null {
  const level = given.toLowerCase();
  const isLevel = level === "deny" || level === "read" || level === "list" || level === "write";
  return isLevel ? level : null;
}

// Reading values out of HCL, with the faults that Consul's decoder names.

function itemsNamed({ items }: HclObject, name: string): HclItem[] {
  return items.filter(({ keys }) => keys[0]?.name.toLowerCase() === name);
}

/** The last one counts. "" when there is none. */
function scalarOf(object: HclObject, name: string, path = `root.${name}`): string {
  const texts = itemsNamed(object, name).map(({ keys, value }) => {
    const [, second] = keys;
    if (second) throw unknownString(path, { kind: "object", items: [], at: second.at });
    return textOf(value, path);
  });
  return texts.at(-1) ?? "";
}

function textOf(value: HclValue, path: string): string {
  const { kind } = value;
  if (kind === "string" || kind === "number" || kind === "null") return value.text;
  throw unknownString(path, value);
}

function unknownString(path: string, value: HclValue): HclError {
  return located(`${path}: unknown type for string ${typeName(value)}`, value);
}

function located(message: string, value: HclValue): HclError {
  const at = positionOf(value);
  return at ? new HclError(message, at) : new HclError(`At -: ${message}`);
}

/** `key "a" { … }`, `key { a { … } }` and `key = { a = { … } }` are the same. */
function elementsOf(document: HclObject, name: string): Element[] {
  const elements: Element[] = [];
  for (const { keys, value } of itemsNamed(document, name)) {
    const [, segment, ...more] = keys;
    const path = (): string => `root.${name}[${elements.length}]`;
    if (segment) {
      const body: HclValue = more.length === 0 ? value : { kind: "object", items: [], at: null };
      elements.push(elementOf(segment.name, body, path()));
    } else if (value.kind === "object") {
      for (const item of value.items) {
        const [key, ...rest] = item.keys;
        if (!key) continue;
        const body: HclValue =
          rest.length === 0 ? item.value : { kind: "object", items: [], at: null };
        elements.push(elementOf(key.name, body, path()));
      }
    } else if (value.kind === "list") {
      const [first] = value.items;
      if (!first) continue;
      if (first.kind === "object") {
        throw located(`${path()}: Prefix asked for '${name}', impossible`, first);
      }
      const problem = `not an object type for struct (${typeName(first)})`;
      throw located(`${path()}: ${problem}`, first);
    } else {
      throw located(`unknown slice type: ${typeName(value)}`, value);
    }
  }
  return elements;
}

function elementOf(segment: string, body: HclValue, path: string): Element {
  if (body.kind !== "object") return { segment, policy: "", intentions: "" };
  if (itemsNamed(body, "sentinel").length > 0) {
    throw new HclError("sentinel is a feature of Consul Enterprise and has no effect here");
  }
  return {
    segment,
    policy: scalarOf(body, "policy", `${path}.Policy`),
    intentions: scalarOf(body, "intentions", `${path}.Intentions`),
  };
}
