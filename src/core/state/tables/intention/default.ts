// What holds for connections that no intention is about.

import type { State } from "../../state.ts";

export interface ConnectionDefault {
  allowed: boolean;
  /** In Consul's words. */
  reason: string;
}

/** As the default policy of ACLs says; without ACLs they are allowed. */
export function connectionDefault({ acl }: Pick<State, "acl">): ConnectionDefault {
  if (!acl.enabled) {
    return { allowed: true, reason: "ACLs disabled, access is allowed by default" };
  }
  return {
    allowed: acl.defaultPolicy === "allow",
    reason: "Default behavior configured by ACLs",
  };
}
