// Everything that can change replicated state, as one closed union over the areas, and the bytes in which the
// log carries it.

import type { ErrorData } from "../model/errors.ts";
import type { CommandDefinition } from "./area.ts";
import type { areas } from "./tables/index.ts";
import type { Intersection } from "./types.ts";

type Definitions = Intersection<(typeof areas)[number]["commands"]>;

/** Each area says in its `index.ts` what its commands hold and do. */
export type Command = {
  [Type in keyof Definitions]: Definitions[Type] extends CommandDefinition<infer Fields, unknown>
    ? { type: Type } & Fields
    : never;
}[keyof Definitions];

export type CommandType = keyof Definitions;

export type CommandResult<Type extends CommandType> = ReturnType<Definitions[Type]["apply"]>;

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
