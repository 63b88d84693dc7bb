// What happens in the catalog that other areas act on.

import type { StateEvent } from "../../state.ts";

/** A node was removed; the detail is its `node_key`. */
export const nodeRemoved: StateEvent<string> = { name: "node-removed" };

/** A check was removed or turned critical. Names may be in any case. */
export const checkLost: StateEvent<{ node: string; check: string }> = { name: "check-lost" };
