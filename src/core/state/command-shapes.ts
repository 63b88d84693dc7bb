// The shape of every command as data, for `shape.ts` to hold what arrives against.

import { integer, text } from "../model/schema.ts";
import type { Field, StructType } from "../model/schema.ts";
import {
  deregistrationSchema,
  healthCheckFieldsSchema,
  nodeDefinitionSchema,
  nodeServiceDefinitionSchema,
  registrationSchema,
  sessionDefinitionSchema,
} from "../model/schemas.ts";
import type { TxnOperation } from "../model/transaction.ts";
import type { CommandType } from "./commands.ts";

const uint64: Field = { type: { kind: "uint64" } };
const type = text;

function shape(goName: string, fields: Readonly<Record<string, Field>>): StructType {
  return { kind: "struct", goName, fields };
}

const keyWrite = { type, key: text, value: { type: { kind: "bytes" } }, flags: uint64 } as const;

export const commandShapes: { readonly [Type in CommandType]: StructType } = {
  "kv.set": shape("kv.set", keyWrite),
  "kv.cas": shape("kv.cas", { ...keyWrite, index: uint64 }),
  "kv.delete": shape("kv.delete", { type, key: text }),
  "kv.delete-cas": shape("kv.delete-cas", { type, key: text, index: uint64 }),
  "kv.delete-tree": shape("kv.delete-tree", { type, prefix: text }),
  "kv.lock": shape("kv.lock", { ...keyWrite, session: text }),
  "kv.unlock": shape("kv.unlock", { ...keyWrite, session: text }),
  "session.create": shape("session.create", { type, session: { type: sessionDefinitionSchema } }),
  "session.destroy": shape("session.destroy", { type, id: text }),
  "session.expire": shape("session.expire", { type, id: text }),
  "catalog.register": shape("catalog.register", {
    type,
    registration: { type: registrationSchema },
  }),
  "catalog.deregister": shape("catalog.deregister", {
    type,
    deregistration: { type: deregistrationSchema },
  }),
  txn: shape("txn", { type, operations: { type: { kind: "list", item: { kind: "any" } } } }),
  "tombstone.reap": shape("tombstone.reap", { type, untilMs: integer }),
};

const operation = { kind: text, verb: text, index: uint64 } as const;

export const operationShapes: { readonly [Kind in TxnOperation["kind"]]: StructType } = {
  kv: shape("kv", {
    ...operation,
    key: text,
    value: { type: { kind: "bytes" } },
    flags: uint64,
    session: text,
  }),
  node: shape("node", { ...operation, node: { type: nodeDefinitionSchema } }),
  service: shape("service", {
    ...operation,
    node: text,
    service: { type: nodeServiceDefinitionSchema },
  }),
  check: shape("check", {
    ...operation,
    check: { type: healthCheckFieldsSchema },
  }),
};
