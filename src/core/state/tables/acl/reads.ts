// The reads of `/v1/acl`. Secrets are for those who may write ACLs.

import { anonymousAccessor } from "../../../model/acl.ts";
import { ServiceError } from "../../../model/errors.ts";
import { encodeString } from "../../../model/json.ts";
import type { TableIndex } from "../../meta.ts";
import type { Evaluated, PlainRead } from "../../read.ts";
import { list } from "../../rows.ts";
import type { View } from "../../state.ts";
import { requireRead } from "../../view.ts";
import type { Topic } from "../../watch.ts";
import { type AclQuestion, explain } from "./explain.ts";
import { encodeLegacy, legacyOf } from "./legacy.ts";
import { encodePolicy, encodePolicyStub, encodeRole } from "./policies.ts";
import { bearerOf, bearerTopics, findBearer } from "./resolve.ts";
import {
  allPolicies,
  allRoles,
  allTokens,
  findPolicy,
  findRole,
  findToken,
  isExpired,
  policiesIndex,
  policyNamed,
  roleNamed,
  roleOf,
  rolesIndex,
  tokenByAccessor,
  tokenOf,
  tokensIndex,
} from "./rows.ts";
import type { TokenRow } from "./rows.ts";
import { encodeToken, encodeTokenStub } from "./tokens.ts";
import { aclTopics } from "./topics.ts";

const hidden = "<hidden>";

function requireEnabled({ acl }: View): void {
  if (!acl.enabled) throw new ServiceError("acl-disabled", "ACL support disabled");
}

function requireAclRead(view: View): void {
  requireEnabled(view);
  requireRead(view, "acl", "");
}

function answer(
  view: View,
  index: TableIndex,
  topics: readonly Topic[],
  body: string | null,
): Evaluated {
  return { index: view.meta.index(index), body, topics: [...topics] };
}

/** `policy`, `role`: an id; `authMethod`: a name. At most one of them. */
export interface TokenFilter {
  policy?: string;
  role?: string;
  authMethod?: string;
}

const tokenList: PlainRead<TokenFilter> = {
  evaluate: (filter, view) => {
    requireAclRead(view);
    const { policy, role, authMethod } = filter;
    if ([policy, role, authMethod].filter((each) => each !== undefined).length > 1) {
      const message = "can only filter by one of policy, role, or methodName at a time";
      throw new ServiceError("invalid", message);
    }
    const stubs = allTokens(view)
      .filter((row) => !isExpired(row, view.nowMs))
      .filter((row) => fits(row, filter))
      .map((row) => encodeTokenStub(view, row));
    return answer(view, tokensIndex, [aclTopics.allTokens], list(stubs));
  },
};

function fits(row: TokenRow, { policy, role, authMethod }: TokenFilter): boolean {
  const token = tokenOf(row);
  if (policy !== undefined) return (token.Policies ?? []).some(({ ID }) => ID === policy);
  if (role !== undefined) return (token.Roles ?? []).some(({ ID }) => ID === role);
  return authMethod === undefined || token.AuthMethod === authMethod;
}

const token: PlainRead<{ accessor: string }> = {
  evaluate: ({ accessor }, view) => {
    requireAclRead(view);
    const row = tokenByAccessor(view, accessor);
    const isThere = row && !isExpired(row, view.nowMs);
    const secret = view.authorizer.allows("acl", "", "write") ? row?.secret : hidden;
    const body = isThere ? encodeToken(view, row, secret) : null;
    return answer(view, tokensIndex, [aclTopics.token(row?.accessor ?? accessor)], body);
  },
};

/** The token that asks, whatever it may do. */
const self: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    requireEnabled(view);
    const { bearer } = view;
    const row = bearer === anonymousAccessor ? undefined : tokenByAccessor(view, bearer);
    const body = row ? encodeToken(view, row) : null;
    return answer(view, tokensIndex, [aclTopics.token(bearer)], body);
  },
};

const policyList: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    requireAclRead(view);
    const stubs = allPolicies(view).map(encodePolicyStub);
    return answer(view, policiesIndex, [aclTopics.policies], list(stubs));
  },
};

