// Log entries as the state machine reads them.

import { decodeEnvelope, UnknownCommandError } from "./envelope.ts";
import type { LogEntry } from "./applied.ts";
import type { CommandEnvelope } from "./envelope.ts";
import type { CommandVersions } from "./versions.ts";

export interface DecodedEntry {
  index: number;
  /** Null for entries of Raft's own; `unreadable` for bytes that are no command, which is poison. */
  envelope: CommandEnvelope | "unreadable" | null;
}

/** Stops at the first entry that this version cannot read: `parkedAt` is its index. */
export function decodeEntries(
  entries: readonly LogEntry[],
  known: CommandVersions,
): { decoded: DecodedEntry[]; parkedAt: number | null } {
  const decoded: DecodedEntry[] = [];
  for (const { index, command } of entries) {
    try {
      const envelope = command && decodeEnvelope(command);
      if (envelope) requireKnown(envelope, known);
      decoded.push({ index, envelope });
    } catch (failure) {
      if (failure instanceof UnknownCommandError) return { decoded, parkedAt: index };
      decoded.push({ index, envelope: "unreadable" });
    }
  }
  return { decoded, parkedAt: null };
}

function requireKnown(
  { version, command: { type } }: CommandEnvelope,
  known: CommandVersions,
): void {
  if (version <= (known[type] ?? 0)) return;
  throw new UnknownCommandError(`${type} of version ${version} is not known here`);
}
