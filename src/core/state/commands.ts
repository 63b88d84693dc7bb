// Everything that can change replicated state, as one closed union. A command is what the log carries: it
// holds all that its handler needs (ids and times are chosen before it is proposed), so that every server
// computes the same result. The table of handlers is `handlers.ts`.
//
// Values of the KV store travel as base64 text and are stored as given.

import type { ErrorData } from "../model/errors.ts";
import type { TxnOperation, TxnOutcome } from "../model/transaction.ts";
import type { Base64Text, Deregistration, Registration, Uint64Text } from "../model/types.ts";
import type { SessionDefinition } from "../model/types.ts";

interface KvWrite {
  key: string;
  value: Base64Text;
  flags: Uint64Text;
}

export type Command =
  | ({ type: "kv.set" } & KvWrite)
  /** `index` "0": only if the key is absent. */
  | ({ type: "kv.cas"; index: Uint64Text } & KvWrite)
  | { type: "kv.delete"; key: string }
  | { type: "kv.delete-cas"; key: string; index: Uint64Text }
  | { type: "kv.delete-tree"; prefix: string }
  | ({ type: "kv.lock"; session: string } & KvWrite)
  | ({ type: "kv.unlock"; session: string } & KvWrite)
  /** The id is drawn by whoever proposes. */
  | { type: "session.create"; session: SessionDefinition }
  | { type: "session.destroy"; id: string }
  /** Proposed by the leader when the session's TTL ran out. */
  | { type: "session.expire"; id: string }
  | { type: "catalog.register"; registration: Registration }
  | { type: "catalog.deregister"; deregistration: Deregistration }
  | { type: "txn"; operations: TxnOperation[] }
  /** Forgets deletions made at or before `untilMs` in leader time. */
  | { type: "tombstone.reap"; untilMs: number };

export type CommandType = Command["type"];

interface CommandResults {
  "kv.set": true;
  "kv.cas": boolean;
  "kv.delete": true;
  "kv.delete-cas": boolean;
  "kv.delete-tree": true;
  "kv.lock": boolean;
  "kv.unlock": boolean;
  /** Id of the session. */
  "session.create": string;
  "session.destroy": true;
  "session.expire": true;
  "catalog.register": true;
  "catalog.deregister": true;
  txn: TxnOutcome;
  /** Number of tombstones forgotten. */
  "tombstone.reap": number;
}

export type CommandResult<Type extends CommandType> = CommandResults[Type];

/** What applying one entry yielded; a refusal is a value, never an exception. */
export type CommandOutcome<Type extends CommandType = CommandType> =
  | { ok: true; value: CommandResult<Type> }
  | { ok: false; error: ErrorData };

/** Newest envelope this code can apply. */
export const commandVersion = 1;

/** A decoded log entry. */
export interface CommandEnvelope {
  /** Leader's wall clock when it proposed, in ms since 1970. */
  stampMs: number;
  command: Command;
}

/** Thrown for an entry that a newer version wrote: the server must stop applying until it is upgraded. */
export class UnknownCommandError extends Error {
  override name = "UnknownCommandError";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a log entry. `stampMs` becomes the time at which every server applies it. */
export function encodeCommand(command: Command, stampMs: number): Uint8Array {
  return encoder.encode(JSON.stringify({ v: commandVersion, t: stampMs, c: command }));
}

/** Reads a log entry. Throws {@link UnknownCommandError} when its version is newer than this code. */
export function decodeCommand(bytes: Uint8Array): CommandEnvelope {
  const envelope = JSON.parse(decoder.decode(bytes)) as { v: number; t: number; c: Command };
  if (envelope.v > commandVersion) {
    throw new UnknownCommandError(`command version ${envelope.v} is newer than ${commandVersion}`);
  }
  return { stampMs: envelope.t, command: envelope.c };
}
