// `/v1/acl`, described: who may do what.

import {
  aclPolicyRequestSchema,
  aclRoleRequestSchema,
  aclTokenRequestSchema,
} from "../../../core/model/acl.ts";
import { flag, integer, text } from "../../../core/model/schema.ts";
import { done, items, json, object } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { dc, reading } from "../parameters.ts";
import { aclPolicy, aclPolicyStub, aclRole, aclToken, aclTokenStub, string } from "../shapes.ts";
import { aclAuthRoutes } from "./acl-auth.ts";
import { aclLegacyRoutes } from "./acl-legacy.ts";

const token = { token: "Its accessor id." };
const policy = { policy: "Its id." };
const role = { role: "Its id." };
const tokenBody = { content: json(aclTokenRequestSchema) } as const;
const policyBody = { content: json(aclPolicyRequestSchema) } as const;
const roleBody = { content: json(aclRoleRequestSchema) } as const;
const withPolicy = { shape: string, description: "Only those with the policy of this id." };
const noRole = { as: "empty", description: "There is no such role." } as const;

const replication = object({
  Enabled: flag,
  Running: flag,
  SourceDatacenter: text,
  ReplicationType: text,
  ReplicatedIndex: integer,
  ReplicatedRoleIndex: integer,
  ReplicatedTokenIndex: integer,
  LastSuccess: text,
  LastError: text,
});

export const tokenRoutes = {
  "/v1/acl/tokens": {
    GET: {
      summary: "All tokens, without their secrets",
      query: {
        ...reading,
        policy: withPolicy,
        role: { shape: string, description: "Only those with the role of this id." },
        authmethod: { shape: string, description: "Only those that logins by this method made." },
      },
      answers: { 200: json(items(aclTokenStub)) },
      indexed: true,
    },
  },
  "/v1/acl/token": {
    PUT: { summary: "Make a token", body: tokenBody, answers: { 200: json(aclToken) } },
  },
  "/v1/acl/token/self": {
    GET: {
      summary: "The token that asks",
      query: reading,
      answers: { 200: json(aclToken) },
      indexed: true,
    },
  },
  "/v1/acl/token/{token}": {
    GET: {
      summary: "One token",
      path: token,
      query: reading,
      answers: { 200: json(aclToken) },
      indexed: true,
    },
    PUT: {
      summary: "Change a token",
      path: token,

      body: tokenBody,
      answers: { 200: json(aclToken) },
    },
    DELETE: { summary: "Delete a token", path: token, answers: { 200: done } },
  },
  "/v1/acl/token/{token}/clone": {
    PUT: {
      summary: "Copy a token",
      path: token,

      body: tokenBody,
      answers: { 200: json(aclToken) },
    },
  },
} as const satisfies Routes;

export const policyRoutes = {
  "/v1/acl/policies": {
    GET: {
      summary: "All policies, without their rules",
      query: reading,
      answers: { 200: json(items(aclPolicyStub)) },
      indexed: true,
    },
  },
  "/v1/acl/policy": {
    PUT: {
      summary: "Make a policy",

      body: policyBody,
      answers: { 200: json(aclPolicy) },
    },
  },
  "/v1/acl/policy/name/{name}": {
    GET: {
      summary: "One policy, by its name",
      path: { name: "Its name." },
      query: reading,
      answers: { 200: json(aclPolicy) },
      indexed: true,
    },
  },
  "/v1/acl/policy/{policy}": {
    GET: {
      summary: "One policy",
      path: policy,
      query: reading,
      answers: { 200: json(aclPolicy) },
      indexed: true,
    },
    PUT: {
      summary: "Change a policy",
      path: policy,

      body: policyBody,
      answers: { 200: json(aclPolicy) },
    },
    DELETE: { summary: "Delete a policy", path: policy, answers: { 200: done } },
  },
} as const satisfies Routes;

export const roleRoutes = {
  "/v1/acl/roles": {
    GET: {
      summary: "All roles",
      query: { ...reading, policy: withPolicy },
      answers: { 200: json(items(aclRole)) },
      indexed: true,
    },
  },
  "/v1/acl/role": {
    PUT: { summary: "Make a role", body: roleBody, answers: { 200: json(aclRole) } },
  },
  "/v1/acl/role/name/{name}": {
    GET: {
      summary: "One role, by its name",
      path: { name: "Its name." },
      query: reading,
      answers: { 200: json(aclRole), 404: noRole },
      indexed: true,
    },
  },
  "/v1/acl/role/{role}": {
    GET: {
      summary: "One role",
      path: role,
      query: reading,
      answers: { 200: json(aclRole), 404: noRole },
      indexed: true,
    },
    PUT: {
      summary: "Change a role",
      path: role,

      body: roleBody,
      answers: { 200: json(aclRole) },
    },
    DELETE: { summary: "Delete a role", path: role, answers: { 200: done } },
  },
} as const satisfies Routes;

export const aclRoutes = {
  "/v1/acl/bootstrap": {
    PUT: {
      summary: "The first token, which may do everything",

      answers: { 200: json(aclToken) },
    },
  },
  "/v1/acl/replication": {
    GET: {
      summary: "What is replicated from another datacenter",
      query: dc,
      answers: { 200: json(replication) },
      isPublic: true,
    },
  },
  ...tokenRoutes,
  ...policyRoutes,
  ...roleRoutes,
  ...aclAuthRoutes,
  ...aclLegacyRoutes,
} as const satisfies Routes;
