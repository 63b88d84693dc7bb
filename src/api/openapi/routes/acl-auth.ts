// `/v1/acl`, described: logging in, and asking what one may do.

import {
  authMethodRequestSchema,
  bindingRuleRequestSchema,
  loginSchema,
} from "../../../core/model/auth/types.ts";
import { flag, omitEmpty, text } from "../../../core/model/schema.ts";
import type { Type } from "../../../core/model/schema.ts";
import { done, field, items, json, object } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { dc, reading } from "../parameters.ts";
import { aclToken, authMethod, authMethodStub, bindingRule, string } from "../shapes.ts";

/** What is asked of a token: several things at once. */
export const questionsSchema = {
  kind: "list",
  goName: "[]structs.ACLAuthorizationRequest",
  item: {
    kind: "struct",
    goName: "structs.ACLAuthorizationRequest",
    fields: { Resource: text, Segment: omitEmpty(text), Access: text },
  },
} as const satisfies Type;

const answered = { ...questionsSchema.item.fields, Allow: flag } as const;
const by = object({ Kind: text, Name: text, Of: omitEmpty(text), Rule: text });
const method = { method: "Its name." };
const rule = { rule: "Its id." };
const methodBody = { content: json(authMethodRequestSchema) } as const;
const ruleBody = { content: json(bindingRuleRequestSchema) } as const;
const questions = { content: json(questionsSchema) } as const;

export const authMethodRoutes = {
  "/v1/acl/auth-methods": {
    GET: {
      summary: "All auth methods, without their configuration",
      query: reading,
      answers: { 200: json(items(authMethodStub)) },
      indexed: true,
    },
  },
  "/v1/acl/auth-method": {
    PUT: { summary: "Make an auth method", body: methodBody, answers: { 200: json(authMethod) } },
  },
  "/v1/acl/auth-method/{method}": {
    GET: {
      summary: "One auth method",
      path: method,
      query: reading,
      answers: {
        200: json(authMethod),
        404: { as: "empty", description: "There is no such method." },
      },
      indexed: true,
    },
    PUT: {
      summary: "Change an auth method",
      path: method,
      body: methodBody,
      answers: { 200: json(authMethod) },
    },
    DELETE: { summary: "Delete an auth method", path: method, answers: { 200: done } },
  },
} as const satisfies Routes;

export const bindingRuleRoutes = {
  "/v1/acl/binding-rules": {
    GET: {
      summary: "All binding rules",
      query: {
        ...reading,
        authmethod: { shape: string, description: "Only those of this auth method." },
      },
      answers: { 200: json(items(bindingRule)) },
      indexed: true,
    },
  },
  "/v1/acl/binding-rule": {
    PUT: { summary: "Make a binding rule", body: ruleBody, answers: { 200: json(bindingRule) } },
  },
  "/v1/acl/binding-rule/{rule}": {
    GET: {
      summary: "One binding rule",
      path: rule,
      query: reading,
      answers: {
        200: json(bindingRule),
        404: { as: "empty", description: "There is no such rule." },
      },
      indexed: true,
    },
    PUT: {
      summary: "Change a binding rule",
      path: rule,
      body: ruleBody,
      answers: { 200: json(bindingRule) },
    },
    DELETE: { summary: "Delete a binding rule", path: rule, answers: { 200: done } },
  },
} as const satisfies Routes;

export const loginRoutes = {
  "/v1/acl/login": {
    POST: {
      summary: "A token for whoever proves who they are",
      query: dc,
      body: { content: json(loginSchema) },
      answers: { 200: json(aclToken) },
    },
  },
  "/v1/acl/logout": {
    POST: { summary: "Give back the token that asks", query: dc, answers: { 200: done } },
  },
} as const satisfies Routes;

export const aclAuthRoutes = {
  ...authMethodRoutes,
  ...bindingRuleRoutes,
  ...loginRoutes,
  "/v1/internal/acl/authorize": {
    POST: {
      summary: "Whether the token that asks may do several things",
      query: dc,
      body: questions,
      answers: { 200: json(items(object(answered))) },
    },
  },
  "/v1/internal/acl/explain": {
    POST: {
      summary: "Whether a token may do several things, and why",
      query: {
        ...dc,
        accessor: {
          shape: string,
          description: "Accessor id of the token; absent: the one that asks.",
        },
      },
      body: questions,
      answers: { 200: json(items(object({ ...answered, By: field(by) }))) },
    },
  },
} as const satisfies Routes;
