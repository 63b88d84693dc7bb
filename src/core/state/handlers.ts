// What each command does: one table, one line per command. A handler changes tables and answers the command's
// result. It refuses by throwing ServiceError; one that may do so after its first write is `guarded`, which
// means that what it did is undone.

import type { Command, CommandResult, CommandType } from "./commands.ts";
import { deregister, register } from "./catalog.ts";
import { casDeleteKey, casKey, deleteKey, deleteTree, lockKey, setKey, unlockKey } from "./kv.ts";
import { isLockDelayed } from "./lock-delay.ts";
import type { Change } from "./schema.ts";
import { createSession, destroySession } from "./session.ts";
import { reapTombstones } from "./tombstone.ts";
import { runTransaction } from "./txn.ts";

/** Thrown by a guarded handler that has an answer but wants nothing of what it did to remain. */
export class UndoneResult {
  readonly value: CommandResult<CommandType>;
  constructor(value: CommandResult<CommandType>) {
    this.value = value;
  }
}

export interface Handler<Type extends CommandType> {
  guarded?: true;
  apply(change: Change, command: Extract<Command, { type: Type }>): CommandResult<Type>;
}

export const handlers: { readonly [Type in CommandType]: Handler<Type> } = {
  "kv.set": { apply: (change, command) => (setKey(change, command), true) },
  "kv.cas": { apply: (change, command) => casKey(change, command, command.index) !== undefined },
  "kv.delete": { apply: (change, { key }) => (deleteKey(change, key), true) },
  "kv.delete-cas": { apply: (change, { key, index }) => casDeleteKey(change, key, index) },
  "kv.delete-tree": { apply: (change, { prefix }) => (deleteTree(change, prefix), true) },
  "kv.lock": {
    apply: (change, command) =>
      !isLockDelayed(change, command.key) &&
      lockKey(change, command, command.session) !== undefined,
  },
  "kv.unlock": {
    apply: (change, command) => unlockKey(change, command, command.session) !== undefined,
  },
  "session.create": { apply: (change, { session }) => createSession(change, session) },
  "session.destroy": { apply: (change, { id }) => (destroySession(change, id), true) },
  "session.expire": { apply: (change, { id }) => (destroySession(change, id), true) },
  "catalog.register": {
    guarded: true,
    apply: (change, { registration }) => (register(change, registration), true),
  },
  "catalog.deregister": {
    apply: (change, { deregistration }) => (deregister(change, deregistration), true),
  },
  txn: {
    guarded: true,
    apply: (change, { operations }) => {
      const outcome = runTransaction(change, operations);
      if (outcome.errors.length > 0) throw new UndoneResult(outcome);
      return outcome;
    },
  },
  "tombstone.reap": { apply: (change, { untilMs }) => reapTombstones(change, untilMs) },
};
