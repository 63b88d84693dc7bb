// What holds for connections that no intention is about.

import type { Authorizer } from "../../authorizer.ts";

export interface ConnectionDefault {
  allowed: boolean;
  /** In Consul's words. */
  reason: string;
}

/**
 * Whether they are allowed: as the default policy of ACLs says, and without ACLs always. This is the one place that
 * decides it; an authorizer that restricts its bearer knows of no default policy yet, so it decides nothing here.
 */
export function connectionDefault(_authorizer: Authorizer): ConnectionDefault {
  return { allowed: true, reason: "ACLs disabled, access is allowed by default" };
}
