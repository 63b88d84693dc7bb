// `/v1/query`, described.

import { queryBodySchema } from "../../../core/model/prepared-query.ts";
import { integer, text } from "../../../core/model/schema.ts";
import { field, items, json, nothing, object } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { answering, dc, near, reading } from "../parameters.ts";
import { boolean, checkServiceNodes, identified, preparedQuery, queryMeta } from "../shapes.ts";

const id = { query: "Its id." };
const idOrName = { query: "Its id or its name, or a name that a template takes." };
const body = { content: json(queryBodySchema) } as const;
const gone = { as: "text", description: "There is no such query." } as const;

export const preparedQueryRoutes = {
  "/v1/query": {
    GET: {
      summary: "All prepared queries",
      query: reading,
      answers: { 200: json(items(preparedQuery)) },
      indexed: true,
    },
    POST: {
      summary: "Make a prepared query",
      query: dc,
      body,
      answers: { 200: json(identified) },
    },
  },
  "/v1/query/{query}": {
    GET: {
      summary: "One prepared query",
      path: id,
      query: reading,
      answers: { 200: json(items(preparedQuery)), 404: gone },
      indexed: true,
    },
    PUT: {
      summary: "Change a prepared query",
      path: id,
      query: dc,
      body,
      answers: { 200: nothing },
    },
    DELETE: {
      summary: "Delete a prepared query",
      path: id,
      query: dc,
      answers: { 200: nothing },
    },
  },
  "/v1/query/{query}/execute": {
    GET: {
      summary: "Execute a prepared query",
      path: idOrName,
      query: {
        ...answering,
        ...near,
        limit: { shape: { kind: "integer", goName: "int" }, description: "Instances at most." },
        connect: { shape: boolean, description: "What Connect reaches, whatever the query says." },
      },
      answers: {
        200: json(
          object({
            Service: text,
            Nodes: field(checkServiceNodes),
            DNS: field(object({ TTL: text })),
            Datacenter: text,
            Failovers: integer,
            ...queryMeta,
          }),
        ),
        404: gone,
      },
    },
  },
  "/v1/query/{query}/explain": {
    GET: {
      summary: "The query that would be executed",
      path: idOrName,
      query: answering,
      answers: { 200: json(object({ Query: field(preparedQuery), ...queryMeta })), 404: gone },
    },
  },
} as const satisfies Routes;