const policy: PlainRead<{ id?: string; name?: string }> = {
  evaluate: ({ id, name = "" }, view) => {
    requireAclRead(view);
    const row = id === undefined ? policyNamed(view, name) : findPolicy(view, id);
    return answer(view, policiesIndex, [aclTopics.policies], row ? encodePolicy(row) : null);
  },
};

const roleList: PlainRead<{ policy?: string }> = {
  evaluate: ({ policy: id }, view) => {
    requireAclRead(view);
    const roles = allRoles(view)
      .filter((row) => id === undefined || (roleOf(row).Policies ?? []).some(({ ID }) => ID === id))
      .map((row) => encodeRole(view, row));
    return answer(view, rolesIndex, [aclTopics.roles, aclTopics.policies], list(roles));
  },
};

const role: PlainRead<{ id?: string; name?: string }> = {
  evaluate: ({ id, name = "" }, view) => {
    requireAclRead(view);
    const row = id === undefined ? roleNamed(view, name) : findRole(view, id);
    const topics = [aclTopics.roles, aclTopics.policies];
    return answer(view, rolesIndex, topics, row ? encodeRole(view, row) : null);
  },
};

/** What the token that asks may do: for agents, which decide about what is theirs. */
const rules: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    if (!view.acl.enabled) return { index: 1, body: '{"enabled":false}', topics: [] };
    const row = tokenByAccessor(view, view.bearer) ?? findBearer(view, undefined, view.nowMs);
    const bearer = { ...bearerOf(view, row), defaultPolicy: view.acl.defaultPolicy };
    const body = JSON.stringify({ enabled: true, expiresMs: row.expires_ms, ...bearer });
    const index = view.meta.maxIndex(tokensIndex, policiesIndex, rolesIndex);
    return { index, body, topics: bearerTopics(row) };
  },
};

/** The questions with their answers. */
const authorize: PlainRead<{ questions: AclQuestion[] }> = {
  evaluate: ({ questions }, view) => {
    requireEnabled(view);
    const answers = questions.map(({ Resource: resource, Segment: segment, Access: access }) => ({
      Resource: resource,
      ...(segment !== "" && { Segment: segment }),
      Access: access,
      Allow: view.authorizer.allows(resource, segment, access),
    }));
    return { index: 1, body: JSON.stringify(answers), topics: [] };
  },
};

/** Rules of a legacy token; null when there is no such token, "" when it has none. */
const legacyRulesOf: PlainRead<{ accessor: string }> = {
  evaluate: ({ accessor }, view) => {
    requireAclRead(view);
    const row = tokenByAccessor(view, accessor);
    const body = row ? encodeString(tokenOf(row).Rules) : null;
    return answer(view, tokensIndex, [aclTopics.token(accessor)], body);
  },
};

/** Whoever knows the id may see it. */
const legacyInfo: PlainRead<{ secret: string }> = {
  evaluate: ({ secret }, view) => {
    requireEnabled(view);
    const row = findToken(view, secret);
    const acl = row && legacyOf(row);
    const body = row && acl ? list([encodeLegacy(row, acl)]) : "[]";
    return answer(view, tokensIndex, [aclTopics.allTokens], body);
  },
};

const legacyList: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    requireEnabled(view);
    if (!view.authorizer.allows("acl", "", "write")) requireRead(view, "acl", "");
    const shown = allTokens(view).flatMap((row) => {
      const acl = legacyOf(row);
      return acl ? [{ id: acl.ID, text: encodeLegacy(row, acl) }] : [];
    });
    const sorted = shown.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(({ text }) => text);
    return answer(view, tokensIndex, [aclTopics.allTokens], list(sorted));
  },
};

export const aclReads = {
  "acl.token.list": tokenList,
  "acl.token": token,
  "acl.token.self": self,
  "acl.policy.list": policyList,
  "acl.policy": policy,
  "acl.role.list": roleList,
  "acl.role": role,
  "acl.rules": rules,
  "acl.authorize": authorize,
  "acl.explain": explain,
  "acl.legacy.rules": legacyRulesOf,
  "acl.legacy.info": legacyInfo,
  "acl.legacy.list": legacyList,
};
