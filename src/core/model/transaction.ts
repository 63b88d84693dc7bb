// Operations of `PUT /v1/txn` after decoding: a flat union, one member per table. Verbs stay text, because an
// unknown verb is not a malformed request but a failed transaction that names its operation.

import type {
  Base64Text,
  HealthCheckFields,
  NodeDefinition,
  NodeServiceDefinition,
} from "./types.ts";
import type { Uint64Text } from "./types.ts";

export interface KvOperation {
  kind: "kv";
  verb: string;
  key: string;
  /** Base64. */
  value: Base64Text;
  flags: Uint64Text;
  /** Index the client saw; decimal text as it may be any uint64. */
  index: Uint64Text;
  session: string;
}

export interface NodeOperation {
  kind: "node";
  verb: string;
  node: NodeDefinition;
  index: Uint64Text;
}

export interface ServiceOperation {
  kind: "service";
  verb: string;
  node: string;
  service: NodeServiceDefinition;
  index: Uint64Text;
}

export interface CheckOperation {
  kind: "check";
  verb: string;
  check: HealthCheckFields;
  index: Uint64Text;
}

export type TxnOperation = KvOperation | NodeOperation | ServiceOperation | CheckOperation;

export interface TxnError {
  /** Position in the list of operations. */
  OpIndex: number;
  What: string;
}

/** `results` is the JSON text of the `Results` array, or null when the transaction failed. */
export interface TxnOutcome {
  results: string | null;
  errors: TxnError[];
}

const kvWriteVerbs = new Set([
  "set",
  "cas",
  "lock",
  "unlock",
  "delete",
  "delete-tree",
  "delete-cas",
]);

/** Whether the operation cannot change anything; an unknown verb is a read only in the KV store. */
export function isReadOperation(operation: TxnOperation): boolean {
  if (operation.kind === "kv") return !kvWriteVerbs.has(operation.verb);
  return operation.verb === "get";
}
