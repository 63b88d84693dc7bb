// The reads of `/v1/session`.

import type { Evaluated, PlainRead } from "../../read.ts";
import { list, nameKey } from "../../rows.ts";
import type { View } from "../../state.ts";
import type { Topic } from "../../watch.ts";
import {
  allSessions,
  encodeSessionRow,
  findSession,
  sessionKey,
  sessionOf,
  sessionsIndex,
  sessionsOfNode,
} from "./session.ts";
import type { SessionRow } from "./session.ts";
import { sessionTopics } from "./topics.ts";

const info: PlainRead<{ id: string }> = {
  evaluate: ({ id }, view) => {
    const row = findSession(view, id);
    return answer(view, row ? [row] : [], sessionTopics.session(sessionKey(id)));
  },
};

const all: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => answer(view, allSessions(view), sessionTopics.sessions),
};

const ofNode: PlainRead<{ node: string }> = {
  evaluate: ({ node }, view) =>
    answer(view, sessionsOfNode(view, node), sessionTopics.sessionsOfNode(nameKey(node))),
};

export const sessionReads = { "session.info": info, "session.list": all, "session.node": ofNode };

function answer(view: View, rows: readonly SessionRow[], topic: Topic): Evaluated {
  const { authorizer } = view;
  const visible = rows.filter(
    (row) => authorizer.unrestricted || authorizer.allows("session", sessionOf(row).Node, "read"),
  );
  const body = list(visible.map(encodeSessionRow));
  return { index: view.meta.index(sessionsIndex), body, topics: [topic] };
}
