// What may be asked of whom: the words of Consul's ACL system (semantics §11).

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
  /** Whether the bearer may do this to what `segment` names; "" where the resource has no names. */
  allows(resource: Resource, segment: string, access: Access): boolean;
  /** Whether it may read whatever there is of this, so that names need not be looked at. */
  readsAll(resource: Resource): boolean;
  /** Whether it may write every key that starts with `prefix`. */
  allowsKeyTree(prefix: string): boolean;
}
