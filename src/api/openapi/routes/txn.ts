// `/v1/txn`, described.

import { integer, text } from "../../../core/model/schema.ts";
import {
  healthCheckSchema,
  kvEntrySchema,
  nodeSchema,
  nodeServiceSchema,
} from "../../../core/model/schemas.ts";
import { txnRequestSchema } from "../../../core/model/txn-request.ts";
import { field, items, json, object, union } from "../operation.ts";
import type { Routes, ShapeField } from "../operation.ts";
import { consistency, dc, idle } from "../parameters.ts";
import { queryMeta } from "../shapes.ts";

const { Value: value, ...kvFields } = kvEntrySchema.fields;

/** What one operation leaves or finds. */
const result = union(
  object({ KV: field(object({ ...kvFields, Value: value })) }),
  object({ Node: { type: nodeSchema } }),
  object({ Service: { type: nodeServiceSchema } }),
  object({ Check: { type: healthCheckSchema } }),
);
const errors = items(object({ OpIndex: integer, What: text }));
const nullable = { kind: "nothing" } as const;

/** One that only reads says which server answered, too. */
const about = {
  Index: omitted(queryMeta.Index),
  LastContact: omitted(queryMeta.LastContact),
  KnownLeader: omitted(queryMeta.KnownLeader),
  ConsistencyLevel: omitted(queryMeta.ConsistencyLevel),
};

function omitted<const Given extends ShapeField>(given: Given) {
  return { type: given.type, omitEmpty: true } as const;
}

const outcome = object({
  Results: field(union(items(result), nullable)),
  Errors: field(union(errors, nullable)),
  ...about,
});

export const txnRoutes = {
  "/v1/txn": {
    PUT: {
      summary: "Several operations, all of them or none",
      description: "One that only reads is a read, with the consistency that the query asks for.",
      query: { ...dc, ...consistency, ...idle },
      body: { content: json(txnRequestSchema) },
      answers: {
        200: json(outcome),
        409: json(outcome, "None of them was done, for these errors."),
      },
    },
  },
} as const satisfies Routes;
