// Locks: a session holds a key.

import { ServiceError } from "../../../model/errors.ts";
import type { Change } from "../../state.ts";
import { holdKey, yieldKey } from "../kv/entries.ts";
import type { KvRow, KvWrite } from "../kv/entries.ts";
import { findSession } from "../session/session.ts";

/** Takes the lock for a session; undefined when another one holds it. Throws for an unknown session. */
export function lockKey(change: Change, write: KvWrite, session: string): KvRow | undefined {
  if (session === "") throw new ServiceError("invalid", "missing session");
  const row = findSession(change, session);
  if (!row) throw new ServiceError("invalid", `invalid session ${JSON.stringify(session)}`);
  return holdKey(change, write, row.id);
}

/** Gives the lock back; undefined when the session does not hold it. */
export function unlockKey(change: Change, write: KvWrite, session: string): KvRow | undefined {
  if (session === "") throw new ServiceError("invalid", "missing session");
  return yieldKey(change, write, session);
}
