// What secondary datacenters ask of the primary's certificate authority.

import type { PrimaryRoots } from "../../../src/core/state/tables/ca/following.ts";

export type AuthorityQuestion =
  /** Answered with {@link ActiveRoot}. */
  | { ask: "root" }
  /** Answered with {@link SignedIntermediate}. */
  | {
      ask: "sign";
      /** The datacenter that asks. */
      from: string;
      /** Request for an intermediate certificate. PEM. */
      csr: string;
    };

export interface ActiveRoot {
  clusterId: string;
  activeId: string;
}

export interface SignedIntermediate {
  /** PEM; signed by the active root of `roots`. */
  certificate: string;
  roots: PrimaryRoots;
}

/** The primary, as a secondary reaches it. */
export interface PrimaryAuthority {
  /** Its datacenter. */
  name: string;
  /** Rejects when it cannot be reached, or refuses. */
  ask(question: AuthorityQuestion): Promise<unknown>;
}

/** Throws SyntaxError for what is no question: it comes from another machine. */
export function decodeAuthorityQuestion(given: unknown): AuthorityQuestion {
  const { ask, from, csr } = (given ?? {}) as Record<string, unknown>;
  if (ask === "root") return { ask };
  if (ask === "sign" && typeof from === "string" && typeof csr === "string") {
    return { ask, from, csr };
  }
  throw new SyntaxError("no question for a certificate authority");
}
