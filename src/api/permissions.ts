// What a token may do, for those who decide about what is not in the replicated state: an agent about its services.
// The rules come from the servers and are followed, so that a revoked token stops counting when the servers say so.

import { RuleAuthorizer } from "../core/acl/authorizer.ts";
import type { Authorizer } from "../core/acl/access.ts";
import type { Rule } from "../core/acl/rules.ts";
import { BoundedMap } from "../core/lib/bounded-map.ts";
import { ServiceError, unknownToken } from "../core/model/errors.ts";
import { limits } from "../core/model/limits.ts";
import type { Cluster } from "../ports/cluster.ts";

/** Body of the read `acl.rules`. */
interface KnownRules {
  enabled: boolean;
  isManagement: boolean;
  defaultPolicy: "allow" | "deny";
  rules: Rule[];
  /** 0: never; absent where there are no ACLs. */
  expiresMs?: number;
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

/** What counts of an answer. */
interface Made {
  authorizer: Authorizer;
  expiresMs: number;
}

/** About what a rule takes in memory, for each character that says it. */
const bytesPerCharacter = 4;

const everything = new RuleAuthorizer([], "manage");
const almostEverything = new RuleAuthorizer([], "allow");
const nothing = new RuleAuthorizer([], "deny");

export class Permissions {
  readonly #parts: PermissionParts;
  /** What was made of answers, by their bodies. */
  readonly #made = new BoundedMap<Made>(limits.aclCacheBytesMax);

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
      return this.#judge(this.#madeOf(body ?? ""), (cache?.ageSeconds ?? 0) * 1_000);
    } catch (failure) {
      if (failure instanceof ServiceError && failure.code !== "no-leader") throw failure;
      return this.#parts.downPolicy === "allow" ? almostEverything : nothing;
    }
  }

  /** `ageMs`: for how long no server confirmed it. */
  #judge({ authorizer, expiresMs }: Made, ageMs: number): Authorizer {
    const { downPolicy, ttlMs, nowMs } = this.#parts;
    if (expiresMs > 0 && expiresMs <= nowMs()) {
      throw unknownToken();
    }
    const isOver = ageMs > ttlMs;
    if (isOver && downPolicy === "allow") return almostEverything;
    if (isOver && downPolicy === "deny") return nothing;
    return authorizer;
  }

  #madeOf(body: string): Made {
    const made = this.#made.get(body);
    if (made) return made;
    const known = JSON.parse(body) as KnownRules;
    const fresh = { authorizer: authorizerOf(known), expiresMs: known.expiresMs ?? 0 };
    this.#made.set(body, fresh, bytesPerCharacter * body.length);
    return fresh;
  }
}

function authorizerOf({ enabled, isManagement, defaultPolicy, rules }: KnownRules): RuleAuthorizer {
  if (!enabled) return everything;
  return new RuleAuthorizer(rules, isManagement ? "manage" : defaultPolicy);
}
