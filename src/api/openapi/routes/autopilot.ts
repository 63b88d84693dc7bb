// `/v1/operator/autopilot`, described.

import {
  autopilotAnswerSchema,
  autopilotConfigSchema,
  groupHealthSchema,
} from "../../../core/model/autopilot.ts";
import { flag, integer, text } from "../../../core/model/schema.ts";
import { done, field, json, members, object } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { answering, compareAndSet, dc } from "../parameters.ts";
import { string, strings } from "../shapes.ts";

const serverState = object({
  ID: text,
  Name: text,
  Address: text,
  NodeStatus: text,
  Version: text,
  LastContact: text,
  LastTerm: integer,
  LastIndex: integer,
  Healthy: flag,
  StableSince: text,
  ReadReplica: flag,
  Status: text,
  Meta: field(members(string)),
  NodeType: text,
});

const groupState = object({
  Healthy: flag,
  FailureTolerance: integer,
  OptimisticFailureTolerance: integer,
  Servers: field(members(serverState)),
  Leader: text,
  Voters: field(strings),
});

export const autopilotRoutes = {
  "/v1/operator/autopilot/configuration": {
    GET: {
      summary: "How the group of servers sees to itself",
      query: answering,
      answers: { 200: json(autopilotAnswerSchema) },
    },
    PUT: {
      summary: "Change how the group of servers sees to itself",
      query: { ...dc, ...compareAndSet },
      body: { content: json(autopilotConfigSchema) },
      answers: { 200: done },
    },
  },
  "/v1/operator/autopilot/health": {
    GET: {
      summary: "How the group of servers is",
      query: answering,
      answers: {
        200: json(groupHealthSchema),
        429: json(groupHealthSchema, "One of them is not healthy."),
      },
    },
  },
  "/v1/operator/autopilot/state": {
    GET: {
      summary: "How the group of servers is, by their ids",
      query: answering,
      answers: { 200: json(groupState) },
    },
  },
} as const satisfies Routes;
