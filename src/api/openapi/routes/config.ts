// `/v1/config`, described.

import { done, items, json, members } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { compareAndSet, reading } from "../parameters.ts";
import { anything, configEntry } from "../shapes.ts";

const kind = "The kind of the entry, such as `service-defaults`.";
const path = {
  kind,
  name: "Its name: that of a service or gateway, or `global` for `proxy-defaults`.",
};

export const configRoutes = {
  "/v1/config": {
    PUT: {
      summary: "Write a configuration entry",
      description:
        "It belongs to the primary datacenter, and is read with weak types, as by Consul.",
      query: compareAndSet,
      body: { content: json(configEntry) },
      answers: { 200: done },
    },
  },
  "/v1/config/{kind}": {
    GET: {
      summary: "The entries of a kind; all of them without one",
      path: { kind },
      query: reading,
      answers: { 200: json(items(configEntry)) },
      indexed: true,
    },
  },
  "/v1/config/{kind}/{name}": {
    GET: {
      summary: "One configuration entry",
      path,
      query: reading,
      answers: {
        200: json(configEntry),
        404: { as: "text", description: "There is no such entry." },
      },
      indexed: true,
    },
    DELETE: {
      summary: "Delete a configuration entry",
      path,
      answers: { 200: json(members(anything), "Nothing inside.") },
    },
  },
} as const satisfies Routes;
