// `/v1/connect/ca`, described.

import { caConfigurationSchema } from "../../../core/model/ca-configuration.ts";
import { flag, stringMap, text } from "../../../core/model/schema.ts";
import type { StructType } from "../../../core/model/schema.ts";
import { rootSchema } from "../../../core/state/tables/ca/shapes.ts";
import { field, items, json, nothing, object, union } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { dc, reading } from "../parameters.ts";
import { boolean, indexed } from "../shapes.ts";

/** The rest of an answer is read, and nothing comes of it. */
export const bodySchema = {
  ...caConfigurationSchema,
  goName:
    'struct { ForceWithoutCrossSigningSnake bool "json:\\"force_without_cross_signing\\""; *structs.Alias }',
  opaque: "strict",
  fields: {
    ...caConfigurationSchema.fields,
    force_without_cross_signing: flag,
    State: { type: stringMap },
  },
  accepted: ["CreateIndex", "ModifyIndex"],
} as const satisfies StructType;

const root = indexed({ fields: { ...rootSchema.fields, Active: flag } });

export const roots = object({ ActiveRootID: text, TrustDomain: text, Roots: field(items(root)) });

export const caRoutes = {
  "/v1/connect/ca/roots": {
    GET: {
      summary: "The roots that certificates of services are trusted by",
      query: {
        ...reading,
        pem: { shape: boolean, description: "The certificates alone, in PEM." },
      },
      answers: { 200: json(roots) },
      when: { pem: { as: "text", type: "application/pem-certificate-chain" } },
      indexed: true,
    },
  },
  "/v1/connect/ca/configuration": {
    GET: {
      summary: "The configuration of the certificate authority",
      query: reading,
      answers: {
        200: json(
          indexed({
            fields: {
              ...caConfigurationSchema.fields,
              State: field(union({ kind: "nothing" }, stringMap)),
            },
          }),
        ),
      },
    },
    PUT: {
      summary: "Configure the certificate authority",
      query: dc,
      body: { content: json(bodySchema) },
      answers: { 200: nothing },
    },
  },
} as const satisfies Routes;
