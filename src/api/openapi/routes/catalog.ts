// `/v1/catalog`, described.

import {
  deregistrationSchema,
  nodeSchema,
  nodeServiceSchema,
  registrationSchema,
  serviceNodeSchema,
} from "../../../core/model/schemas.ts";
import { done, field, items, json, members, object, union } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { consistency, dc, filter, instances, listing, nodeMeta, reading } from "../parameters.ts";
import { gatewayService, strings } from "../shapes.ts";

const node = { node: "Its name, or the beginning of its id." };
const service = { service: "Its name." };
const none = { kind: "nothing" } as const;
const serviceNodes = json(items(serviceNodeSchema));

export const catalogRoutes = {
  "/v1/catalog/register": {
    PUT: {
      summary: "Register a node, a service and checks without an agent",
      body: { content: json(registrationSchema) },
      answers: { 200: done },
    },
  },
  "/v1/catalog/deregister": {
    PUT: {
      summary: "Remove a check, a service, or a node with everything on it",
      body: { content: json(deregistrationSchema) },
      answers: { 200: done },
    },
  },
  "/v1/catalog/datacenters": {
    GET: {
      summary: "The datacenters, nearest first",
      query: { ...dc, ...consistency },
      answers: { 200: json(strings) },
    },
  },
  "/v1/catalog/nodes": {
    GET: {
      summary: "The nodes",
      query: listing,
      answers: { 200: json(items(nodeSchema)) },
      indexed: true,
    },
  },
  "/v1/catalog/services": {
    GET: {
      summary: "The names of all services, with the tags of their instances",
      query: { ...reading, ...nodeMeta, ...filter },
      answers: { 200: json(members(strings)) },
      indexed: true,
    },
  },
  "/v1/catalog/service/{service}": {
    GET: {
      summary: "The instances of a service",
      path: service,
      query: instances,
      answers: { 200: serviceNodes },
      indexed: true,
    },
  },
  "/v1/catalog/connect/{service}": {
    GET: {
      summary: "What Connect reaches a service by",
      path: service,
      query: instances,
      answers: { 200: serviceNodes },
      indexed: true,
    },
  },
  "/v1/catalog/gateway-services/{gateway}": {
    GET: {
      summary: "The services that a gateway leads to",
      path: { gateway: "The name of the gateway." },
      query: reading,
      answers: { 200: json(items(gatewayService)) },
      indexed: true,
    },
  },
  "/v1/catalog/node/{node}": {
    GET: {
      summary: "A node and its services, by their ids",
      path: node,
      query: { ...reading, ...filter },
      answers: {
        200: json(
          union(
            object({ Node: { type: nodeSchema }, Services: field(members(nodeServiceSchema)) }),
            none,
          ),
          "Null where there is no such node.",
        ),
      },
      indexed: true,
    },
  },
  "/v1/catalog/node-services/{node}": {
    GET: {
      summary: "A node and its services, in a list",
      path: node,
      query: { ...reading, ...filter },
      answers: {
        200: json(
          object({
            Node: field(union(nodeSchema, none)),
            Services: field(union(items(nodeServiceSchema), none)),
          }),
        ),
      },
      indexed: true,
    },
  },
} as const satisfies Routes;
