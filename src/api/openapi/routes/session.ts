// `/v1/session`, described.

import { sessionDefinitionSchema } from "../../../core/model/schemas.ts";
import { done, items, json } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { answering, dc, reading } from "../parameters.ts";
import { identified, session } from "../shapes.ts";

const path = { session: "Its id." };
const sessions = json(items(session));

export const sessionRoutes = {
  "/v1/session/create": {
    PUT: {
      summary: "Make a session",
      description: "It is bound to the agent's node, unless the body names another one.",
      query: dc,
      body: { content: json(sessionDefinitionSchema), optional: true, lenient: true },
      answers: { 200: json(identified) },
    },
  },
  "/v1/session/destroy/{session}": {
    PUT: { summary: "End a session", path, query: dc, answers: { 200: done } },
  },
  "/v1/session/renew/{session}": {
    PUT: {
      summary: "Let a session live for another TTL",
      path,
      query: answering,
      answers: { 200: sessions },
    },
  },
  "/v1/session/info/{session}": {
    GET: {
      summary: "One session",
      path,
      query: reading,
      answers: { 200: sessions },
      indexed: true,
    },
  },
  "/v1/session/node/{node}": {
    GET: {
      summary: "The sessions of a node",
      path: { node: "Its name." },
      query: reading,
      answers: { 200: sessions },
      indexed: true,
    },
  },
  "/v1/session/list": {
    GET: { summary: "All sessions", query: reading, answers: { 200: sessions }, indexed: true },
  },
} as const satisfies Routes;
