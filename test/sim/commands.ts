// What simulated clients ask for, and how a command travels in a log entry.

export type Command =
  | { type: "put"; key: string; value: string }
  | { type: "cas"; key: string; expected: string | null; value: string };

/** default: by lease or by a round. consistent: always by a round. stale: whatever is here. */
export type ReadMode = "default" | "consistent" | "stale";

export type Operation = Command | { type: "get"; key: string; mode: ReadMode };

export type Outcome =
  | { type: "written"; result: string; index: number }
  | { type: "read"; value: string | null; index: number }
  /** It did not happen here; try `leader`. */
  | { type: "redirect"; leader: string | null }
  /** It will never happen. */
  | { type: "lost" };

export function encodeCommand(command: Command): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(command));
}

export function decodeCommand(data: Uint8Array): Command {
  return JSON.parse(new TextDecoder().decode(data)) as Command;
}
