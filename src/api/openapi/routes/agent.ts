// `/v1/agent`, described, and what else an agent answers by itself.

import { checkSchema, serviceSchema } from "../../../core/agent/decode.ts";
import { flag, integer, text } from "../../../core/model/schema.ts";
import type { StructType } from "../../../core/model/schema.ts";
import { healthCheckSchema } from "../../../core/model/schemas.ts";
import { coordinateSchema } from "../../../core/state/tables/distance/coordinates.ts";
import { agentServiceSchema } from "../../agent-json.ts";
import { field, items, json, members, nothing, object, union, words } from "../operation.ts";
import type { Parameters, Routes } from "../operation.ts";
import { filter } from "../parameters.ts";
import { anything, boolean, serviceHealth, string } from "../shapes.ts";
import { eventListRoutes } from "./event.ts";
import { keyringRoutes } from "./keyring.ts";

/** What a TTL check is told. */
export const checkUpdateSchema = {
  kind: "struct",
  goName: "agent.checkUpdate",
  fields: { Status: text, Output: text },
} as const satisfies StructType;

/** A token that the agent uses for itself. */
export const agentTokenSchema = {
  kind: "struct",
  goName: "api.AgentToken",
  fields: { Token: text },
} as const satisfies StructType;

const none = { kind: "nothing" } as const;
const loose = field(members(anything));
const texts = members(string);

const member = object({
  Name: text,
  Addr: text,
  Port: integer,
  Tags: field(texts),
  Status: integer,
  ProtocolMin: integer,
  ProtocolMax: integer,
  ProtocolCur: integer,
  DelegateMin: integer,
  DelegateMax: integer,
  DelegateCur: integer,
});

const self = object({
  Config: field(
    object({
      Datacenter: text,
      NodeName: text,
      NodeID: text,
      Revision: text,
      Server: flag,
      Version: text,
    }),
  ),
  DebugConfig: loose,
  Coord: { type: coordinateSchema },
  Member: field(member),
  Stats: field(members(texts)),
  Meta: field(texts),
});

const metrics = object({
  Timestamp: text,
  Gauges: field(items(members(anything))),
  Points: field(items(anything)),
  Counters: field(items(members(anything))),
  Samples: field(items(members(anything))),
});

const service = { service: "Its id." };
const check = { check: "Its id." };

const maintenance = {
  enable: { shape: boolean, description: "Whether maintenance begins or ends.", required: true },
  reason: { shape: string, description: "What the check says; absent: Consul's words." },
} as const satisfies Parameters;

const note = { note: { shape: string, description: "What the check says." } };

const format = {
  format: { shape: words("text"), description: "One word instead of JSON." },
} as const satisfies Parameters;

/** The worst status of its checks decides. */
function healthOf<const Found, const None>(found: Found, missing: None) {
  const answer = { as: "json", shape: found } as const;
  return {
    200: { ...answer, description: "Passing." },
    429: { ...answer, description: "Warning." },
    503: { ...answer, description: "Critical, or in maintenance." },
    404: { as: "json", shape: missing, description: "There is no such service." },
  } as const;
}

const agentItself = {
  "/v1/agent/self": {
    GET: { summary: "The agent, its configuration and its state", answers: { 200: json(self) } },
  },
  "/v1/agent/version": {
    GET: {
      summary: "Which version this is",
      answers: {
        200: json(object({ SHA: text, BuildDate: text, HumanVersion: text, FIPS: text })),
      },
    },
  },
  "/v1/agent/host": {
    GET: { summary: "The machine that it runs on", answers: { 200: json(members(anything)) } },
  },
  "/v1/agent/metrics": {
    GET: {
      summary: "What the agent and its servers counted and timed",
      query: {
        format: { shape: words("prometheus"), description: "Prometheus' text form." },
      },
      answers: {
        200: json(metrics),
        415: { as: "text", description: "Prometheus' form is not enabled." },
      },
      when: { format: { as: "text", type: "text/plain; version=0.0.4; charset=utf-8" } },
    },
  },
  "/v1/agent/monitor": {
    GET: {
      summary: "The log from now on, line by line",
      query: {
        loglevel: {
          shape: words("trace", "debug", "info", "warn", "err", "error"),
          description: "Lines of this level and above; absent: `info`.",
        },
        logjson: { shape: boolean, description: "Lines as JSON; without a value: true." },
      },
      answers: { 200: { as: "stream" } },
    },
  },
  "/v1/agent/members": {
    GET: {
      summary: "The members that the agent knows",
      query: {
        wan: { shape: boolean, description: "Servers of all datacenters; any value means it." },
        segment: { shape: string, description: "`_all`, or empty: there are no segments." },
      },
      answers: { 200: json(items(member)) },
    },
  },
  "/v1/agent/join/{address}": {
    PUT: {
      summary: "Join others",
      path: { address: "The address of one of them." },
      query: { wan: { shape: boolean, description: "As a server, those of other datacenters." } },
      answers: { 200: nothing },
    },
  },
  "/v1/agent/leave": {
    PUT: { summary: "Leave the datacenter, and end", answers: { 200: nothing } },
  },
  "/v1/agent/force-leave/{node}": {
    PUT: {
      summary: "Let a failed node count as one that left",
      path: { node: "Its name." },
      query: { prune: { shape: { kind: "presence" }, description: "Forget it altogether." } },
      answers: { 200: nothing },
    },
  },
  "/v1/agent/reload": {
    PUT: { summary: "Read the configuration files again", answers: { 200: nothing } },
  },
  "/v1/agent/maintenance": {
    PUT: { summary: "Maintenance of the node", query: maintenance, answers: { 200: nothing } },
  },
  "/v1/agent/token/{kind}": {
    PUT: {
      summary: "Give the agent a token",
      path: {
        kind: "`default`, `agent`, `agent_master` or `replication`, or a name of before 1.4.3.",
      },
      body: { content: json(agentTokenSchema) },
      answers: { 200: nothing },
    },
  },
} as const satisfies Routes;

