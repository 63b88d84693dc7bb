// What simulated clients ask for, and how a command travels in a log entry.
//
// Keys k0, k1… are registers: put, cas, delete. Keys l0, l1… are locks, held by sessions, which live
// and die with their node.

export type Change =
  | { type: "put"; key: string; value: string }
  /** `expected` is what the client saw, `expectedIndex` the index it came with; 0: no such key. */
  | { type: "cas"; key: string; expected: string | null; expectedIndex: number; value: string }
  | { type: "delete"; key: string }
  | { type: "acquire"; key: string; value: string; session: string }
  | { type: "release"; key: string; value: string; session: string }
  | { type: "openSession"; session: string; node: string; lockDelayMs: number; deletes: boolean }
  | { type: "closeSession"; session: string }
  | { type: "register"; node: string }
  | { type: "deregister"; node: string }
  /** Bytes that no state machine can read. */
  | { type: "poison" };

/** No two commands have the same id. */
export type Command = { id: string } & Change;

/** default: by lease or by a round. consistent: always by a round. stale: whatever is here. */
export type ReadMode = "default" | "consistent" | "stale";

export interface Get {
  type: "get";
  key: string;
  mode: ReadMode;
}

export type Operation = Command | Get;

/** What a key holds; `index` is that of its last change, `session` that of its lock's holder. */
export interface Found {
  value: string;
  index: number;
  session: string | null;
}

/** mismatch: the condition did not hold. refused: it names what does not exist. */
export type Result = "ok" | "mismatch" | "refused" | "internal";

export type Outcome =
  | { type: "written"; result: Result; index: number }
  /** `index` is what the server had applied. */
  | { type: "read"; found: Found | null; index: number }
  /** It did not happen here; try `leader`. */
  | { type: "redirect"; leader: string | null }
  /** It will never happen. */
  | { type: "lost" };

export interface CommandEnvelope {
  /** A server whose code is older than this cannot apply the command. */
  version: number;
  /** Clock of the leader that proposed it. */
  stampMs: number;
  command: Command;
}

export function encodeCommand(command: Command, stampMs = 0, version = 1): Uint8Array {
  const envelope: CommandEnvelope = { version, stampMs, command };
  return new TextEncoder().encode(JSON.stringify(envelope));
}

export function decodeCommand(data: Uint8Array): CommandEnvelope {
  return JSON.parse(new TextDecoder().decode(data)) as CommandEnvelope;
}
