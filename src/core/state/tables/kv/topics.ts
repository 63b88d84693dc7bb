// What those who read the key-value store wait for.

import { pathTopics } from "../../watch.ts";

const keys = pathTopics("kv");

export const kvTopics = {
  /** One key: set, deleted or created. */
  key: keys.one,
  /** Waits for any key under a prefix; "" is the whole store. */
  prefix: keys.below,
  /** Touched when everything under a prefix was deleted. */
  tree: keys.tree,
} as const;
