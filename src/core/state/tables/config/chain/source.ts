// Where a compilation looks entries up.

import type { ConfigEntryTypes, ConfigKind } from "../../../../model/config-entry/types.ts";

export interface EntrySource {
  /** By kind and name, in any case; null when there is none. */
  find<Kind extends ConfigKind>(kind: Kind, name: string): ConfigEntryTypes[Kind] | null;
}
