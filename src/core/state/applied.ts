// Log entries on their way into the state machine, and what became of them.

import type { Command, CommandOutcome } from "./commands.ts";
import type { CommandOrigin } from "./envelope.ts";
import type { Topic } from "./watch.ts";

/** A committed log entry; `command` is null for entries of Raft's own. */
export interface LogEntry {
  index: number;
  command: Uint8Array | null;
}

/** What became of a log entry. */
export interface Applied {
  index: number;
  /** Null for entries of Raft's own, and for one that could not be read. */
  command: Command | null;
  /** Meaningless where `command` is null, except for a failure. */
  outcome: CommandOutcome;
  /** Topics to fire. */
  touched: Topic[];
  /** The whole state was replaced. */
  replaced?: true;
  /** Who forwarded the command; absent where nobody did. */
  origin?: CommandOrigin;
}

/** Of a command that threw what no command may. */
export const internalError: CommandOutcome = {
  ok: false,
  error: { code: "internal", message: "internal error" },
};

export function succeeded(value: unknown): CommandOutcome {
  return { ok: true, value } as CommandOutcome;
}
