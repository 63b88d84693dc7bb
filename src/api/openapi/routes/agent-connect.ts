// `/v1/agent/connect`, described.

import { flag, raftIndex, text } from "../../../core/model/schema.ts";
import type { StructType } from "../../../core/model/schema.ts";
import { json, object } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { reading } from "../parameters.ts";
import { roots } from "./ca.ts";

/** A connection that is to be judged. */
export const authorizeSchema = {
  kind: "struct",
  goName: "structs.ConnectAuthorizeRequest",
  fields: { Target: text, ClientCertURI: text, ClientCertSerial: text },
} as const satisfies StructType;

const leaf = object({
  SerialNumber: text,
  CertPEM: text,
  PrivateKeyPEM: text,
  Service: text,
  ServiceURI: text,
  ValidAfter: text,
  ValidBefore: text,
  CreateIndex: raftIndex,
  ModifyIndex: raftIndex,
});

export const agentConnectRoutes = {
  "/v1/agent/connect/authorize": {
    POST: {
      summary: "Whether a connection is allowed",
      body: { content: json(authorizeSchema) },
      answers: { 200: json(object({ Authorized: flag, Reason: text })) },
    },
  },
  "/v1/agent/connect/ca/roots": {
    GET: {
      summary: "The roots that certificates of services are trusted by",
      query: reading,
      answers: { 200: json(roots) },
      indexed: true,
    },
  },
  "/v1/agent/connect/ca/leaf/{service}": {
    GET: {
      summary: "The certificate of a service beside the agent, and its private key",
      path: { service: "Its name." },
      query: reading,
      answers: { 200: json(leaf) },
      indexed: true,
    },
  },
} as const satisfies Routes;
