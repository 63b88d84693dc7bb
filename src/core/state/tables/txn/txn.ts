// Transactions: all operations run in order in one log entry, each sees the effects of those before it, and
// one failure undoes everything. Every operation is tried, so that the answer names every failure. Verbs are
// tables, one per kind of operation.

import { uuidProblem } from "../../../model/uuid.ts";
import { assertNever } from "../../../lib/assert.ts";
import { ServiceError } from "../../../model/errors.ts";
import { completeCheck, completeService } from "../../../model/registration.ts";
import type {
  CheckOperation,
  KvOperation,
  NodeOperation,
  ServiceOperation,
  TxnError,
  TxnOperation,
  TxnOutcome,
} from "../../../model/transaction.ts";
import type { Uint64Text } from "../../../model/types.ts";
import type { Change } from "../../state.ts";
import { encodeGivenCheck, findCheck } from "../catalog/check-rows.ts";
import type { CheckRow } from "../catalog/check-rows.ts";
import { removeCheck } from "../catalog/check.ts";
import { encodeNodeRow, findNode, findNodeById } from "../catalog/node-rows.ts";
import type { NodeRow } from "../catalog/node-rows.ts";
import { putNode, removeNode } from "../catalog/node.ts";
import { registerCheck, registerService } from "../catalog/registration.ts";
import { encodeGivenService, findService } from "../catalog/service-rows.ts";
import type { ServiceRow } from "../catalog/service-rows.ts";
import { removeService } from "../catalog/service.ts";
import {
  casDeleteKey,
  casKey,
  deleteKey,
  deleteTree,
  encodeKvRow,
  findKey,
  keysUnder,
  setKey,
} from "../kv/entries.ts";
import type { KvRow } from "../kv/entries.ts";
import { lockKey, unlockKey } from "../lock/lock.ts";
import { isLockDelayed } from "../session/lock-delay.ts";
import { operationProblem } from "./operation-problem.ts";

/** Runs the operations. When `errors` is not empty the caller must undo what was done. */
export function runTransaction(change: Change, operations: readonly TxnOperation[]): TxnOutcome {
  const refused = collect(operations, (operation) => checkOperation(change, operation));
  if (refused.errors.length > 0) return refused;
  return collect(operations, (operation) => runOperation(change, operation));
}

/** Runs `step` for each operation; its texts become the results, its refusals the errors. */
function collect(
  operations: readonly TxnOperation[],
  step: (operation: TxnOperation) => string[],
): TxnOutcome {
  const results: string[] = [];
  const errors: TxnError[] = [];
  for (const [position, operation] of operations.entries()) {
    try {
      results.push(...step(operation));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      errors.push({ OpIndex: position, What: error.message });
    }
  }
  return errors.length > 0
    ? { results: null, errors }
    : { results: `[${results.join(",")}]`, errors };
}

/** What is refused before anything runs. */
function checkOperation(change: Change, operation: TxnOperation): string[] {
  const problem = operationProblem(operation);
  if (problem !== null) refuse(problem);
  if (operation.kind !== "kv" || operation.verb !== "lock") return [];
  if (isLockDelayed(change, operation.key)) {
    refuse(`failed to lock key ${quote(operation.key)} due to lock delay`);
  }
  return [];
}

function runOperation(change: Change, operation: TxnOperation): string[] {
  switch (operation.kind) {
    case "kv":
      return runVerb(kvVerbs, "KV", change, operation);
    case "node":
      return runVerb(nodeVerbs, "Node", change, operation);
    case "service":
      return runVerb(serviceVerbs, "Service", change, operation);
    case "check":
      return runVerb(checkVerbs, "Check", change, operation);
  }
  return assertNever(operation);
}

type Verb<Operation> = (change: Change, operation: Operation) => string[];
type VerbTable<Operation> = Readonly<Record<string, Verb<Operation>>>;

