// `/v1/openapi.json`, described.

import { json, members } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { anything } from "../shapes.ts";

export const openApiRoutes = {
  "/v1/openapi.json": {
    GET: {
      summary: "This document",
      answers: { 200: json(members(anything)) },
      isPublic: true,
    },
  },
} as const satisfies Routes;
