// The shape of each kind of operation in a transaction.

import { ServiceError } from "../../../model/errors.ts";
import { text } from "../../../model/schema.ts";
import type { Field, StructType } from "../../../model/schema.ts";
import {
  healthCheckFieldsSchema,
  nodeDefinitionSchema,
  nodeServiceDefinitionSchema,
} from "../../../model/schemas.ts";
import type { TxnOperation } from "../../../model/transaction.ts";
import { fitShape } from "../../shape.ts";

const uint64: Field = { type: { kind: "uint64" } };

function shape(goName: string, fields: Readonly<Record<string, Field>>): StructType {
  return { kind: "struct", goName, fields };
}

const operation = { kind: text, verb: text, index: uint64 } as const;

const operationShapes: { readonly [Kind in TxnOperation["kind"]]: StructType } = {
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

/** One operation, cut to the shape of its kind; `at` is its position. Throws ServiceError `malformed`. */
export function fitOperation(given: TxnOperation, at: number): TxnOperation {
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
