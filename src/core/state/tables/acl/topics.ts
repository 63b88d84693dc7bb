// What reads of ACL objects wait for, and what waits for a token's permissions.

import { pathTopics, type Topic } from "../../watch.ts";

const tokens = pathTopics("acl-token");

/** Whether something that tokens are granted changed: what waits with one of them must not wait for more. */
export function isPermissionTopic(topic: Topic): boolean {
  return topic.startsWith("acl-token=") || topic === aclTopics.grants;
}

export const aclTopics = {
  /** One token, by its accessor. */
  token: tokens.one,
  allTokens: tokens.below(""),
  /** What any policy, role or their links grant. */
  grants: "acl-grants",
  policies: "acl-policies",
  roles: "acl-roles",
  authMethods: "acl-auth-methods",
  bindingRules: "acl-binding-rules",
} as const;
