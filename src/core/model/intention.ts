// Intentions: which service may connect to which. What one consists of, what makes it acceptable, which of
// several decides, and the texts by which Consul names them.

import { encodeBase64 } from "../lib/base64.ts";
import { blake2b } from "@noble/hashes/blake2.js";
import { ServiceError } from "./errors.ts";
import { compareText } from "./json.ts";
import { integer, raftIndex, stringMap, text } from "./schema.ts";
import type { Field, StructType } from "./schema.ts";

/** What a client says of an intention. */
export interface IntentionDefinition {
  /** Only for what refuses one: ids are drawn by whoever proposes. */
  ID: string;
  Description: string;
  SourceNS: string;
  SourceName: string;
  DestinationNS: string;
  DestinationName: string;
  /** `consul` is the only one there is. */
  SourceType: string;
  /** `allow` or `deny`. */
  Action: string;
  DefaultAddr: string;
  DefaultPort: number;
  Meta: Record<string, string> | null;
}

/** An intention as it is stored and answered, without its indexes. */
export interface Intention extends IntentionDefinition {
  Meta: Record<string, string>;
  Precedence: number;
  /** RFC 3339. */
  CreatedAt: string;
  UpdatedAt: string;
  /** Base64 of 32 bytes. */
  Hash: string;
}

/** A service by namespace and name, either of which may be {@link wildcard}. */
export interface ServiceName {
  ns: string;
  name: string;
}

const unfiltered = (field: Field): Field => ({ ...field, unfiltered: true });
const named = (goName: string): Field => ({ type: { kind: "string", goName } });

export const intentionDefinitionSchema = {
  kind: "struct",
  goName: "struct { Hash string; CreatedAt string; UpdatedAt string; *structs.Alias }",
  opaque: "strict",
  fields: {
    ID: text,
    Description: text,
    SourceNS: text,
    SourceName: text,
    DestinationNS: text,
    DestinationName: text,
    SourceType: named("structs.IntentionSourceType"),
    Action: named("structs.IntentionAction"),
    DefaultAddr: text,
    DefaultPort: integer,
    Meta: { type: stringMap },
  } satisfies Record<keyof IntentionDefinition, Field>,
} as const satisfies StructType;

export const intentionSchema = {
  ...intentionDefinitionSchema,
  fields: {
    ...intentionDefinitionSchema.fields,
    Precedence: integer,
    CreatedAt: unfiltered(text),
    UpdatedAt: unfiltered(text),
    Hash: unfiltered(text),
  },
} as const satisfies StructType;

/** What a body may carry: the rest of an answer is read, and nothing comes of it. */
export const intentionRequestSchema = {
  ...intentionSchema,
  fields: { ...intentionSchema.fields, CreateIndex: raftIndex, ModifyIndex: raftIndex },
} as const satisfies StructType;

export const wildcard = "*";
export const defaultNamespace = "default";
export const consulSource = "consul";
const descriptionBytesMax = 512;
const metaPairsMax = 64;
const metaKeyBytesMax = 128;
const metaValueBytesMax = 512;

const encoder = new TextEncoder();
const byteLength = (value: string): number => encoder.encode(value).length;

/** `name` is in the default namespace, `ns/name` in its own; null for a text with more slashes. */
export function parseServiceName(given: string): ServiceName | null {
  const [first = "", second, ...more] = given.split("/");
  if (more.length > 0) return null;
  return second === undefined ? { ns: defaultNamespace, name: first } : { ns: first, name: second };
}

/** Fills in what may be left open, and refuses what is wrong, all of it at once. Throws ServiceError `invalid`. */
export function completeIntention(given: IntentionDefinition): IntentionDefinition {
  const intention = {
    ...given,
    SourceNS: given.SourceNS || defaultNamespace,
    DestinationNS: given.DestinationNS || defaultNamespace,
    SourceType: given.SourceType || consulSource,
  };
  const problems = [...intentionProblems(intention)];
  if (problems.length === 0) return intention;
  const count = problems.length === 1 ? "1 error" : `${problems.length} errors`;
  const lines = problems.map((problem) => `\t* ${problem}\n`).join("");
  throw new ServiceError("invalid", `${count} occurred:\n${lines}\n`);
}

