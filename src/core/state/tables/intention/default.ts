// What holds for connections that no intention is about.

import type { Authorizer } from "../../authorizer.ts";

/**
 * Whether they are allowed: as the default policy of ACLs says, and without ACLs always. This is the one place that
 * decides it; an authorizer that restricts its bearer knows of no default yet, so it decides nothing here.
 */
export function allowsConnectionsByDefault(_authorizer: Authorizer): boolean {
  return true;
}
