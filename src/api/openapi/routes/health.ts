// `/v1/health`, described.

import { json } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { filter, instances, listing, reading } from "../parameters.ts";
import { boolean, checkServiceNodes, healthChecks } from "../shapes.ts";

const service = { service: "Its name." };
const found = {
  query: {
    ...instances,
    passing: {
      shape: boolean,
      description: "Only instances all of whose checks are passing; without a value: true.",
    },
  },
  answers: { 200: json(checkServiceNodes) },
  indexed: true,
} as const;

export const healthRoutes = {
  "/v1/health/node/{node}": {
    GET: {
      summary: "The checks of a node",
      path: { node: "Its name." },
      query: { ...reading, ...filter },
      answers: { 200: json(healthChecks) },
      indexed: true,
    },
  },
  "/v1/health/checks/{service}": {
    GET: {
      summary: "The checks of a service",
      path: service,
      query: listing,
      answers: { 200: json(healthChecks) },
      indexed: true,
    },
  },
  "/v1/health/state/{state}": {
    GET: {
      summary: "The checks in a state",
      path: { state: "`passing`, `warning`, `critical` or `any`." },
      query: listing,
      answers: { 200: json(healthChecks) },
      indexed: true,
    },
  },
  "/v1/health/service/{service}": {
    GET: { summary: "The instances of a service, with their health", path: service, ...found },
  },
  "/v1/health/connect/{service}": {
    GET: { summary: "What Connect reaches a service by, with its health", path: service, ...found },
  },
  "/v1/health/ingress/{service}": {
    GET: { summary: "The ingress gateways that lead to a service", path: service, ...found },
  },
} as const satisfies Routes;
