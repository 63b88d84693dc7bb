// The closed set of ways in which a request can fail, independent of HTTP and DNS. `src/api/errors.ts` maps
// every code to a status and Consul's text, `edge-dns/rcodes.ts` to an rcode; both are total tables, so a
// new code does not compile until both know it.

export type ErrorCode =
  /** The request was understood and refused by the state machine or the server (Consul: 500 + text). */
  | "invalid"
  /** The request could not be decoded or lacks a parameter (Consul: 400 + text, no prefix). */
  | "malformed"
  /** Like `malformed`, where Consul 1.8 puts `Bad request: ` before the text. */
  | "bad-request"
  | "not-found"
  | "permission-denied"
  | "too-large"
  | "too-many-requests"
  /** A transaction that failed: the text is the JSON answer. */
  | "conflict"
  | "no-leader"
  | "no-path-to-datacenter"
  /** The leader cannot yet prove that it is one (`consistent` reads only). */
  | "not-ready"
  /** The answer to a write was lost: it may or may not have been applied. Never sent twice. */
  | "unknown-outcome"
  | "acl-disabled"
  /** What other agents can do, and this one cannot: a Worker has no host. */
  | "not-here"
  | "internal";

/** A failure that a client caused or can act on. `message` is the exact text the client sees. */
export class ServiceError extends Error {
  override name = "ServiceError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What Consul answers to a token that there is not. */
export const unknownTokenText = "ACL not found";

export function unknownToken(): ServiceError {
  return new ServiceError("permission-denied", unknownTokenText);
}

export function isUnknownToken(failure: unknown): boolean {
  return failure instanceof ServiceError && failure.message === unknownTokenText;
}

/** The form in which a {@link ServiceError} crosses a wire. */
export interface ErrorData {
  code: ErrorCode;
  message: string;
}