function runVerb<Operation extends TxnOperation>(
  verbs: VerbTable<Operation>,
  kind: string,
  change: Change,
  operation: Operation,
): string[] {
  const verb = Object.hasOwn(verbs, operation.verb) ? verbs[operation.verb] : undefined;
  return verb ? verb(change, operation) : refuse(`unknown ${kind} verb ${quote(operation.verb)}`);
}

// Keys

const kvVerbs: VerbTable<KvOperation> = {
  set: (change, op) => written(setKey(change, op)),
  cas: (change, op) =>
    written(
      casKey(change, op, op.index) ?? refuse(`failed to set key ${quote(op.key)}, index is stale`),
    ),
  lock: (change, op) =>
    written(
      lockKey(change, op, op.session) ??
        refuse(`failed to lock key ${quote(op.key)}, lock is already held`),
    ),
  unlock: (change, op) =>
    written(
      unlockKey(change, op, op.session) ??
        refuse(
          `failed to unlock key ${quote(op.key)}, lock isn't held, or is held by another session`,
        ),
    ),
  get: (change, op) => [kvResult(requireKey(change, op.key, ""), true)],
  // Since Consul 1.16: a key that does not exist reads as one without value.
  "get-or-empty": (change, op) => [kvResult(findKey(change, op.key) ?? noKey(op.key), true)],
  "get-tree": (change, op) => keysUnder(change, op.key).map((row) => kvResult(row, true)),
  "check-index": (change, op) => {
    const row = requireKey(change, op.key, "failed to check index, ");
    if (String(row.modify_index) === op.index) return written(row);
    const found = `current modify index ${row.modify_index} != ${op.index}`;
    return refuse(`failed index check for key ${quote(op.key)}, ${found}`);
  },
  "check-session": (change, op) => {
    const row = requireKey(change, op.key, "failed to check session, ");
    const holder = row.session ?? "";
    if (holder === op.session) return written(row);
    const found = `current session ${quote(holder)} != ${quote(op.session)}`;
    return refuse(`failed session check for key ${quote(op.key)}, ${found}`);
  },
  "check-not-exists": (change, op) =>
    findKey(change, op.key) ? refuse(`key ${quote(op.key)} exists`) : [],
  delete: (change, op) => {
    deleteKey(change, op.key);
    return [];
  },
  "delete-tree": (change, op) => {
    deleteTree(change, op.key);
    return [];
  },
  "delete-cas": (change, op) =>
    casDeleteKey(change, op.key, op.index)
      ? []
      : refuse(`failed to delete key ${quote(op.key)}, index is stale`),
};

function requireKey(change: Change, key: string, context: string): KvRow {
  return findKey(change, key) ?? refuse(`${context}key ${quote(key)} doesn't exist`);
}

function noKey(key: string): KvRow {
  const indexes = { lock_index: 0, create_index: 0, modify_index: 0 };
  return { key, value: "", flags: "0", session: null, ...indexes };
}

/** Writes and checks answer with the entry but not its value. */
function written(row: KvRow): string[] {
  return [kvResult(row, false)];
}

function kvResult(row: KvRow, withValue: boolean): string {
  return `{"KV":${encodeKvRow(row, withValue)}}`;
}

// Nodes

const nodeVerbs: VerbTable<NodeOperation> = {
  get: (change, op) => [
    nodeResult(nodeToRead(change, op) ?? refuse(`node ${quote(op.node.Node)} doesn't exist`)),
  ],
  set: (change, op) => [nodeResult(setNode(change, op))],
  cas: (change, op) => {
    requireIndex(findNode(change, op.node.Node), op.index, `set node ${quote(op.node.Node)}`);
    return [nodeResult(setNode(change, op))];
  },
  delete: (change, op) => {
    removeNode(change, op.node.Node);
    return [];
  },
  "delete-cas": (change, op) => {
    requireExisting(findNode(change, op.node.Node), op.index, `delete node ${quote(op.node.Node)}`);
    removeNode(change, op.node.Node);
    return [];
  },
};

function nodeToRead(change: Change, { node }: NodeOperation): NodeRow | undefined {
  const problem = node.ID === "" ? null : uuidProblem(node.ID);
  if (problem !== null) refuse(`node lookup by ID failed, wrong UUID: ${problem} for '${node.ID}'`);
  return node.ID === "" ? findNode(change, node.Node) : findNodeById(change, node.ID);
}

