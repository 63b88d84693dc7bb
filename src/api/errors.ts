// Error code → HTTP status and text. A total table, so that a new code does not compile without its status.

import { ServiceError } from "../core/model/errors.ts";
import type { ErrorCode } from "../core/model/errors.ts";
import { json, text } from "./reply.ts";
import type { Reply } from "./reply.ts";

const statuses: Record<ErrorCode, number> = {
  invalid: 500,
  malformed: 400,
  "bad-request": 400,
  "not-found": 404,
  "permission-denied": 403,
  "too-large": 413,
  "too-many-requests": 429,
  conflict: 409,
  "no-leader": 500,
  "no-path-to-datacenter": 500,
  "not-ready": 500,
  "unknown-outcome": 500,
  "acl-disabled": 401,
  "not-here": 501,
  internal: 500,
};

/** The answer to a failed request. Rethrows what is not a ServiceError. */
export function errorReply(error: unknown): Reply {
  if (!(error instanceof ServiceError)) throw error;
  const status = statuses[error.code];
  // A failed transaction is a JSON answer of its own.
  if (error.code === "conflict") return json(error.message, {}, status);
  const prefix = error.code === "bad-request" ? "Bad request: " : "";
  return text(status, prefix + error.message);
}

export function malformed(message: string): ServiceError {
  return new ServiceError("malformed", message);
}

/** What was refused as malformed, with the words that Consul puts before it here. */
export async function asBadRequest<Value>(decoded: Promise<Value>): Promise<Value> {
  try {
    return await decoded;
  } catch (failure) {
    if (!(failure instanceof ServiceError) || failure.code !== "malformed") throw failure;
    throw new ServiceError("bad-request", failure.message);
  }
}
