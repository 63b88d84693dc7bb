// What those who read prepared queries wait for.

import type { Topic } from "../../watch.ts";

export const queryTopics = {
  /** One query; its id is canonical. */
  one: (id: string): Topic => `query:${id}`,
  /** Any of them. */
  all: "queries",
} as const;
