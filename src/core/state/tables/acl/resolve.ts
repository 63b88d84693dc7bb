// From what a request shows to what it may do: the token, its policies, roles and identities, merged into one set of
// rules. Everything that decides lies in the state, so a revoked token or a changed policy counts from the moment that
// the change is applied here.

import { RuleAuthorizer, type DefaultPolicy } from "../../../acl/authorizer.ts";
import { parseRules, RulesError, type Rule } from "../../../acl/rules.ts";
import { legacyRules } from "../../../acl/legacy.ts";
import { BoundedMap } from "../../../lib/bounded-map.ts";
import {
  anonymousAccessor,
  anonymousSecret,
  managementPolicyId,
  type AclGrants,
  type AclLink,
  type AclRole,
  type AclToken,
  type NodeIdentity,
  type ServiceIdentity,
} from "../../../model/acl.ts";
import { ServiceError, unknownToken } from "../../../model/errors.ts";
import { limits } from "../../../model/limits.ts";
import type { AuthorizerSource, Principal } from "../../authorizer.ts";
import type { State } from "../../state.ts";
import type { Topic } from "../../watch.ts";
import { emptyToken } from "./bootstrap.ts";
import { findPolicy, findRole, findToken, isExpired, policyOf, roleOf, tokenOf } from "./rows.ts";
import type { TokenRow } from "./rows.ts";
import { policiesIndex, rolesIndex, tokensIndex } from "./rows.ts";
import { aclTopics } from "./topics.ts";

/** A token of the datacenter and what follows from it. */
export interface Bearer {
  /** "" for a token that has none. */
  accessor: string;
  /** Whether it may do everything. */
  isManagement: boolean;
  rules: readonly SourcedRule[];
}

/** A rule and what it comes from, for those who ask why. */
export type SourcedRule = Rule & { source: RuleSource };

export interface RuleSource {
  /** `role`: a policy or an identity that a role has; `token`: rules that a legacy token has itself. */
  kind: "policy" | "role" | "identity" | "token";
  /** Of the policy, of the role, or of what the identity names. */
  name: string;
  /** Of a role: which policy, or which identity, of it. */
  of?: string;
}

/** Throws ServiceError `permission-denied` for a token that does not exist or whose time is over. */
export function findBearer(state: State, secret: string | undefined, nowMs: number): TokenRow {
  const shown = secret === undefined || secret === "" ? anonymousSecret : secret;
  if (rootAuthorizers.has(shown)) throw new ServiceError("invalid", "Cannot resolve root ACL");
  const row = findToken(state, shown) ?? (shown === anonymousSecret ? nobody : undefined);
  if (!row || isExpired(row, nowMs)) throw unknownToken();
  return row;
}

/** The anonymous token, until the leader has made it. */
const nobody: TokenRow = {
  secret: anonymousSecret,
  accessor: anonymousAccessor,
  expires_ms: 0,
  create_index: 0,
  modify_index: 0,
  body: JSON.stringify(emptyToken),
};

/** Names that Consul's code has for whole authorizers. */
const rootAuthorizers: ReadonlySet<string> = new Set(["allow", "deny", "manage"]);

/** What a read that depends on a token's permissions waits for besides its own topics. */
export function bearerTopics(row: TokenRow): Topic[] {
  return [aclTopics.token(row.accessor), aclTopics.grants];
}

export function bearerOf(state: State, row: TokenRow): Bearer {
  const token = tokenOf(row);
  const rules = token.Rules === "" ? grantedRules(state, token) : clientRules(token);
  const isLinked = (token.Policies ?? []).some(({ ID }) => ID === managementPolicyId);
  const isManagement =
    token.Type === "management" || (isLinked && rules.every(({ level }) => level === "write"));
  return { accessor: token.AccessorID, isManagement, rules };
}

/** Of a legacy token, whose rules are its own. */
function clientRules({ Rules }: AclToken): SourcedRule[] {
  return legacyRules(Rules).map((rule) => ({ ...rule, source: { kind: "token", name: "rules" } }));
}

function grantedRules(state: State, token: AclToken): SourcedRule[] {
  const roles = (token.Roles ?? []).flatMap(({ ID }) => {
    const row = findRole(state, ID);
    return row ? [roleOf(row)] : [];
  });
  return [
    ...policyRules(state, token.Policies),
    ...roles.flatMap((role) => ofRole(role, policyRules(state, role.Policies))),
    ...identityRules(state, token),
    ...roles.flatMap((role) => ofRole(role, identityRules(state, role))),
  ];
}

