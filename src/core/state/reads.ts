// Every question that can be asked of the replicated state, as one closed union. Arguments are JSON, because
// they cross links. What answers them is the table in `read-table.ts`.

import type { TxnOperation } from "../model/transaction.ts";

/** Arguments that narrow or order a list; all optional, all ANDed. */
interface ListArguments {
  /** Node metadata that must match. */
  meta?: Record<string, string>;
  /** Filter expression (core/model/filter). */
  filter?: string;
  /** Node to sort by distance from. */
  near?: string;
}

interface InstanceArguments extends ListArguments {
  service: string;
  /** Tags the instance must all have; case does not matter. */
  tags?: string[];
}

export interface ReadArguments {
  "kv.get": { key: string };
  "kv.list": { prefix: string };
  "kv.keys": { prefix: string; separator?: string };
  "session.info": { id: string };
  "session.list": Record<string, never>;
  "session.node": { node: string };
  "txn.read": { operations: TxnOperation[] };
  "catalog.nodes": ListArguments;
  "catalog.services": { meta?: Record<string, string> };
  "catalog.service": InstanceArguments;
  "catalog.connect": InstanceArguments;
  "catalog.node": { node: string; filter?: string };
  "catalog.node-services": { node: string; filter?: string };
  "health.node": { node: string; filter?: string };
  "health.checks": ListArguments & { service: string };
  /** `passing`: leaves out instances with any check that is not passing. */
  "health.service": InstanceArguments & { passing?: boolean };
  "health.connect": InstanceArguments & { passing?: boolean };
  "health.state": ListArguments & { state: string };
}

export type ReadOperation = {
  [Op in keyof ReadArguments]: { op: Op; args: ReadArguments[Op] };
}[keyof ReadArguments];

export type ReadName = keyof ReadArguments;
