// What happens to configuration entries that others act on.

import type { ConfigEntryTypes, ConfigKind } from "../../../model/config-entry/types.ts";
import type { StateEvent } from "../../state.ts";

export interface ConfigChange {
  kind: ConfigKind;
  name: string;
  /** Null when it is new. */
  before: ConfigEntryTypes[ConfigKind] | null;
  /** Null when it is gone. */
  after: ConfigEntryTypes[ConfigKind] | null;
}

export const configChanged: StateEvent<ConfigChange> = { name: "config-changed" };
