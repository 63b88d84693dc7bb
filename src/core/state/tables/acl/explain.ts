// Why a token may do something, or may not: the rule that decided, and where it comes from. Nothing here is a secret:
// tokens are named by their accessors, and rules are those of policies, which whoever may read ACLs may read.

import type { Access, Resource } from "../../../acl/access.ts";
import type { Rule } from "../../../acl/rules.ts";
import { ServiceError } from "../../../model/errors.ts";
import type { PlainRead } from "../../read.ts";
import type { View } from "../../state.ts";
import { requireRead } from "../../view.ts";
import { authorizerOf, type Bearer, bearerOf, findBearer, type SourcedRule } from "./resolve.ts";
import { isExpired, tokenByAccessor, type TokenRow } from "./rows.ts";

export interface AclQuestion {
  Resource: Resource;
  Segment: string;
  Access: Access;
}

/** What decided. */
interface By {
  Kind: "policy" | "role" | "identity" | "token" | "default";
  /** Of the policy, role or identity; of a default, what it is. */
  Name: string;
  /** Of a role: which policy or identity of it. */
  Of?: string;
  /** As a policy would say it; "" where no rule speaks of it. */
  Rule: string;
}

/** The questions with their answers and what decided each; null for another token that does not exist. */
export const explain: PlainRead<{ questions: AclQuestion[]; accessor?: string }> = {
  evaluate: ({ questions, accessor }, view) => {
    if (!view.acl.enabled) throw new ServiceError("acl-disabled", "ACL support disabled");
    const row = accessor === undefined ? ownToken(view) : tokenOfOther(view, accessor);
    if (!row) return { index: 1, body: null, topics: [] };
    const bearer = bearerOf(view, row);
    const authorizer = authorizerOf(bearer, view.acl.defaultPolicy);
    const answers = questions.map(({ Resource: resource, Segment: segment, Access: access }) => {
      const { allowed, rule } = authorizer.decide(resource, segment, access);
      return {
        Resource: resource,
        ...(segment !== "" && { Segment: segment }),
        Access: access,
        Allow: allowed,
        By: rule ? byRule(rule as SourcedRule) : byDefault(bearer, view),
      };
    });
    return { index: 1, body: JSON.stringify(answers), topics: [] };
  },
};

function ownToken(view: View): TokenRow {
  return tokenByBearer(view) ?? findBearer(view, undefined, view.nowMs);
}

function tokenByBearer(view: View): TokenRow | undefined {
  return view.bearer === "" ? undefined : tokenByAccessor(view, view.bearer);
}

/** What another one may do is for those who may read ACLs; one's own may be named, too. */
function tokenOfOther(view: View, accessor: string): TokenRow | undefined {
  if (accessor.toLowerCase() !== view.bearer) requireRead(view, "acl", "");
  const row = tokenByAccessor(view, accessor);
  return row && !isExpired(row, view.nowMs) ? row : undefined;
}

function byRule(rule: SourcedRule): By {
  const { kind, name, of } = rule.source;
  return { Kind: kind, Name: name, ...(of !== undefined && { Of: of }), Rule: ruleText(rule) };
}

function byDefault({ isManagement }: Bearer, { acl }: View): By {
  const name = isManagement ? "management" : acl.defaultPolicy;
  return { Kind: "default", Name: name, Rule: "" };
}

function ruleText({ resource, segment, isPrefix, level }: Rule): string {
  if (resource === "acl" || resource === "keyring" || resource === "operator") {
    return `${resource} = "${level}"`;
  }
  const isIntention = resource === "intention";
  const kind = `${isIntention ? "service" : resource}${isPrefix ? "_prefix" : ""}`;
  const member = isIntention ? "intentions" : "policy";
  return `${kind} ${JSON.stringify(segment)} { ${member} = "${level}" }`;
}
