// Everything that can change replicated state, as one closed union over the areas.

import type { ErrorData } from "../model/errors.ts";
import type { CommandDefinition } from "./area.ts";
import { encodeEnvelope } from "./envelope.ts";
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

/** The bytes of a log entry with a command of version 1. For what servers propose see `StateMachine.encode`. */
export function encodeCommand(command: Command, stampMs: number): Uint8Array {
  return encodeEnvelope({ stampMs, version: 1, command });
}