const services = {
  "/v1/agent/services": {
    GET: {
      summary: "The services of the agent, by their ids",
      query: filter,
      answers: { 200: json(members(agentServiceSchema)) },
    },
  },
  "/v1/agent/service/register": {
    PUT: {
      summary: "Register a service with the agent",
      query: {
        "replace-existing-checks": {
          shape: boolean,
          description: "Checks of it that are not mentioned go; without a value: true.",
        },
      },
      body: { content: json(serviceSchema) },
      answers: { 200: nothing },
    },
  },
  "/v1/agent/service/deregister/{service}": {
    PUT: { summary: "Remove a service", path: service, answers: { 200: nothing } },
  },
  "/v1/agent/service/maintenance/{service}": {
    PUT: {
      summary: "Maintenance of a service",
      path: service,
      query: maintenance,
      answers: { 200: nothing },
    },
  },
  "/v1/agent/service/{service}": {
    GET: {
      summary: "One service",
      path: service,
      query: {
        hash: {
          shape: string,
          description: "Answers once the service has another X-Consul-ContentHash than this.",
        },
        wait: { shape: string, description: "How long to wait for it, such as `1m30s`." },
      },
      answers: {
        200: json(agentServiceSchema),
        404: { as: "text", description: "There is no such service." },
      },
    },
  },
  "/v1/agent/health/service/id/{service}": {
    GET: {
      summary: "The health of one service",
      path: service,
      query: format,
      answers: healthOf(
        serviceHealth,
        union(
          object({ AggregatedStatus: text, Service: field(none), Checks: field(none) }),
          string,
        ),
      ),
      when: { format: { as: "text" } },
    },
  },
  "/v1/agent/health/service/name/{service}": {
    GET: {
      summary: "The health of all services of a name",
      path: { service: "The name." },
      query: format,
      answers: healthOf(items(serviceHealth), items(serviceHealth)),
      when: { format: { as: "text" } },
    },
  },
} as const satisfies Routes;

const checks = {
  "/v1/agent/checks": {
    GET: {
      summary: "The checks of the agent, by their ids",
      query: filter,
      answers: { 200: json(members(healthCheckSchema)) },
    },
  },
  "/v1/agent/check/register": {
    PUT: {
      summary: "Register a check with the agent",
      body: { content: json(checkSchema) },
      answers: { 200: nothing },
    },
  },
  "/v1/agent/check/deregister/{check}": {
    PUT: { summary: "Remove a check", path: check, answers: { 200: nothing } },
  },
  "/v1/agent/check/pass/{check}": {
    PUT: { summary: "A TTL check is passing", path: check, query: note, answers: { 200: nothing } },
  },
  "/v1/agent/check/warn/{check}": {
    PUT: { summary: "A TTL check is warning", path: check, query: note, answers: { 200: nothing } },
  },
  "/v1/agent/check/fail/{check}": {
    PUT: {
      summary: "A TTL check is critical",
      path: check,
      query: note,
      answers: { 200: nothing },
    },
  },
  "/v1/agent/check/update/{check}": {
    PUT: {
      summary: "Set the status of a TTL check",
      path: check,
      body: { content: json(checkUpdateSchema) },
      answers: { 200: nothing },
    },
  },
} as const satisfies Routes;

export const agentRoutes = {
  ...eventListRoutes,
  ...keyringRoutes,
  ...agentItself,
  ...services,
  ...checks,
} as const satisfies Routes;
