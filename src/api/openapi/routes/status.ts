// `/v1/status`, described. The smallest description, and the one to copy.

import { json } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { answering } from "../parameters.ts";
import { string, strings } from "../shapes.ts";

export const statusRoutes = {
  "/v1/status/leader": {
    GET: {
      summary: "The address of the leader; empty while there is none",
      query: answering,
      answers: { 200: json(string) },
      isPublic: true,
    },
  },
  "/v1/status/peers": {
    GET: {
      summary: "The addresses of the servers",
      query: answering,
      answers: { 200: json(strings) },
      isPublic: true,
    },
  },
} as const satisfies Routes;
