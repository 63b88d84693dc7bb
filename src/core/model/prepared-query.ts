// Prepared queries: what one holds, and what makes it acceptable whatever else there is. Texts are Consul's.

import { DurationError, parseDuration } from "./duration.ts";
import { ServiceError } from "./errors.ts";
import { metaProblem } from "./registration.ts";
import { flag, integer, raftIndex, stringList, stringMap, text } from "./schema.ts";
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

function struct<Shape>(goName: string, fields: Record<keyof Shape & string, Field>): StructType {
  return { kind: "struct", goName, fields };
}

const checkIds: Field = {
  type: { kind: "list", item: { kind: "string", goName: "types.CheckID" } },
};
const names: Field = { type: stringList };
const meta: Field = { type: stringMap };

const templateSchema = struct<QueryTemplate>("structs.QueryTemplateOptions", {
  Type: text,
  Regexp: text,
  RemoveEmptyTags: flag,
});

const failoverSchema = struct<QueryFailover>("structs.QueryDatacenterOptions", {
  NearestN: integer,
  Datacenters: names,
});

const serviceQuerySchema = struct<ServiceQuery>("structs.ServiceQuery", {
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

const dnsSchema = struct<PreparedQuery["DNS"]>("structs.QueryDNSOptions", { TTL: text });

export const preparedQuerySchema = struct<PreparedQuery>("structs.PreparedQuery", {
  ID: text,
  Name: text,
  Session: text,
  Token: text,
  Template: { type: templateSchema },
  Service: { type: serviceQuerySchema },
  DNS: { type: dnsSchema },
});

/** What requests may hold: indexes are read and ignored. */
export const queryBodySchema: StructType = {
  ...preparedQuerySchema,
  fields: { ...preparedQuerySchema.fields, CreateIndex: raftIndex, ModifyIndex: raftIndex },
};

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
