// What happens to sessions that other areas act on.

import type { StateEvent } from "../../state.ts";

/** A session was invalidated; the detail is its id in canonical form. */
export const sessionRemoved: StateEvent<string> = { name: "session-removed" };
