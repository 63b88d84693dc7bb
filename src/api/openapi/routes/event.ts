// `/v1/event`, described.

import { userEventSchema } from "../../../core/model/user-event.ts";
import { items, json } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { blocking, dc } from "../parameters.ts";
import { string } from "../shapes.ts";

export const eventFireRoutes = {
  "/v1/event/fire/{name}": {
    PUT: {
      summary: "Fire an event",
      path: { name: "What it is called." },
      query: {
        ...dc,
        node: { shape: string, description: "A regular expression of nodes that it is for." },
        service: { shape: string, description: "Of services; agents that have one hear it." },
        tag: { shape: string, description: "Of tags of such a service." },
      },
      body: { content: { as: "bytes", description: "The payload." }, optional: true },
      answers: { 200: json(userEventSchema) },
    },
  },
} as const satisfies Routes;

export const eventListRoutes = {
  "/v1/event/list": {
    GET: {
      summary: "The events that reached the agent, newest last",
      description: "Its index is no place in an order: who waits, waits while it is equal.",
      query: { ...blocking, name: { shape: string, description: "Only events of this name." } },
      answers: { 200: json(items(userEventSchema)) },
      indexed: true,
    },
  },
} as const satisfies Routes;
