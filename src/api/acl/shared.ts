// What the endpoints of ACL objects have in common.

import { DurationError, parseDuration } from "../../core/model/duration.ts";
import type { JsonValue } from "../../core/model/json.ts";
import type { StructType } from "../../core/model/schema.ts";
import type { ReadArguments } from "../../core/state/reads.ts";
import { read, type ReadParts, type ReadStyle } from "../consistency.ts";
import { unknownTokenText } from "../../core/model/errors.ts";
import { malformed } from "../errors.ts";
import type { AreaOf, Routes } from "../openapi/operation.ts";
import { text, type Reply } from "../reply.ts";
import type { ApiRequest } from "../request.ts";

export interface AclParts extends ReadParts {
  /** ACLs are on in this datacenter; absent: they are not. */
  aclEnabled?: boolean;
  /** A random UUID in lower case. */
  uuid(): string;
}

/** The endpoints of described routes, by what follows `/v1/acl/` in their paths. */
export type AclEndpoints<Described extends Routes> = {
  readonly [
    Mount in keyof AreaOf<Described> as Mount extends `/v1/acl/${infer Rest}` ? Rest : never
  ]: AreaOf<Described>[Mount];
};

const style: ReadStyle = { kind: "session" };

type AclRead = Extract<keyof ReadArguments, `acl.${string}`>;

/** What is not there is 404 without body. */
export async function readAcl<Op extends AclRead>(
  parts: ReadParts,
  request: ApiRequest,
  op: Op,
  args: () => ReadArguments[Op],
): Promise<Reply> {
  return await read(parts, request, style, op, args);
}

/** What is not there is 403 `ACL not found`, as Consul says it of tokens and policies. */
export async function readKnown<Op extends AclRead>(
  parts: ReadParts,
  request: ApiRequest,
  op: Op,
  args: () => ReadArguments[Op],
): Promise<Reply> {
  const reply = await readAcl(parts, request, op, args);
  return reply.status === 404 ? text(403, unknownTokenText, reply.headers) : reply;
}

/** The part of the path that names the object. */
export function named({ rest }: ApiRequest, what: string): string {
  if (rest !== "") return rest;
  throw malformed(`Bad request: Missing ${what}`);
}

/** Decodes a body; what fails names `what`. */
export async function decodeAcl<Value>(
  request: ApiRequest,
  schema: StructType,
  what: string,
): Promise<Value> {
  const prefix = `Bad request: ${what} decoding failed: `;
  return (await request.decode(schema, "refuse", prefix)) as Value;
}

/** Refuses a body that names another object than its path. */
export function requireSame(given: string, id: string, what: string): void {
  if (given === "" || given === id) return;
  throw malformed(`Bad request: ${what} in URL and payload do not match`);
}

/** A duration as Go's text or in ns; anything else is none. What fails names `what`. */
export function durationNs(given: JsonValue, what: string): number {
  if (typeof given === "number") return clamp(given);
  if (typeof given !== "string" || given === "") return 0;
  try {
    return parseDuration(given);
  } catch (failure) {
    if (!(failure instanceof DurationError)) throw failure;
    throw malformed(`Bad request: ${what} decoding failed: ${failure.message}`);
  }
}

function clamp(ns: number): number {
  const max = Number.MAX_SAFE_INTEGER;
  return Math.max(-max, Math.min(Math.trunc(ns), max));
}
