// `/v1/coordinate`, described.

import { text } from "../../../core/model/schema.ts";
import type { StructType } from "../../../core/model/schema.ts";
import { coordinateUpdateSchema } from "../../../core/state/tables/coordinate/updates.ts";
import { field, items, json, nothing, object } from "../operation.ts";
import type { Parameters, Routes } from "../operation.ts";
import { dc, reading } from "../parameters.ts";
import { coordinateEntry, string } from "../shapes.ts";

/** The body of an update. */
export const updateSchema = {
  ...coordinateUpdateSchema,
  fields: { Datacenter: text, ...coordinateUpdateSchema.fields },
  accepted: ["Token"],
} as const satisfies StructType;

const segment = {
  segment: { shape: string, description: "Only coordinates of this network segment." },
} as const satisfies Parameters;

export const coordinateRoutes = {
  "/v1/coordinate/datacenters": {
    GET: {
      summary: "Where the servers of each datacenter stand",
      answers: {
        200: json(
          items(
            object({ Datacenter: text, AreaID: text, Coordinates: field(items(coordinateEntry)) }),
          ),
        ),
      },
      isPublic: true,
    },
  },
  "/v1/coordinate/nodes": {
    GET: {
      summary: "Where the nodes stand",
      query: { ...reading, ...segment },
      answers: { 200: json(items(coordinateEntry)) },
      indexed: true,
    },
  },
  "/v1/coordinate/node/{node}": {
    GET: {
      summary: "Where a node stands",
      path: { node: "Its name." },
      query: { ...reading, ...segment },
      answers: {
        200: json(items(coordinateEntry)),
        404: { as: "empty", description: "There is no such node, or nobody knows." },
      },
      indexed: true,
    },
  },
  "/v1/coordinate/update": {
    PUT: {
      summary: "Say where a node stands",
      query: dc,
      body: { content: json(updateSchema) },
      answers: { 200: nothing },
    },
  },
} as const satisfies Routes;
