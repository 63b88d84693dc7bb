// `/v1/snapshot`, described.

import { nothing } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { answering, dc } from "../parameters.ts";

const archive = {
  as: "bytes",
  type: "application/x-gzip",
  description: "An archive as Consul 1.8 writes and reads it: a tar, compressed by gzip.",
} as const;

export const snapshotRoutes = {
  "/v1/snapshot": {
    GET: {
      summary: "Save the whole state",
      query: answering,
      answers: { 200: archive },
    },
    PUT: {
      summary: "Replace the whole state",
      description: "An archive that is damaged is refused whole, and changes nothing.",
      query: dc,
      body: { content: { as: "bytes" } },
      answers: { 200: nothing },
    },
  },
} as const satisfies Routes;
