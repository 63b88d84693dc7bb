// `/v1/connect/intentions`, described.

import { intentionRequestSchema } from "../../../core/model/intention.ts";
import { flag } from "../../../core/model/schema.ts";
import { done, items, json, members, object, union, words } from "../operation.ts";
import type { Parameters, Routes } from "../operation.ts";
import { answering, dc, filter, reading } from "../parameters.ts";
import { identified, intention, string } from "../shapes.ts";

const path = { intention: "Its id." };
const body = { content: json(intentionRequestSchema) } as const;
const pair = {
  source: { shape: string, description: "Name of the service that connects.", required: true },
  destination: { shape: string, description: "Name of the one it connects to.", required: true },
} as const satisfies Parameters;
const missing = { as: "text", description: "There is no such intention." } as const;

export const intentionRoutes = {
  "/v1/connect/intentions": {
    GET: {
      summary: "All intentions",
      query: { ...reading, ...filter },
      answers: { 200: json(items(intention)) },
      indexed: true,
    },
    POST: { summary: "Make an intention", query: dc, body, answers: { 200: json(identified) } },
  },
  "/v1/connect/intentions/match": {
    GET: {
      summary: "The intentions that are about services",
      query: {
        ...reading,
        by: {
          shape: words("source", "destination"),
          description: "Which end the names are of.",
          required: true,
        },
        name: { shape: string, description: "A service.", required: true, repeated: true },
      },
      answers: { 200: json(members(union(items(intention), { kind: "nothing" }))) },
    },
  },
  "/v1/connect/intentions/check": {
    GET: {
      summary: "Whether a connection is allowed",
      query: {
        ...answering,
        ...pair,
        "source-type": { shape: words("consul"), description: "What the source is." },
      },
      answers: { 200: json(object({ Allowed: flag })) },
    },
  },
  "/v1/connect/intentions/exact": {
    GET: {
      summary: "The intention between two services",
      query: { ...reading, ...pair },
      answers: { 200: json(intention), 404: missing },
    },
    PUT: {
      summary: "Write the intention between two services",
      query: { ...dc, ...pair },
      body,
      answers: { 200: done },
    },
    DELETE: {
      summary: "Delete the intention between two services",
      query: { ...dc, ...pair },
      answers: { 200: done },
    },
  },
  "/v1/connect/intentions/{intention}": {
    GET: {
      summary: "One intention",
      path,
      query: reading,
      answers: { 200: json(intention), 404: missing },
    },
    PUT: {
      summary: "Change an intention",
      path,
      query: dc,
      body,
      answers: { 200: json(identified) },
    },
    DELETE: { summary: "Delete an intention", path, query: dc, answers: { 200: done } },
  },
} as const satisfies Routes;
