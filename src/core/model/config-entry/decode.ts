// Reads a configuration entry from the body of a request or from a configuration file: first its kind, then, by
// the kind's shape, the rest. Refusals are in Consul's words.

import { DecodeError } from "../raw-json.ts";
import { parseRawJson, RawNumber, RawObject } from "../raw-json.ts";
import type { RawJson } from "../raw-json.ts";
import { listProblems } from "./problems.ts";
import { configSchemas, isConfigKind } from "./schemas.ts";
import type { ConfigEntry } from "./types.ts";
import { decodeWeakly, decodingErrors } from "./weak-decode.ts";

/** Throws {@link DecodeError}. */
export function decodeEntry(body: string): ConfigEntry {
  const raw = parseRawJson(body);
  refuseEndless(raw);
  if (raw !== null && !(raw instanceof RawObject)) {
    const kinds = { string: "string", boolean: "bool" } as Record<string, string>;
    const kind = raw instanceof RawNumber ? "float64" : (kinds[typeof raw] ?? "slice");
    throw new DecodeError(`'' expected a map, got '${kind}'`);
  }
  return decodeRawEntry(raw ?? new RawObject([]));
}

/** The same for what was already read. Throws {@link DecodeError}. */
export function decodeRawEntry(raw: RawObject): ConfigEntry {
  const members = new Map(raw.members);
  const kind = members.has("Kind") ? members.get("Kind") : members.get("kind");
  if (kind === undefined) {
    throw new DecodeError("Payload does not contain a kind/Kind key at the top level");
  }
  if (typeof kind !== "string") throw new DecodeError("Kind value in payload is not a string");
  if (!isConfigKind(kind)) throw new DecodeError(invalidKind(kind));
  const { value, errors, unused } = decodeWeakly(configSchemas[kind], raw);
  if (errors.length > 0) throw new DecodeError(decodingErrors(errors));
  const unknown = unused.filter((key) => !ownIndexes.has(key)).map(describeUnknown);
  if (unknown.length > 0) throw new DecodeError(listProblems(unknown));
  return { kind, entry: value } as unknown as ConfigEntry;
}

export function invalidKind(kind: string): string {
  return `invalid config entry kind: ${kind}`;
}

/** What an entry that was read has, and that writing it back ignores. */
const ownIndexes = new Set(["CreateIndex", "ModifyIndex", "RaftIndex"]);

function describeUnknown(key: string): string {
  const hint = key.toLowerCase().endsWith("namespace")
    ? ", namespaces are a consul enterprise feature"
    : "";
  return `invalid config key ${JSON.stringify(key)}${hint}`;
}

/** A number that no float holds. */
function refuseEndless(raw: RawJson): void {
  if (raw instanceof RawNumber && !Number.isFinite(Number(raw.text))) {
    const target = "Go value of type float64";
    throw new DecodeError(`json: cannot unmarshal number ${raw.text} into ${target}`);
  }
  if (raw instanceof RawObject) for (const [, member] of raw.members) refuseEndless(member);
  if (Array.isArray(raw)) for (const item of raw as readonly RawJson[]) refuseEndless(item);
}
