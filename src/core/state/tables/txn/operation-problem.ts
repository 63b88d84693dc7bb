// What is wrong with an operation of a transaction by itself, whatever the state.

import { ServiceError } from "../../../model/errors.ts";
import { completeService } from "../../../model/registration.ts";
import type { TxnOperation } from "../../../model/transaction.ts";
import { uuidProblem } from "../../../model/uuid.ts";

/** In Consul's words; null when there is nothing. */
export function operationProblem(operation: TxnOperation): string | null {
  if (operation.kind === "kv") {
    return operation.key === "" && operation.verb !== "delete-tree" ? "Must provide key" : null;
  }
  if (operation.kind === "node" && operation.verb !== "get") {
    const { Node: name, ID: id } = operation.node;
    if (name === "") return "Must provide node";
    const problem = id === "" ? null : uuidProblem(id);
    return problem === null ? null : `Bad node ID: ${problem}`;
  }
  if (operation.kind !== "service" || operation.verb === "get") return null;
  try {
    completeService(operation.service);
    return null;
  } catch (failure) {
    if (failure instanceof ServiceError) return failure.message;
    throw failure;
  }
}
