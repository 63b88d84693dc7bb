// Prepared queries: named questions for healthy instances of a service, that clients and DNS ask by name. They may
// hang on a session, and find their answers in the catalog.

import { ServiceError } from "../../../model/errors.ts";
import { preparedQuerySchema } from "../../../model/prepared-query.ts";
import type { PreparedQuery } from "../../../model/prepared-query.ts";
import { text } from "../../../model/schema.ts";
import { command, defineArea } from "../../area.ts";
import type { Change } from "../../state.ts";
import { reaction } from "../../state.ts";
import { sessionRemoved } from "../session/events.ts";
import { queryArchive } from "./archive.ts";
import {
  checkSurroundings,
  existingQuery,
  judgeQuery,
  permitExisting,
  permitQuery,
} from "./definitions.ts";
import {
  findQuery,
  putQuery,
  queryKey,
  queryTable,
  removeQueriesOfSession,
  removeQuery,
} from "./queries.ts";
import { queryReads } from "./reads.ts";

export interface QueryWrite {
  id: string;
  query: PreparedQuery;
}

const queryWrite = { id: text, query: { type: preparedQuerySchema } };

export const query = defineArea({
  name: "query",
  archive: queryArchive,
  tables: [queryTable],
  commands: {
    /** The id is drawn by whoever proposes; answers it. */
    "query.create": command<QueryWrite, string>({
      shape: queryWrite,
      admit: ({ id, query: given }, admission) => {
        if (given.ID !== "") {
          throw new ServiceError("invalid", "ID must be empty when creating a new prepared query");
        }
        permitQuery(admission, given);
        requireUnused(findQuery(admission.state, id) === undefined);
        judgeQuery(admission.state, { ...given, ID: id });
        return { id, query: given };
      },
      apply: (change, { id, query: given }) => {
        requireUnused(findQuery(change, id) === undefined);
        keepQuery(change, { ...given, ID: id });
        return id;
      },
    }),
    "query.update": command<QueryWrite, true>({
      shape: queryWrite,
      admit: ({ id, query: given }, admission) => {
        permitQuery(admission, given);
        permitExisting(admission, id);
        judgeQuery(admission.state, { ...given, ID: id });
        return { id, query: given };
      },
      apply: (change, { id, query: given }) => {
        existingQuery(change, id);
        keepQuery(change, { ...given, ID: id });
        return true;
      },
    }),
    "query.delete": command<{ id: string }, true>({
      shape: { id: text },
      admit: ({ id }, admission) => {
        permitExisting(admission, id);
        return { id };
      },
      apply: (change, { id }) => (removeQuery(change, queryKey(id)), true),
    }),
  },
  reads: queryReads,
  reactions: [reaction(sessionRemoved, removeQueriesOfSession)],
});

function keepQuery(change: Change, query: PreparedQuery): void {
  checkSurroundings(change, query);
  putQuery(change, query);
}

/** An id is random: one that exists was not drawn. */
function requireUnused(isUnused: boolean): void {
  if (!isUnused) throw new ServiceError("invalid", "the id of a new prepared query is in use");
}
