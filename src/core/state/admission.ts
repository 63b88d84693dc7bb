// What is decided about a command before it enters the log: may this token do it, does it have the shape its
// handler relies on, and is it refused whatever the state. One line per command; the handlers decide the rest.

import { ServiceError } from "../model/errors.ts";
import { limits } from "../model/limits.ts";
import { completeRegistration } from "../model/registration.ts";
import { validateSession } from "../model/session.ts";
import type { Registration } from "../model/types.ts";
import type { Access, Authorizer, Resource } from "./authorizer.ts";
import type { TxnOperation } from "../model/transaction.ts";
import { commandShapes, operationShapes } from "./command-shapes.ts";
import { fitShape } from "./shape.ts";
import { findCheck } from "./check.ts";
import type { Command, CommandType } from "./commands.ts";
import { nodeOf, findNode } from "./node.ts";
import type { State } from "./schema.ts";
import { findService, serviceOf } from "./service.ts";
import { findSession } from "./session.ts";
import { authorizeTransaction } from "./txn-authorization.ts";

type Admit<Type extends CommandType> = (
  command: Extract<Command, { type: Type }>,
  permit: Permit,
  state: State,
) => Extract<Command, { type: Type }>;

/** Throws `Permission denied` unless the access is allowed. */
type Permit = (resource: Resource, segment: string, access: Access) => void;

const admissions: { readonly [Type in CommandType]: Admit<Type> } = {
  "kv.set": admitKey,
  "kv.cas": admitKey,
  "kv.delete": admitKey,
  "kv.delete-cas": admitKey,
  "kv.delete-tree": (command) => command,
  "kv.lock": admitKey,
  "kv.unlock": admitKey,
  "session.create": (command, permit) => {
    validateSession(command.session);
    permit("session", command.session.Node, "write");
    return command;
  },
  "session.destroy": (command, permit, state) => {
    const session = findSession(state, command.id);
    if (session) permit("session", session.node_key, "write");
    return command;
  },
  "session.expire": (command) => command,
  "catalog.register": (command, permit, state) => {
    requireDatacenter(state, command.registration.Datacenter);
    const registration = completeRegistration(command.registration);
    permitRegistration(registration, permit, state);
    return { type: "catalog.register", registration };
  },
  "catalog.deregister": (command, permit, state) => {
    const { Datacenter: datacenter, Node: node, ServiceID: service } = command.deregistration;
    requireDatacenter(state, datacenter);
    if (node === "") throw new ServiceError("invalid", "Must provide node");
    const row = service === "" ? undefined : findService(state, node, service);
    if (row) permit("service", serviceOf(row).Service, "write");
    else permit("node", node, "write");
    return command;
  },
  txn: (command) => {
    if (command.operations.length > limits.txnOperationsMax) {
      const count = `${command.operations.length} > ${limits.txnOperationsMax}`;
      throw new ServiceError("too-large", `Transaction contains too many operations (${count})`);
    }
    const operations = command.operations.map((operation, at) => fitOperation(operation, at));
    return { type: "txn", operations };
  },
  "tombstone.reap": (command) => command,
};

/** The command to propose. Throws ServiceError. */
export function admitCommand(state: State, given: Command, authorizer: Authorizer): Command {
  if (!Object.hasOwn(admissions, given.type)) {
    throw new ServiceError("malformed", `unknown command ${JSON.stringify(given.type)}`);
  }
  const command = fitShape<Command>(commandShapes[given.type], given, given.type);
  const admit = admissions[command.type] as Admit<CommandType>;
  const permit: Permit = (resource, segment, access) => {
    if (!authorizer.allows(resource, segment, access)) {
      throw new ServiceError("permission-denied", "Permission denied");
    }
  };
  if (command.type === "kv.delete-tree" && !authorizer.allowsKeyTree(command.prefix)) {
    throw new ServiceError("permission-denied", "Permission denied");
  }
  if (command.type === "txn") authorizeTransaction(state, command.operations, authorizer);
  return admit(command, permit, state);
}

function fitOperation(given: TxnOperation, at: number): TxnOperation {
  const { kind } = given;
  if (!Object.hasOwn(operationShapes, kind)) {
    throw new ServiceError("malformed", `operations[${at}] has no kind`);
  }
  const operation = fitShape<TxnOperation>(operationShapes[kind], given, `operations[${at}]`);
  if (operation.kind === "service") requireMember(operation.service, `operations[${at}].service`);
  if (operation.kind === "check") requireMember(operation.check, `operations[${at}].check`);
  return operation;
}

function requireMember(member: unknown, where: string): void {
  if (member === null) throw new ServiceError("malformed", `${where} is missing`);
}

function admitKey<KeyCommand extends Command & { key: string }>(
  command: KeyCommand,
  permit: Permit,
): KeyCommand {
  if (command.key === "") throw new ServiceError("invalid", "Must provide key");
  permit("key", command.key, "write");
  return command;
}

function requireDatacenter(state: State, datacenter: string): void {
  if (datacenter === "" || datacenter === state.datacenter) return;
  throw new ServiceError("no-path-to-datacenter", "No path to datacenter");
}

/** Writing a node needs node:write only when the node changes; a check needs that of what it speaks about. */
function permitRegistration(registration: Registration, permit: Permit, state: State): void {
  const { Node: node, Service: service } = registration;
  if (changesNode(registration, state)) permit("node", node, "write");
  if (service) permit("service", service.Service, "write");
  for (const check of registration.Checks ?? []) {
    const existing = findCheck(state, node, check.CheckID);
    const subject = check.ServiceID === "" ? undefined : findService(state, node, check.ServiceID);
    if (check.ServiceID === "" || (existing && existing.service_key === "")) {
      permit("node", node, "write");
    } else {
      permit("service", subject ? serviceOf(subject).Service : check.ServiceName, "write");
    }
  }
}

function changesNode(registration: Registration, state: State): boolean {
  const row = findNode(state, registration.Node);
  if (!row) return true;
  if (registration.SkipNodeUpdate) return false;
  const node = nodeOf(row);
  return (
    node.ID !== registration.ID ||
    node.Address !== registration.Address ||
    JSON.stringify(node.TaggedAddresses) !== JSON.stringify(registration.TaggedAddresses) ||
    JSON.stringify(node.Meta) !== JSON.stringify(registration.NodeMeta)
  );
}
