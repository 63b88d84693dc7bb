// Prepared queries: what one holds, and what makes it acceptable whatever else there is. Texts are Consul's.

import { DurationError, parseDuration } from "./duration.ts";
import { ServiceError } from "./errors.ts";
import { metaProblem } from "./registration.ts";
import { flag, integer, raftIndex, stringList, stringMap, structOf, text } from "./schema.ts";
import type { Field, StructType } from "./schema.ts";

export interface QueryTemplate {
  Type: string;
  Regexp: string;
  RemoveEmptyTags: boolean;
}

export interface QueryFailover {
  NearestN: number;
  Datacenters: string[] | null;
}

/** Where else a query is to be executed, and what is executed there. */
export interface QueryElsewhere {
  failover: QueryFailover;
  /** Nothing was found here: now is the time. */
  isDue: boolean;
  /** JSON text of the query as it is to be executed, with its token. */
  query: string;
}

export interface ServiceQuery {
  Service: string;
  Failover: QueryFailover;
  OnlyPassing: boolean;
  IgnoreCheckIDs: string[] | null;
  Near: string;
  Tags: string[] | null;
  NodeMeta: Record<string, string> | null;
  ServiceMeta: Record<string, string> | null;
  Connect: boolean;
}

export interface PreparedQuery {
  ID: string;
  Name: string;
  Session: string;
  Token: string;
  Template: QueryTemplate;
  Service: ServiceQuery;
  DNS: { TTL: string };
}

/** The only type of template. */
export const namePrefixMatch = "name_prefix_match";
/** Shown in place of a query's token to whoever may not manage ACLs. */
export const hiddenToken = "<hidden>";

const checkIds = {
  type: { kind: "list", item: { kind: "string", goName: "types.CheckID" } },
} as const satisfies Field;
const names = { type: stringList } as const satisfies Field;
const meta = { type: stringMap } as const satisfies Field;

const templateSchema = structOf<QueryTemplate>()("structs.QueryTemplateOptions", {
  Type: text,
  Regexp: text,
  RemoveEmptyTags: flag,
});

const failoverSchema = structOf<QueryFailover>()("structs.QueryDatacenterOptions", {
  NearestN: integer,
  Datacenters: names,
});

const serviceQuerySchema = structOf<ServiceQuery>()("structs.ServiceQuery", {
  Service: text,
  Failover: { type: failoverSchema },
  OnlyPassing: flag,
  IgnoreCheckIDs: checkIds,
  Near: text,
  Tags: names,
  NodeMeta: meta,
  ServiceMeta: meta,
  Connect: flag,
});

const dnsSchema = structOf<PreparedQuery["DNS"]>()("structs.QueryDNSOptions", { TTL: text });

export const preparedQuerySchema = structOf<PreparedQuery>()("structs.PreparedQuery", {
  ID: text,
  Name: text,
  Session: text,
  Token: text,
  Template: { type: templateSchema },
  Service: { type: serviceQuerySchema },
  DNS: { type: dnsSchema },
});

/** What requests may hold: indexes are read and ignored. */
export const queryBodySchema = {
  ...preparedQuerySchema,
  fields: { ...preparedQuerySchema.fields, CreateIndex: raftIndex, ModifyIndex: raftIndex },
} as const satisfies StructType;

export function isTemplate({ Template: template }: PreparedQuery): boolean {
  return template.Type !== "";
}

/** The name by which permissions of a query go; null for one that whoever knows its id may use. */
export function permissionName(query: Pick<PreparedQuery, "Name" | "Template">): string | null {
  return query.Name !== "" || query.Template.Type !== "" ? query.Name : null;
}

/** Throws ServiceError for what no state would allow. */
export function validatePreparedQuery(query: PreparedQuery): void {
  const problem = problemOf(query);
  if (problem !== null) throw new ServiceError("invalid", `Invalid prepared query: ${problem}`);
}

function problemOf(query: PreparedQuery): string | null {
  const { Service: service, Token: token } = query;
  if (permissionName(query) === null && query.Session === "") return "Must be bound to a session";
  if (token === hiddenToken) {
    return (
      `Bad Token '${token}', it looks like a query definition with a redacted token was ` +
      "submitted"
    );
  }
  if (service.Service === "") return "Must provide a Service name to query";
  const { NearestN: nearest } = service.Failover;
  if (nearest < 0) return `Bad NearestN '${nearest}', must be >= 0`;
  return metaProblem(service.NodeMeta, { reserved: true }) ?? ttlProblem(query.DNS.TTL);
}

function ttlProblem(ttl: string): string | null {
  if (ttl === "") return null;
  try {
    const ttlNs = parseDuration(ttl);
    return ttlNs < 0 ? `DNS TTL '${ttlNs}', must be >=0` : null;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    return `Bad DNS TTL '${ttl}': ${error.message}`;
  }
}
