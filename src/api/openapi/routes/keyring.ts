// `/v1/operator/keyring`, described.

import { flag, integer, text } from "../../../core/model/schema.ts";
import type { StructType } from "../../../core/model/schema.ts";
import { field, items, json, members, nothing, object } from "../operation.ts";
import type { Parameters, Routes } from "../operation.ts";
import { boolean } from "../shapes.ts";

/** A key. */
export const bodySchema = {
  kind: "struct",
  goName: "agent.keyringArgs",
  fields: { Key: text },
} as const satisfies StructType;

const count = { kind: "integer", goName: "int" } as const;
const counts = field(members(count));
const body = { content: json(bodySchema) } as const;
const query = {
  "relay-factor": { shape: count, description: "From 0 to 5, and without effect here." },
  "local-only": {
    shape: boolean,
    description: "Only the agent's own datacenter; allowed where keys are listed.",
  },
} as const satisfies Parameters;

export const keyringRoutes = {
  "/v1/operator/keyring": {
    GET: {
      summary: "The gossip keys, and how many nodes have each",
      query,
      answers: {
        200: json(
          items(
            object({
              WAN: flag,
              Datacenter: text,
              Segment: text,
              Keys: counts,
              PrimaryKeys: counts,
              NumNodes: integer,
            }),
          ),
        ),
      },
    },
    POST: { summary: "Install a gossip key", query, body, answers: { 200: nothing } },
    PUT: { summary: "Use a gossip key", query, body, answers: { 200: nothing } },
    DELETE: { summary: "Remove a gossip key", query, body, answers: { 200: nothing } },
  },
} as const satisfies Routes;
