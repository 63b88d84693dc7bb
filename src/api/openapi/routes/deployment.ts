// A deployment's objects under `/v1/operator`, described.

import { float, integer, text } from "../../../core/model/schema.ts";
import { field, items, json, nothing, object } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { string } from "../shapes.ts";

const objectCost = object({
  Name: text,
  Kind: text,
  Started: text,
  Requests: integer,
  Messages: float,
  BusySeconds: float,
  RowsWritten: integer,
  DollarsGross: float,
});

export const deploymentRoutes = {
  "/v1/operator/cost": {
    GET: {
      summary: "What this deployment has cost in a month, so far, by sampled counters",
      query: { month: { shape: string, description: "As 2026-11, in UTC; absent: this one." } },
      answers: {
        200: json(
          object({
            Month: text,
            DollarsGross: float,
            DollarsBilled: float,
            WorkerRequests: integer,
            ObjectRequests: float,
            ObjectSeconds: float,
            RowsWritten: integer,
            Objects: field(items(objectCost)),
          }),
        ),
      },
    },
  },
  "/v1/operator/reset/{object}": {
    PUT: {
      summary: "Begin an object of this deployment anew, with its storage and without its memory",
      answers: { 200: nothing },
    },
  },
} as const satisfies Routes;
