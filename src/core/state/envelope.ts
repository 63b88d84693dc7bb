// The bytes of a command in the log: JSON with a format, the leader's clock, the command and its version.
//
//   format 1  {"v":1,"t":stamp,"c":command}             types of the first format, all of version 1
//   format 2  {"v":2,"t":stamp,"n":version,"c":command}  everything else
//
// Both may end with who forwarded it: "o":[name,sequence].
//
// Code that knows only format 1 parks at format 2; writing the old format wherever it serves spares it that.

import { assert } from "../lib/assert.ts";
import { firstVersions } from "./versions.ts";

const newestFormat = 2;

/** A decoded log entry. */
export interface CommandEnvelope {
  /** Leader's wall clock when it proposed, in ms since 1970. */
  stampMs: number;
  /** Of this type of command. */
  version: number;
  command: { type: string };
  /** Who handed the command to the leader, so that it is recognized when it is applied; older code does not look. */
  origin?: CommandOrigin | null;
}

export interface CommandOrigin {
  /** Names one instance of one server. */
  name: string;
  sequence: number;
}

/** Thrown for an entry that newer code wrote: the server must stop applying until it is upgraded. */
export class UnknownCommandError extends Error {
  override name = "UnknownCommandError";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a log entry. `stampMs` becomes the time at which every server applies it. */
export function encodeEnvelope(given: CommandEnvelope): Uint8Array {
  const { stampMs, version, command, origin } = given;
  const from = origin ? { o: [origin.name, origin.sequence] } : {};
  const isFirst = version === 1 && Object.hasOwn(firstVersions, command.type);
  const envelope = isFirst
    ? { v: 1, t: stampMs, c: command, ...from }
    : { v: 2, t: stampMs, n: version, c: command, ...from };
  return encoder.encode(JSON.stringify(envelope));
}

/** Reads a log entry. Throws {@link UnknownCommandError} for a newer format, another Error for garbage. */
export function decodeEnvelope(bytes: Uint8Array): CommandEnvelope {
  const envelope = JSON.parse(decoder.decode(bytes)) as {
    v: number;
    t: number;
    n?: number;
    c: { type: string };
    o?: [string, number];
  };
  if (envelope.v > newestFormat) {
    throw new UnknownCommandError(`entry format ${envelope.v} is newer than ${newestFormat}`);
  }
  const { t: stampMs, n: version = 1, c: command, o } = envelope;
  assert(typeof command.type === "string", "a command has a type");
  const envelopeOf = { stampMs, version, command };
  return o ? { ...envelopeOf, origin: { name: o[0], sequence: o[1] } } : envelopeOf;
}