function identityRules(
  state: State,
  { ServiceIdentities: services, NodeIdentities: nodes }: Omit<AclGrants, "Policies" | "Roles">,
): SourcedRule[] {
  return [
    ...(services ?? []).flatMap((each) => serviceRules(state, each)),
    ...(nodes ?? []).flatMap((each) => nodeRules(state, each)),
  ];
}

function ofRole({ Name }: AclRole, rules: readonly SourcedRule[]): SourcedRule[] {
  return rules.map((rule) => {
    const { kind, name } = rule.source;
    return { ...rule, source: { kind: "role", name: Name, of: `${kind} ${name}` } };
  });
}

function policyRules(state: State, links: AclLink[] | null): SourcedRule[] {
  return (links ?? []).flatMap(({ ID }) => {
    const row = findPolicy(state, ID);
    if (!row) return [];
    const policy = policyOf(row);
    if (!isOf(state, policy.Datacenters)) return [];
    return parsed(policy.Rules).map((rule) => ({
      ...rule,
      source: { kind: "policy", name: policy.Name },
    }));
  });
}

/** Rules were judged before they were kept; what came otherwise and is none grants nothing. */
function parsed(rules: string): Rule[] {
  try {
    return parseRules(rules);
  } catch (failure) {
    if (failure instanceof RulesError) return [];
    throw failure;
  }
}

function isOf({ datacenter }: State, datacenters: string[] | null): boolean {
  return datacenters === null || datacenters.length === 0 || datacenters.includes(datacenter);
}

function serviceRules(
  state: State,
  { ServiceName: name, Datacenters }: ServiceIdentity,
): SourcedRule[] {
  if (!isOf(state, Datacenters)) return [];
  const source = { kind: "identity", name: `service ${name}` } as const;
  const readEverything = { segment: "", isPrefix: true, level: "read", source } as const;
  return [
    ...[name, `${name}-sidecar-proxy`].flatMap((segment) => [
      { resource: "service", segment, isPrefix: false, level: "write", source } as const,
      { resource: "intention", segment, isPrefix: false, level: "read", source } as const,
    ]),
    { resource: "service", ...readEverything },
    { resource: "intention", ...readEverything },
    { resource: "node", ...readEverything },
  ];
}

function nodeRules(state: State, { NodeName, Datacenter }: NodeIdentity): SourcedRule[] {
  if (Datacenter !== state.datacenter) return [];
  const source = { kind: "identity", name: `node ${NodeName}` } as const;
  const readEverything = { segment: "", isPrefix: true, level: "read", source } as const;
  return [
    { resource: "node", segment: NodeName, isPrefix: false, level: "write", source },
    { resource: "service", ...readEverything },
    { resource: "intention", ...readEverything },
  ];
}

/** About what a rule takes in memory. */
const ruleBytes = 300;

/** Authorizers of the tokens that were shown lately, made anew when any ACL object has changed. */
export class TokenAuthorizers implements AuthorizerSource {
  /** By what was shown. */
  readonly #known = new BoundedMap<{ principal: Principal; expiresMs: number }>(
    limits.aclCacheBytesMax,
  );
  #tokens = 0;
  #policies = 0;
  #roles = 0;
  #made = 0;

  resolve(state: State, token: string | undefined, nowMs: number): Principal {
    this.#forgetChanged(state);
    const shown = token ?? "";
    const known = this.#known.get(shown);
    if (known && (known.expiresMs === 0 || known.expiresMs > nowMs)) return known.principal;
    const row = findBearer(state, token, nowMs);
    const bearer = bearerOf(state, row);
    const principal = {
      id: `${++this.#made}`,
      authorizer: authorizerOf(bearer, state.acl.defaultPolicy),
      bearer: bearer.accessor,
      topics: bearerTopics(row),
    };
    const bytes = ruleBytes * (1 + bearer.rules.length);
    this.#known.set(shown, { principal, expiresMs: row.expires_ms }, bytes);
    return principal;
  }

  forget(): void {
    this.#known.clear();
  }

  #forgetChanged({ meta }: State): void {
    const tokens = meta.index(tokensIndex);
    const policies = meta.index(policiesIndex);
    const roles = meta.index(rolesIndex);
    const isSame = tokens === this.#tokens && policies === this.#policies && roles === this.#roles;
    if (isSame) return;
    this.#known.clear();
    this.#tokens = tokens;
    this.#policies = policies;
    this.#roles = roles;
  }
}

export function authorizerOf(bearer: Bearer, defaultPolicy: DefaultPolicy): RuleAuthorizer {
  return new RuleAuthorizer(bearer.rules, bearer.isManagement ? "manage" : defaultPolicy);
}
