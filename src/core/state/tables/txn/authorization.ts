// Permissions of a transaction: every operation is judged, and the answer to a refusal is the failed
// transaction that names the refused operations, not a plain error.

import { assertNever } from "../../../lib/assert.ts";
import { ServiceError } from "../../../model/errors.ts";
import type { TxnOperation } from "../../../model/transaction.ts";
import type { Authorizer } from "../../authorizer.ts";
import type { State } from "../../state.ts";
import { findService, serviceOf } from "../catalog/service-rows.ts";

/** Throws ServiceError `conflict` whose message is the JSON answer, when any operation is not allowed. */
export function authorizeTransaction(
  state: State,
  operations: readonly TxnOperation[],
  authorizer: Authorizer,
): void {
  if (authorizer.unrestricted) return;
  const errors = [...operations.entries()]
    .filter(([, operation]) => !mayRun(state, operation, authorizer))
    .map(([position]) => ({ OpIndex: position, What: "Permission denied" }));
  if (errors.length > 0) {
    throw new ServiceError("conflict", JSON.stringify({ Results: null, Errors: errors }));
  }
}

const readVerbs = new Set([
  ...["get", "get-or-empty", "check-index", "check-session", "check-not-exists"],
]);

function mayRun(state: State, operation: TxnOperation, authorizer: Authorizer): boolean {
  const access = readVerbs.has(operation.verb) ? "read" : "write";
  switch (operation.kind) {
    case "kv":
      // Reading a tree leaves out what may not be read.
      if (operation.verb === "get-tree") return true;
      return operation.verb === "delete-tree"
        ? authorizer.allowsKeyTree(operation.key)
        : authorizer.allows("key", operation.key, access);
    case "node":
      return authorizer.allows("node", operation.node.Node, access);
    case "service":
      return authorizer.allows("service", operation.service.Service, access);
    case "check": {
      const { ServiceID: id, Node: node } = operation.check;
      const subject = id === "" ? undefined : findService(state, node, id);
      return subject
        ? authorizer.allows("service", serviceOf(subject).Service, access)
        : authorizer.allows("node", node, access);
    }
  }
  return assertNever(operation);
}
