// Transactions over keys, locks and the catalog.

import { ServiceError } from "../../../model/errors.ts";
import { limits } from "../../../model/limits.ts";
import { withUsableWeights } from "../../../model/registration.ts";
import type { TxnOperation, TxnOutcome } from "../../../model/transaction.ts";
import type { Admission } from "../../area.ts";
import type { Authorizer } from "../../authorizer.ts";
import { command, defineArea } from "../../area.ts";
import type { PlainRead } from "../../read.ts";
import { UndoneResult } from "../../undone.ts";
import { kvs } from "../kv/indexes.ts";
import { authorizeTransaction, refusals, visibleResults } from "./authorization.ts";
import { fitOperation } from "./shapes.ts";
import { runTransaction } from "./txn.ts";

export interface Operations {
  operations: TxnOperation[];
}

const read: PlainRead<Operations> = {
  evaluate: ({ operations }, view) => {
    const refused = refusals(view, operations, view.authorizer);
    if (refused.length > 0) {
      const text = JSON.stringify(refused);
      const body = `{"Results":null,"Errors":${text}}`;
      return { index: view.meta.index(kvs), body, topics: [] };
    }
    const change = { ...view, index: 0, touch: () => undefined, emit: () => undefined };
    const { results, errors } = runTransaction(change, operations);
    const errorText = errors.length === 0 ? "null" : JSON.stringify(errors);
    const shown = results === null ? "null" : shownResults(results, view.authorizer);
    const body = `{"Results":${shown},"Errors":${errorText}}`;
    return { index: view.meta.index(kvs), body, topics: [] };
  },
};

export const txn = defineArea({
  name: "txn",
  tables: [],
  commands: {
    txn: command<Operations, TxnOutcome>({
      shape: { operations: { type: { kind: "list", item: { kind: "any" } } } },
      admit: admitTransaction,
      guarded: true,
      apply: (change, { operations }) => {
        const outcome = runTransaction(change, operations);
        if (outcome.errors.length > 0) throw new UndoneResult(outcome);
        return outcome;
      },
      reveal: ({ results, errors }, authorizer) => ({
        results: results === null ? null : shownResults(results, authorizer),
        errors,
      }),
    }),
  },
  reads: { "txn.read": read },
});

function admitTransaction(given: Operations, { state, authorizer }: Admission): Operations {
  // A list that is missing is null.
  const asked = (given.operations as Operations["operations"] | null) ?? [];
  if (asked.length > limits.txnOperationsMax) {
    const count = `${asked.length} > ${limits.txnOperationsMax}`;
    throw new ServiceError("too-large", `Transaction contains too many operations (${count})`);
  }
  const operations = asked.map((each, at) => withWeights(fitOperation(each, at)));
  authorizeTransaction(state, operations, authorizer);
  return { operations };
}

function withWeights(operation: TxnOperation): TxnOperation {
  if (operation.kind !== "service") return operation;
  return { ...operation, service: withUsableWeights(operation.service) };
}

/** Without ACLs nothing is looked through. */
function shownResults(results: string, authorizer: Authorizer): string {
  return authorizer.unrestricted ? results : visibleResults(results, authorizer);
}
