// What a token may do, for those who decide about what is not in the replicated state: an agent about its services.
// The rules come from the servers and are followed, so that a revoked token stops counting when the servers say so.

import { RuleAuthorizer } from "../core/acl/authorizer.ts";
import type { Authorizer } from "../core/acl/access.ts";
import type { Rule } from "../core/acl/rules.ts";
import { ServiceError } from "../core/model/errors.ts";
import type { Cluster } from "../ports/cluster.ts";

/** Body of the read `acl.rules`. */
interface KnownRules {
  enabled: boolean;
  isManagement: boolean;
  defaultPolicy: "allow" | "deny";
  rules: Rule[];
  /** 0: never. */
  expiresMs: number;
}

export interface PermissionParts {
  cluster: Pick<Cluster, "read">;
  nowMs(): number;
  /** What counts while no server can be asked; `extend-cache` goes on with what was known. */
  downPolicy: "allow" | "deny" | "extend-cache" | "async-cache";
  /** How long what was known counts then, unless it is extended. */
  ttlMs: number;
  /** A token that this agent knows by itself, and what it may do; absent: none. */
  ownToken?(token: string): Authorizer | null;
}

const everything = new RuleAuthorizer([], "manage");
const almostEverything = new RuleAuthorizer([], "allow");
const nothing = new RuleAuthorizer([], "deny");

export class Permissions {
  readonly #parts: PermissionParts;
  /** Made of the body of the newest answer, by that body. */
  readonly #made = new WeakMap<object, RuleAuthorizer>();
  #latest: { body: string; known: KnownRules } | null = null;

  constructor(parts: PermissionParts) {
    this.#parts = parts;
  }

  /** Rejects with ServiceError `permission-denied` for a token that there is not. */
  async of(token: string | undefined): Promise<Authorizer> {
    const own = token === undefined ? null : (this.#parts.ownToken?.(token) ?? null);
    if (own) return own;
    try {
      const options = { cached: true, ...(token !== undefined && { token }) };
      const { body, cache } = await this.#parts.cluster.read("acl.rules", {}, options);
      return this.#judge(this.#parse(body ?? ""), (cache?.ageSeconds ?? 0) * 1_000);
    } catch (failure) {
      if (failure instanceof ServiceError && failure.code !== "no-leader") throw failure;
      return this.#parts.downPolicy === "allow" ? almostEverything : nothing;
    }
  }

  /** `ageMs`: for how long no server confirmed it. */
  #judge(known: KnownRules, ageMs: number): Authorizer {
    const { downPolicy, ttlMs, nowMs } = this.#parts;
    if (!known.enabled) return everything;
    if (known.expiresMs > 0 && known.expiresMs <= nowMs()) {
      throw new ServiceError("permission-denied", "ACL not found");
    }
    const isOver = ageMs > ttlMs;
    if (isOver && downPolicy === "allow") return almostEverything;
    if (isOver && downPolicy === "deny") return nothing;
    const made =
      this.#made.get(known) ??
      new RuleAuthorizer(known.rules, known.isManagement ? "manage" : known.defaultPolicy);
    this.#made.set(known, made);
    return made;
  }

  #parse(body: string): KnownRules {
    if (this.#latest?.body === body) return this.#latest.known;
    const known = JSON.parse(body) as KnownRules;
    this.#latest = { body, known };
    return known;
  }
}
