// Who hears that something has, or no longer has, an address.

import type { Change } from "../../state.ts";
import { catalogTopics } from "./topics.ts";

interface Addressed {
  address_key: string | null;
}

/** Wakes those who ask whose the address is that a row had, has got, or keeps. */
export function touchAddress(
  change: Change,
  before: Addressed | undefined,
  after: Addressed | undefined,
): void {
  const keys = new Set([before?.address_key ?? null, after?.address_key ?? null]);
  keys.delete(null);
  for (const key of keys) change.touch(catalogTopics.address(key ?? ""));
}
