// Sessions: row, commands, queries. A session is bound to a node and to checks; when any of them goes away or
// turns critical the session is invalidated, and the locks it held are released or deleted by its Behavior.
// Its TTL is not here: deadlines belong to the leader, which proposes `session.expire`.

import type { SqlRow } from "../../../lib/sql.ts";
import { ServiceError } from "../../../model/errors.ts";
import { limits } from "../../../model/limits.ts";
import { encode } from "../../../model/schema.ts";
import { sessionDefinitionSchema } from "../../../model/schemas.ts";
import { sessionTtlMs } from "../../../model/session.ts";
import type { SessionDefinition } from "../../../model/types.ts";
import { UuidError, uuidKey } from "../../../model/uuid.ts";
import type { TableIndex } from "../../meta.ts";
import { nameKey, withIndexes } from "../../rows.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { findCheck } from "../catalog/check-rows.ts";
import { findNode } from "../catalog/node-rows.ts";
import { deleteKey, keysHeldBy, releaseKey } from "../kv/entries.ts";
import { delayLocks } from "./lock-delay.ts";
import { sessionRemoved } from "./events.ts";
import { sessionTopics } from "./topics.ts";

/** Index of the sessions that clients see. */
export const sessionsIndex: TableIndex = { name: "sessions" };

export interface SessionRow extends SqlRow {
  id: string;
  node_key: string;
  create_index: number;
  modify_index: number;
  /** JSON of {@link SessionDefinition}. */
  body: string;
}

export const sessionTable: TableDefinition<SessionRow> = {
  name: "session",
  columns: {
    id: "TEXT NOT NULL",
    node_key: "TEXT NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["id"],
  indexes: { session_node: { on: "ON session (node_key)" } },
};

// Commands

/** Registers a session; its node and checks must exist and no check be critical. Answers its id. */
export function createSession(change: Change, session: SessionDefinition): string {
  const node = findNode(change, session.Node);
  if (!node) throw new ServiceError("invalid", "Missing node registration");
  for (const check of boundChecks(session)) {
    const found = findCheck(change, session.Node, check);
    if (!found) throw new ServiceError("invalid", `Missing check '${check}' registration`);
    if (found.status === "critical") {
      throw new ServiceError("invalid", `Check '${check}' is in critical state`);
    }
  }
  const row: SessionRow = {
    id: session.ID,
    node_key: node.node_key,
    create_index: change.index,
    modify_index: change.index,
    body: encode(sessionDefinitionSchema, session),
  };
  change.table(sessionTable).put(row);
  touchSession(change, row);
  return row.id;
}

/** Invalidates a session; unknown ones are fine. Throws for an id that is no UUID. */
export function destroySession(change: Change, id: string): void {
  const row = findSession(change, id);
  if (row) invalidateSession(change, row);
}

/** Invalidates every session of a node, because the node is gone. */
export function invalidateSessionsOfNode(change: Change, node: string): void {
  for (const row of sessionsOfNode(change, node)) invalidateSession(change, row);
}

/** Invalidates the sessions of a node that are bound to one of its checks. */
export function invalidateSessionsOfCheck(
  change: Change,
  { node, check }: { node: string; check: string },
): void {
  const checkKey = nameKey(check);
  for (const row of sessionsOfNode(change, node)) {
    const bound = boundChecks(sessionOf(row)).some((each) => nameKey(each) === checkKey);
    if (bound) invalidateSession(change, row);
  }
}

function invalidateSession(change: Change, row: SessionRow): void {
  const session = sessionOf(row);
  change.table(sessionTable).remove(row.id);
  touchSession(change, row);
  const held = keysHeldBy(change, row.id);
  const delayMs = Math.min(session.LockDelay / 1e6, limits.sessionLockDelayMsMax);
  if (delayMs > 0 && held.length > 0) {
    delayLocks(
      change,
      held.map((each) => each.key),
      Math.ceil(delayMs),
    );
  }
  for (const each of held) {
    if (session.Behavior === "delete") deleteKey(change, each.key);
    else releaseKey(change, each);
  }
  change.emit(sessionRemoved, row.id);
}

function touchSession(change: Change, row: SessionRow): void {
  change.meta.bump(sessionsIndex, change.index);
  change.touch(
    sessionTopics.session(row.id),
    sessionTopics.sessionsOfNode(row.node_key),
    sessionTopics.sessions,
  );
}

function boundChecks(session: SessionDefinition): string[] {
  return [
    ...(session.Checks ?? []),
    ...(session.NodeChecks ?? []),
    ...(session.ServiceChecks ?? []).map((check) => check.ID),
  ];
}

// Queries

/** Throws a ServiceError in Consul's words when `id` is not a UUID. */
export function findSession(state: State, id: string): SessionRow | undefined {
  return state.table(sessionTable).get(sessionKey(id));
}

/** Canonical form of a session id. */
export function sessionKey(id: string): string {
  try {
    return uuidKey(id);
  } catch (error) {
    if (!(error instanceof UuidError)) throw error;
    throw new ServiceError("invalid", `failed session lookup: index error: ${error.message}`);
  }
}

export function sessionsOfNode(state: State, node: string): SessionRow[] {
  return state.table(sessionTable).select("WHERE node_key = ? ORDER BY id", nameKey(node));
}

export function allSessions(state: State): SessionRow[] {
  return state.table(sessionTable).select("ORDER BY id");
}

export function encodeSessionRow(row: SessionRow): string {
  return withIndexes(row.body, row);
}

export interface SessionTtl {
  id: string;
  /** 0: it never expires. */
  ttlMs: number;
}

/** Every session that expires, for a new leader to arm its timers. */
export function listSessionTtls(state: State): SessionTtl[] {
  return allSessions(state)
    .map((row) => ({ id: row.id, ttlMs: sessionTtlMs(sessionOf(row)) }))
    .filter((session) => session.ttlMs > 0);
}

/** TTL of a session in ms: 0 when it never expires, undefined when there is no such session. */
export function findSessionTtlMs(state: State, id: string): number | undefined {
  const row = state.table(sessionTable).get(id);
  return row && sessionTtlMs(sessionOf(row));
}

export function sessionOf(row: SessionRow): SessionDefinition {
  const parsed = JSON.parse(row.body) as SessionDefinition;
  return { ...parsed, Checks: parsed.Checks ?? null };
}
