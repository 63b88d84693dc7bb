// The one seam between requests and permissions. Every read and every write asks an authorizer, which the
// server gets for the request's token. Without ACLs everything is allowed; with them only `resolve` changes.

export type Resource =
  | "acl"
  | "agent"
  | "event"
  | "intention"
  | "key"
  | "keyring"
  | "node"
  | "operator"
  | "query"
  | "service"
  | "session";

export type Access = "read" | "list" | "write";

export interface Authorizer {
  /** True when nothing is ever refused, so that lists need not be looked through. */
  readonly unrestricted: boolean;
  /** Whether the bearer may do this to what `segment` names. */
  allows(resource: Resource, segment: string, access: Access): boolean;
  /** Whether it may write every key that starts with `prefix`. */
  allowsKeyTree(prefix: string): boolean;
}

export interface AuthorizerSource {
  /** Throws ServiceError `permission-denied` for a token that does not exist. */
  resolve(token: string | undefined): Authorizer;
}

const everything: Authorizer = {
  unrestricted: true,
  allows: () => true,
  allowsKeyTree: () => true,
};

/** For a datacenter without ACLs. */
export const allowAll: AuthorizerSource = { resolve: () => everything };
