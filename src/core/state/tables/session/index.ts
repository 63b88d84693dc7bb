// Sessions, and the delays that they leave on the locks they held. They hang on nodes and checks of the catalog,
// and what they hold are keys.

import { text } from "../../../model/schema.ts";
import { sessionDefinitionSchema } from "../../../model/schemas.ts";
import { validateSession } from "../../../model/session.ts";
import type { SessionDefinition } from "../../../model/types.ts";
import { admitAll, command, defineArea } from "../../area.ts";
import { reaction } from "../../state.ts";
import { checkLost, nodeRemoved } from "../catalog/events.ts";
import { sessionArchive } from "./archive.ts";
import { lockDelayTable } from "./lock-delay.ts";
import { sessionReads } from "./reads.ts";
import {
  createSession,
  destroySession,
  findSession,
  invalidateSessionsOfCheck,
  invalidateSessionsOfNode,
  sessionOf,
  sessionTable,
} from "./session.ts";

export const session = defineArea({
  name: "session",
  archive: sessionArchive,
  tables: [lockDelayTable, sessionTable],
  commands: {
    /** The id is drawn by whoever proposes; answers it. */
    "session.create": command<{ session: SessionDefinition }, string>({
      shape: { session: { type: sessionDefinitionSchema } },
      admit: (given, { permit }) => {
        validateSession(given.session);
        permit("session", given.session.Node, "write");
        return given;
      },
      apply: (change, { session: definition }) => createSession(change, definition),
    }),
    "session.destroy": command<{ id: string }, true>({
      shape: { id: text },
      admit: (given, { permit, state }) => {
        const row = findSession(state, given.id);
        if (row) permit("session", sessionOf(row).Node, "write");
        return given;
      },
      apply: (change, { id }) => (destroySession(change, id), true),
    }),
    /** Proposed by the leader when the session's TTL ran out. */
    "session.expire": command<{ id: string }, true>({
      shape: { id: text },
      admit: admitAll,
      apply: (change, { id }) => (destroySession(change, id), true),
    }),
  },
  reads: sessionReads,
  reactions: [
    reaction(nodeRemoved, invalidateSessionsOfNode),
    reaction(checkLost, invalidateSessionsOfCheck),
  ],
});
