// `/v1/acl`, described: what there was before Consul 1.4.

import { text } from "../../../core/model/schema.ts";
import type { StructType } from "../../../core/model/schema.ts";
import { done, items, json, plainText } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { reading } from "../parameters.ts";
import { identified, legacyAcl } from "../shapes.ts";

/** A token as it was then. */
export const legacySchema = {
  kind: "struct",
  goName: "structs.ACL",
  fields: { ID: text, Name: text, Type: text, Rules: text },
  accepted: ["CreateIndex", "ModifyIndex"],
} as const satisfies StructType;

const path = { token: "Its id, which is its secret." };
const content = json(legacySchema);

export const aclLegacyRoutes = {
  "/v1/acl/create": {
    PUT: {
      summary: "Make a legacy token",

      body: { content, optional: true },
      answers: { 200: json(identified) },
    },
  },
  "/v1/acl/update": {
    PUT: {
      summary: "Change a legacy token, or make one with this id",

      body: { content },
      answers: { 200: json(identified) },
    },
  },
  "/v1/acl/destroy/{token}": {
    PUT: { summary: "Delete a legacy token", path, answers: { 200: done } },
  },
  "/v1/acl/clone/{token}": {
    PUT: { summary: "Copy a legacy token", path, answers: { 200: json(identified) } },
  },
  "/v1/acl/info/{token}": {
    GET: {
      summary: "One legacy token",
      path,
      query: reading,
      answers: { 200: json(items(legacyAcl)) },
      indexed: true,
    },
  },
  "/v1/acl/list": {
    GET: {
      summary: "All legacy tokens",
      query: reading,
      answers: { 200: json(items(legacyAcl)) },
      indexed: true,
    },
  },
  "/v1/acl/rules/translate": {
    POST: {
      summary: "Rules in today's language",
      body: { content: { as: "text", description: "Rules in the old language." } },
      answers: { 200: plainText },
    },
  },
  "/v1/acl/rules/translate/{token}": {
    GET: {
      summary: "The rules of a legacy token in today's language",
      path: { token: "Its accessor id." },
      query: reading,
      answers: { 200: plainText },
      indexed: true,
    },
  },
} as const satisfies Routes;
