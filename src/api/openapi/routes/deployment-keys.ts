// Keys that a deployment gives out, described.

import { joinTokenRequestSchema } from "../../../core/model/acl.ts";
import { text } from "../../../core/model/schema.ts";
import { done, field, items, json, object } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { dc } from "../parameters.ts";
import { string, strings } from "../shapes.ts";

const joinToken = object({ AccessorID: text, Token: text, Nodes: field(strings), Expires: text });
const listed = object({ AccessorID: text, Description: text, CreateTime: text });

export const deploymentKeyRoutes = {
  "/v1/operator/join-token": {
    PUT: {
      summary: "Make a token by which hosts join this deployment; it is shown once",
      query: dc,
      body: { content: json(joinTokenRequestSchema) },
      answers: { 200: json(joinToken) },
    },
  },
  "/v1/operator/join-tokens": {
    GET: {
      summary: "The tokens by which hosts join",
      query: dc,
      answers: { 200: json(items(listed)) },
    },
  },
  "/v1/operator/join-token/{accessor}": {
    DELETE: {
      summary: "Revoke a token by which hosts join; nodes that have joined stay",
      query: dc,
      answers: { 200: done },
    },
  },
  "/v1/operator/dns-key": {
    PUT: {
      summary:
        "Make a key that asks DNS over HTTPS, in an address, with what the caller's token may see",
      query: {
        ...dc,
        ttl: { shape: string, description: "How long it is good for; absent: for ever." },
      },
      answers: { 200: json(object({ Key: text, Path: text, Expires: text })) },
    },
  },
} as const satisfies Routes;
