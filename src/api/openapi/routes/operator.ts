// `/v1/operator`, described, but for the keyring, which is an agent's.

import { flag, integer, raftIndex, text } from "../../../core/model/schema.ts";
import { field, items, json, members, nothing, object } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { answering, dc } from "../parameters.ts";
import { queryMeta, string } from "../shapes.ts";
import { autopilotRoutes } from "./autopilot.ts";

const count = { kind: "integer", goName: "int" } as const;

const usage = object({
  Services: integer,
  ServiceInstances: integer,
  ConnectServiceInstances: field(members(count)),
  BillableServiceInstances: integer,
  Nodes: integer,
});

const raftServer = object({
  ID: text,
  Node: text,
  Address: text,
  Leader: flag,
  ProtocolVersion: text,
  Voter: flag,
});

export const operatorRoutes = {
  "/v1/operator/raft/configuration": {
    GET: {
      summary: "The servers of the group",
      query: answering,
      answers: { 200: json(object({ Servers: field(items(raftServer)), Index: raftIndex })) },
    },
  },
  "/v1/operator/raft/peer": {
    DELETE: {
      summary: "Take a server out of the group",
      query: {
        ...dc,
        id: { shape: string, description: "Its id; either this or its address." },
        address: { shape: string, description: "Its address, with the port." },
      },
      answers: { 200: nothing },
    },
  },
  "/v1/operator/raft/transfer-leader": {
    POST: {
      summary: "Let another server lead",
      query: { ...dc, id: { shape: string, description: "Which one; absent: any that can." } },
      answers: { 200: json(object({ Success: flag })) },
    },
  },
  "/v1/operator/usage": {
    GET: {
      summary: "How much there is in the catalog",
      query: answering,
      answers: {
        200: json(
          object({
            Usage: field(members(usage)),
            ...queryMeta,
            NotModified: flag,
            Backend: integer,
            ResultsFilteredByACLs: flag,
          }),
        ),
      },
    },
  },
  ...autopilotRoutes,
} as const satisfies Routes;
