// A server that starts anew: it throws its state away and waits for a snapshot. Until that has come it votes by the
// position that its log had reached, so that nothing it has acknowledged is forgotten by an election.

import type { Sql } from "../../src/core/lib/sql.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import type { Removal } from "./bootstrap.ts";
import type { RaftStorage } from "./storage.ts";

export interface DiscardParts {
  sql: Sql;
  storage: Pick<RaftStorage, "beginInstalling">;
  machine: Pick<StateMachine, "clear">;
  raft: Pick<Raft, "lastPosition">;
  /** Ends this instance, and keeps what it has written. Never returns normally. */
  restart(reason: string): never;
}

export function discardState(
  { sql, storage, machine, raft, restart }: DiscardParts,
  why: string,
): never {
  sql.transaction(() => {
    storage.beginInstalling(raft.lastPosition);
    machine.clear();
  });
  return restart(`${why}: its state is discarded, and a snapshot taken`);
}

/** A leader in its right mind sends more often, wherever servers are told to look for each other. */
const silenceMs = 3_000;

interface Standing {
  raft: Pick<Raft, "term" | "role" | "lastContactMs">;
  nowMs(): number;
}

/** Follows nobody. */
export function isLost({ raft, nowMs }: Standing): boolean {
  return raft.role !== "leader" && nowMs() - raft.lastContactMs > silenceMs;
}

/**
 * Whether a leader's word that this server was taken out of the group holds against what it knows itself. Whoever was
 * given a vote since has followed the leader of a later term.
 */
export function isRemoved(standing: Standing, { term }: Removal): boolean {
  return isLost(standing) && term >= standing.raft.term;
}