function* intentionProblems(intention: IntentionDefinition): Iterable<string> {
  for (const field of ["SourceName", "DestinationName"] as const) {
    if (intention[field] === "") yield `${field} must be set`;
  }
  yield* wildcardProblems(intention, "Source");
  yield* wildcardProblems(intention, "Destination");
  yield* textProblems(intention);
  if (intention.Action !== "allow" && intention.Action !== "deny") {
    yield "Action must be set to 'allow' or 'deny'";
  }
  if (intention.SourceType !== consulSource) yield "SourceType must be set to 'consul'";
}

function* wildcardProblems(
  intention: IntentionDefinition,
  end: "Source" | "Destination",
): Iterable<string> {
  const ns = intention[`${end}NS`];
  const name = intention[`${end}Name`];
  const partial = "wildcard character '*' cannot be used with partial values";
  if (ns !== wildcard && ns.includes(wildcard)) yield `${end}NS: ${partial}`;
  if (name === wildcard) return;
  if (name.includes(wildcard)) yield `${end}Name: ${partial}`;
  if (ns === wildcard) yield `${end}Name: exact value cannot follow wildcard namespace`;
}

function* textProblems({ Description: description, Meta: meta }: IntentionDefinition) {
  if (byteLength(description) > descriptionBytesMax) {
    yield `Description exceeds maximum length ${descriptionBytesMax}`;
  }
  const pairs = Object.entries(meta ?? {});
  if (pairs.length > metaPairsMax) yield `Meta exceeds maximum element count ${metaPairsMax}`;
  for (const [key, value] of pairs) {
    const quoted = JSON.stringify(key);
    if (byteLength(key) > metaKeyBytesMax) {
      yield `Meta key ${quoted} exceeds maximum length ${metaKeyBytesMax}`;
    }
    if (byteLength(value) > metaValueBytesMax) {
      yield `Meta value for key ${quoted} exceeds maximum length ${metaValueBytesMax}`;
    }
  }
}

/** The more exact an intention, the sooner it decides; its destination counts more than its source. */
export function precedenceOf(intention: IntentionDefinition): number {
  const { SourceNS: sourceNs, DestinationNS: destinationNs } = intention;
  const destination = countExact({ ns: destinationNs, name: intention.DestinationName });
  return 3 * destination + 1 + countExact({ ns: sourceNs, name: intention.SourceName });
}

function countExact({ ns, name }: ServiceName): number {
  if (ns === wildcard) return 0;
  return name === wildcard ? 1 : 2;
}

/** Which other pairs a service answers to: itself, every service of its namespace, every service. */
export function namesMatching({ ns, name }: ServiceName): ServiceName[] {
  const all = { ns: wildcard, name: wildcard };
  if (ns === wildcard) return [all];
  const namespace = { ns, name: wildcard };
  return name === wildcard ? [all, namespace] : [all, namespace, { ns, name }];
}

/** Whether an intention that is about a destination is also about this source. */
export function concernsSource(intention: Intention, { ns, name }: ServiceName): boolean {
  const { SourceNS: sourceNs, SourceName: sourceName } = intention;
  return (
    (sourceNs === wildcard || sourceNs === ns) && (sourceName === wildcard || sourceName === name)
  );
}

/** As Consul's error texts and reasons name it. */
export function describeIntention(intention: Intention): string {
  const { ID: id, Action: action, Precedence: precedence } = intention;
  const source = `${intention.SourceNS}/${intention.SourceName}`;
  const destination = `${intention.DestinationNS}/${intention.DestinationName}`;
  const what = `${action.toUpperCase()} ${source} => ${destination}`;
  return `${what} (ID: ${id}, Precedence: ${precedence})`;
}

/** What Consul computes over everything that a client decides. */
export function intentionHash(intention: IntentionDefinition): string {
  const parts = [
    intention.ID,
    intention.Description,
    intention.SourceNS,
    intention.SourceName,
    intention.DestinationNS,
    intention.DestinationName,
    intention.SourceType,
    intention.Action,
    ...Object.entries(intention.Meta ?? {})
      .toSorted(([left], [right]) => compareText(left, right))
      .flat(),
  ];
  return encodeBase64(blake2b(encoder.encode(parts.join("")), { dkLen: 32 }));
}

/** RFC 3339 in UTC with as many digits as there are, like Go. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, "Z");
}
