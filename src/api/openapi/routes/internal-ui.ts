// `/v1/internal/ui`, described.

import { nodeInfoSchema, summarySchema } from "../../../core/state/tables/ui/shapes.ts";
import { items, json } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { filter, reading } from "../parameters.ts";

export const internalUiRoutes = {
  "/v1/internal/ui/nodes": {
    GET: {
      summary: "All nodes, with everything on them",
      query: { ...reading, ...filter },
      answers: { 200: json(items(nodeInfoSchema)) },
      indexed: true,
    },
  },
  "/v1/internal/ui/node/{node}": {
    GET: {
      summary: "One node, with everything on it",
      path: { node: "Its name." },
      query: reading,
      answers: {
        200: json(nodeInfoSchema),
        404: { as: "empty", description: "There is no such node." },
      },
      indexed: true,
    },
  },
  "/v1/internal/ui/services": {
    GET: {
      summary: "All services in summary",
      query: {
        ...{ ...reading, ...filter },
        instances: {
          shape: { kind: "presence" },
          description: "Also counts instances by their state: a member for each that occurs.",
        },
      },
      answers: { 200: json(items(summarySchema)) },
      indexed: true,
    },
  },
  "/v1/internal/ui/gateway-services-nodes/{gateway}": {
    GET: {
      summary: "The services behind a gateway in summary",
      path: { gateway: "Its name." },
      query: reading,
      answers: { 200: json(items(summarySchema)) },
      indexed: true,
    },
  },
} as const satisfies Routes;
