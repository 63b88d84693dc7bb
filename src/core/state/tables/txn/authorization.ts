// Permissions of a transaction: every operation is judged, and the answer to a refusal is the failed transaction that
// names the refused operations, not a plain error. What is only read is never refused: it is left out of the results.

import { assertNever } from "../../../lib/assert.ts";
import { ServiceError } from "../../../model/errors.ts";
import type { TxnError, TxnOperation } from "../../../model/transaction.ts";
import type { Authorizer } from "../../authorizer.ts";
import type { State } from "../../state.ts";
import { findService, serviceOf } from "../catalog/service-rows.ts";
import { operationProblem } from "./operation-problem.ts";

/** Throws ServiceError `conflict` whose message is the JSON answer, when any operation is not allowed. */
export function authorizeTransaction(
  state: State,
  operations: readonly TxnOperation[],
  authorizer: Authorizer,
): void {
  const errors = refusals(state, operations, authorizer);
  if (errors.length === 0) return;
  throw new ServiceError("conflict", JSON.stringify({ Results: null, Errors: errors }));
}

/** Empty unless a permission is missing; then also what is wrong with other operations. */
export function refusals(
  state: State,
  operations: readonly TxnOperation[],
  authorizer: Authorizer,
): TxnError[] {
  if (authorizer.unrestricted) return [];
  const denied = "Permission denied";
  const errors = operations.flatMap((operation, position): TxnError[] => {
    const problem = operationProblem(operation);
    if (problem !== null) return [{ OpIndex: position, What: problem }];
    const isAllowed = mayRun(state, operation, authorizer);
    return isAllowed ? [] : [{ OpIndex: position, What: denied }];
  });
  return errors.some(({ What }) => What === denied) ? errors : [];
}

/** Their results are filtered. */
const readVerbs = new Set(["get", "get-or-empty", "get-tree"]);
const checkVerbs = new Set(["check-index", "check-session", "check-not-exists"]);

function mayRun(state: State, operation: TxnOperation, authorizer: Authorizer): boolean {
  if (readVerbs.has(operation.verb)) return true;
  switch (operation.kind) {
    case "kv": {
      if (operation.verb === "delete-tree") return authorizer.allowsKeyTree(operation.key);
      const access = checkVerbs.has(operation.verb) ? "read" : "write";
      return authorizer.allows("key", operation.key, access);
    }
    case "node":
      return authorizer.allows("node", operation.node.Node, "write");
    case "service":
      return authorizer.allows("service", operation.service.Service, "write");
    case "check": {
      const { ServiceID: id, Node: node } = operation.check;
      const subject = id === "" ? undefined : findService(state, node, id);
      return subject
        ? authorizer.allows("service", serviceOf(subject).Service, "write")
        : authorizer.allows("node", node, "write");
    }
  }
  return assertNever(operation);
}

/** One result of a transaction, as far as it says what it is about. */
interface Result {
  KV?: { Key: string };
  Node?: { Node: string };
  Service?: { Service: string };
  Check?: { Node: string; ServiceName: string };
}

/** The results, as JSON text of a list, that the bearer may see. */
export function visibleResults(results: string, authorizer: Authorizer): string {
  const visible = elementsOf(results).filter((text) => {
    const { KV, Node, Service, Check } = JSON.parse(text) as Result;
    if (KV) return authorizer.allows("key", KV.Key, "read");
    if (Node) return authorizer.allows("node", Node.Node, "read");
    if (Service) return authorizer.allows("service", Service.Service, "read");
    if (!Check) return false;
    return Check.ServiceName === ""
      ? authorizer.allows("node", Check.Node, "read")
      : authorizer.allows("service", Check.ServiceName, "read");
  });
  return `[${visible.join(",")}]`;
}

const structure = /"(?:[^"\\]|\\.)*"|[{}]/gs;

/** The texts of a list of objects, as they are: numbers in them may be larger than ours. */
function elementsOf(list: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: found, index } of list.matchAll(structure)) {
    if (found === "{" && depth++ === 0) start = index;
    else if (found === "}" && --depth === 0) elements.push(list.slice(start, index + 1));
  }
  return elements;
}
