// The one seam between requests and permissions. Every read and every write asks an authorizer, which the server gets
// for the request's token. Without ACLs everything is allowed; with them only `resolve` changes.

import type { Authorizer } from "../acl/access.ts";
import type { State } from "./state.ts";
import type { Topic } from "./watch.ts";

export type { Access, Authorizer, Resource } from "../acl/access.ts";

/** Who asks, as far as it matters. */
export interface Principal {
  /** The same for as long as it may do the same; never that of another principal. */
  id: string;
  authorizer: Authorizer;
  /** Accessor of its token; "" without ACLs, and for the servers themselves. */
  bearer: string;
  /** Touched when its permissions change. */
  topics: readonly Topic[];
}

export interface AuthorizerSource {
  /** Throws ServiceError `permission-denied` for a token that does not exist. */
  resolve(state: State, token: string | undefined, nowMs: number): Principal;
  /** The whole state was replaced. */
  forget?(): void;
}

const everything: Authorizer = {
  unrestricted: true,
  allows: () => true,
  readsAll: () => true,
  allowsKeyTree: () => true,
};

/** A server that acts for itself, and everybody in a datacenter without ACLs. */
export const unrestricted: Principal = { id: "", authorizer: everything, bearer: "", topics: [] };

/** For a datacenter without ACLs. */
export const allowAll: AuthorizerSource = { resolve: () => unrestricted };

/** An authorizer that remembers whether it left anything out of what was to be read. */
export function noting(authorizer: Authorizer): { authorizer: Authorizer; hasDenied(): boolean } {
  let denied = false;
  return {
    hasDenied: () => denied,
    authorizer: {
      unrestricted: authorizer.unrestricted,
      allows: (resource, segment, access) => {
        const allowed = authorizer.allows(resource, segment, access);
        denied ||= !allowed;
        return allowed;
      },
      // Who may read all is denied nothing.
      readsAll: (resource) => authorizer.readsAll(resource),
      allowsKeyTree: (prefix) => authorizer.allowsKeyTree(prefix),
    },
  };
}
