// Intentions as rows: one for each pair of source and destination. Index rule: everything about intentions carries the
// index of the whole table. Whoever waits for one hears of it alone, whoever waits for several of every change.

import type { SqlRow } from "../../../lib/sql.ts";
import { ServiceError } from "../../../model/errors.ts";
import {
  describeIntention,
  formatTime,
  intentionHash,
  intentionSchema,
  namesMatching,
  precedenceOf,
} from "../../../model/intention.ts";
import type { Intention, IntentionDefinition, ServiceName } from "../../../model/intention.ts";
import { encode } from "../../../model/schema.ts";
import { UuidError, uuidKey } from "../../../model/uuid.ts";
import type { TableIndex } from "../../meta.ts";
import { nameKey, withIndexes } from "../../rows.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import type { Topic } from "../../watch.ts";

export interface IntentionRow extends SqlRow {
  id: string;
  /** Namespace and name under which it is looked up, as JSON in lower case. */
  source_key: string;
  destination_key: string;
  source_ns: string;
  source_name: string;
  destination_ns: string;
  destination_name: string;
  precedence: number;
  create_index: number;
  modify_index: number;
  /** JSON of {@link Intention}. */
  body: string;
}

export const intentionTable: TableDefinition<IntentionRow> = {
  name: "intention",
  columns: {
    id: "TEXT NOT NULL",
    source_key: "TEXT NOT NULL",
    destination_key: "TEXT NOT NULL",
    source_ns: "TEXT NOT NULL",
    source_name: "TEXT NOT NULL",
    destination_ns: "TEXT NOT NULL",
    destination_name: "TEXT NOT NULL",
    precedence: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["id"],
  indexes: {
    intention_pair: { unique: true, on: "ON intention (destination_key, source_key)" },
    intention_source: { on: "ON intention (source_key)" },
  },
};

export const intentionsIndex: TableIndex = { name: "connect-intentions" };

export const intentionTopics = {
  /** Any intention: what all who read several wait for, whichever they are, as in Consul. */
  all: "intentions",
  one: (id: string): Topic => `intention:${id}`,
  pair: ({ source, destination }: IntentionPair): Topic =>
    `intention-pair:${nameKeyOf(source)} ${nameKeyOf(destination)}`,
};

/** Who decides first comes first. */
const inOrder =
  "ORDER BY precedence DESC, source_ns, source_name, destination_ns, destination_name";

/** A source and a destination, as a query names an intention. */
export interface IntentionPair {
  source: ServiceName;
  destination: ServiceName;
}

// Changes

/** Keeps an intention under an id that is not in use. Refuses when its pair has one. */
export function createIntention(change: Change, id: string, given: IntentionDefinition): void {
  storeIntention(change, { ...given, ID: id }, undefined);
}

/** Replaces the intention with this id. Refuses when there is none, and when the new pair has another one. */
export function updateIntention(change: Change, id: string, given: IntentionDefinition): void {
  const existing = findIntention(change, id);
  if (!existing) throw new ServiceError("invalid", absent("modify", id));
  storeIntention(change, { ...given, ID: existing.id }, existing);
}

/** Keeps the intention of a pair, with the id it has, or else with `id`. */
export function upsertIntention(change: Change, id: string, given: IntentionDefinition): void {
  const existing = findPair(change, pairOf(given));
  storeIntention(change, { ...given, ID: existing?.id ?? id }, existing);
}

export function deleteIntention(change: Change, id: string): void {
  const existing = findIntention(change, id);
  if (!existing) throw new ServiceError("invalid", absent("delete", id));
  removeIntention(change, existing);
}

/** The same by its pair; none is fine. */
export function deletePair(change: Change, pair: IntentionPair): void {
  const existing = findPair(change, pair);
  if (existing) removeIntention(change, existing);
}

function storeIntention(
  change: Change,
  given: IntentionDefinition,
  existing: IntentionRow | undefined,
): void {
  const other = findPair(change, pairOf(given));
  if (other && other.id !== given.ID) {
    const name = describeIntention(intentionOf(other));
    throw new ServiceError("invalid", `duplicate intention found: ${name}`);
  }
  const now = formatTime(change.nowMs);
  const intention: Intention = {
    ...given,
    Meta: given.Meta ?? {},
    Precedence: precedenceOf(given),
    CreatedAt: existing ? intentionOf(existing).CreatedAt : now,
    UpdatedAt: now,
    Hash: intentionHash(given),
  };
  putIntention(change, intention, existing);
}

/** As another datacenter has it. What this one had for the pair under another id goes. */
export function putCopiedIntention(change: Change, intention: Intention): void {
  const other = findPair(change, pairOf(intention));
  if (other && other.id !== intention.ID) removeIntention(change, other);
  putIntention(change, intention, findIntention(change, intention.ID));
}

function putIntention(
  change: Change,
  intention: Intention,
  existing: IntentionRow | undefined,
): void {
  change.table(intentionTable).put({
    id: intention.ID,
    ...namesOf(intention),
    precedence: intention.Precedence,
    create_index: existing?.create_index ?? change.index,
    modify_index: change.index,
    body: encode(intentionSchema, intention),
  });
  const states = existing ? [intentionOf(existing), intention] : [intention];
  touchIntention(change, intention.ID, states);
}

/** The columns of a row that name the two ends. */
export function namesOf(given: IntentionDefinition) {
  return {
    source_key: nameKeyOf(pairOf(given).source),
    destination_key: nameKeyOf(pairOf(given).destination),
    source_ns: given.SourceNS,
    source_name: given.SourceName,
    destination_ns: given.DestinationNS,
    destination_name: given.DestinationName,
  };
}

export function removeIntention(change: Change, row: IntentionRow): void {
  change.table(intentionTable).remove(row.id);
  touchIntention(change, row.id, [intentionOf(row)]);
}

/** `states`: what it was and what it is. */
function touchIntention(change: Change, id: string, states: readonly IntentionDefinition[]): void {
  change.meta.bump(intentionsIndex, change.index);
  const pairs = states.map((each) => intentionTopics.pair(pairOf(each)));
  change.touch(intentionTopics.all, intentionTopics.one(id), ...pairs);
}

// Queries

/** Throws a ServiceError of `code` in Consul's words when `id` is not a UUID. */
export function findIntention(
  state: State,
  id: string,
  fault: { code: "invalid" | "bad-request"; prefix: string } = {
    code: "invalid",
    prefix: "Intention lookup failed: ",
  },
): IntentionRow | undefined {
  try {
    return state.table(intentionTable).get(uuidKey(id));
  } catch (error) {
    if (!(error instanceof UuidError)) throw error;
    const reason = `failed intention lookup: index error: ${error.message}`;
    throw new ServiceError(fault.code, fault.prefix + reason);
  }
}

/** Why there is nothing to do this to. */
export function absent(action: "modify" | "delete", id: string): string {
  return `Cannot ${action} non-existent intention: '${id}'`;
}

export function findPair(
  state: State,
  { source, destination }: IntentionPair,
): IntentionRow | undefined {
  return state
    .table(intentionTable)
    .select(
      "WHERE destination_key = ? AND source_key = ? ORDER BY id",
      nameKeyOf(destination),
      nameKeyOf(source),
    )[0];
}

/** Names are looked up in any case; who judges a connection then compares its source exactly. */
function nameKeyOf({ ns, name }: ServiceName): string {
  return nameKey(JSON.stringify([ns, name]));
}

export function pairOf(intention: IntentionDefinition): IntentionPair {
  return {
    source: { ns: intention.SourceNS, name: intention.SourceName },
    destination: { ns: intention.DestinationNS, name: intention.DestinationName },
  };
}

export function allIntentions(state: State): IntentionRow[] {
  return state.table(intentionTable).select(inOrder);
}

/** Intentions about a service at one end, those that name it and those with wildcards; the first that fits decides. */
export function intentionsMatching(
  state: State,
  end: "source" | "destination",
  service: ServiceName,
): IntentionRow[] {
  const keys = namesMatching(service).map(nameKeyOf);
  const places = keys.map(() => "?").join(", ");
  return state.table(intentionTable).select(`WHERE ${end}_key IN (${places}) ${inOrder}`, ...keys);
}

export function intentionOf(row: IntentionRow): Intention {
  return JSON.parse(row.body) as Intention;
}

export function encodeIntentionRow(row: IntentionRow): string {
  return withIndexes(row.body, row);
}
