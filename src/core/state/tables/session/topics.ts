// What those who read sessions wait for.

import type { Topic } from "../../watch.ts";

export const sessionTopics = {
  session: (id: string): Topic => `session:${id}`,
  sessionsOfNode: (node: string): Topic => `session-node:${node}`,
  sessions: "sessions",
} as const;
