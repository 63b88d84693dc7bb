// Who may read and write configuration entries: those about a service go with the service, the others are the
// operator's.

import { relatedServices } from "../../../model/config-entry/rules.ts";
import type { ConfigEntry, ConfigKind } from "../../../model/config-entry/types.ts";
import type { Admission } from "../../area.ts";

const operatorKinds = new Set<ConfigKind>([
  "proxy-defaults",
  "ingress-gateway",
  "terminating-gateway",
]);

/** The service that one must be allowed to read for an entry; null when everybody may. */
export function readSubject(kind: ConfigKind, name: string): string | null {
  return kind === "proxy-defaults" ? null : name;
}

/** Throws `Permission denied`. Leading requests to another service takes no more than seeing it. */
export function permitWrite(given: ConfigEntry, { permit }: Admission): void {
  const { kind, entry } = given;
  if (operatorKinds.has(kind)) {
    permit("operator", "", "write");
    return;
  }
  permit("service", entry.Name, "write");
  for (const service of relatedServices(given)) {
    if (service !== entry.Name) permit("service", service, "read");
  }
}