function setNode(change: Change, { node }: NodeOperation): NodeRow {
  const datacenter = node.Datacenter === "" ? change.datacenter : node.Datacenter;
  return putNode(change, { ...node, Datacenter: datacenter });
}

function nodeResult(row: NodeRow): string {
  return `{"Node":${encodeNodeRow(row)}}`;
}

// Services

const serviceVerbs: VerbTable<ServiceOperation> = {
  get: (change, op) => [
    serviceResult(
      findService(change, op.node, op.service.ID) ??
        refuse(`service ${quote(op.service.ID)} on node ${quote(op.node)} doesn't exist`),
    ),
  ],
  set: (change, op) => [serviceResult(setService(change, op))],
  cas: (change, op) => {
    const existing = findService(change, op.node, serviceId(op));
    requireIndex(existing, op.index, `set ${describeService(op)}`);
    return [serviceResult(setService(change, op))];
  },
  delete: (change, op) => {
    removeService(change, op.node, serviceId(op));
    return [];
  },
  "delete-cas": (change, op) => {
    const existing = findService(change, op.node, serviceId(op));
    requireExisting(existing, op.index, `delete ${describeService(op)}`);
    removeService(change, op.node, serviceId(op));
    return [];
  },
};

function setService(change: Change, op: ServiceOperation): ServiceRow {
  return registerService(change, op.node, completeService(op.service));
}

function serviceId({ service }: ServiceOperation): string {
  return service.ID === "" ? service.Service : service.ID;
}

function describeService(op: ServiceOperation): string {
  return `service ${quote(serviceId(op))} on node ${quote(op.node)}`;
}

function serviceResult(row: ServiceRow): string {
  return `{"Service":${encodeGivenService(row)}}`;
}

// Checks

const checkVerbs: VerbTable<CheckOperation> = {
  get: (change, op) => [
    checkResult(
      findCheck(change, op.check.Node, op.check.CheckID) ??
        refuse(`check ${quote(op.check.CheckID)} on node ${quote(op.check.Node)} doesn't exist`),
    ),
  ],
  set: (change, op) => [checkResult(setCheck(change, op))],
  cas: (change, op) => {
    const existing = findCheck(change, op.check.Node, checkId(op));
    requireIndex(existing, op.index, `set ${describeCheck(op)}`);
    return [checkResult(setCheck(change, op))];
  },
  delete: (change, op) => {
    removeCheck(change, op.check.Node, checkId(op));
    return [];
  },
  "delete-cas": (change, op) => {
    const existing = findCheck(change, op.check.Node, checkId(op));
    requireExisting(existing, op.index, `delete ${describeCheck(op)}`);
    removeCheck(change, op.check.Node, checkId(op));
    return [];
  },
};

function setCheck(change: Change, { check }: CheckOperation): CheckRow {
  return registerCheck(change, completeCheck(check, check.Node));
}

function checkId({ check }: CheckOperation): string {
  return check.CheckID === "" ? check.Name : check.CheckID;
}

function describeCheck(op: CheckOperation): string {
  return `check ${quote(checkId(op))} on node ${quote(op.check.Node)}`;
}

function checkResult(row: CheckRow): string {
  return `{"Check":${encodeGivenCheck(row)}}`;
}

// Compare-and-set on rows

type Indexed = { modify_index: number } | undefined;

/** Index "0" demands that there is no such row, any other one that it has this index. */
function requireIndex(row: Indexed, index: Uint64Text, what: string): void {
  if (String(row?.modify_index ?? 0) !== index) refuse(`failed to ${what}, index is stale`);
}

/** Only what exists with this index may be deleted. */
function requireExisting(row: Indexed, index: Uint64Text, what: string): void {
  if (!row || String(row.modify_index) !== index) refuse(`failed to ${what}, index is stale`);
}

function refuse(what: string): never {
  throw new ServiceError("conflict", what);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
