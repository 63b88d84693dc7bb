// Which tokens ended by what was applied; whoever is connected by one of them is to be cut off.

import type { Applied } from "../../src/core/state/machine.ts";

/** Their accessors. */
export function accessorsEndedBy(entries: readonly Applied[]): string[] {
  return entries.flatMap(({ command, outcome }) => {
    const ends = command?.type === "acl.token.delete" || command?.type === "acl.token.expire";
    return ends && outcome.ok ? [command.accessor] : [];
  });
}
