// What decides whether a query may be kept beside what there is. Judged before the log, in Consul's order, and what
// depends on order once more while it is applied.

import { ServiceError } from "../../../model/errors.ts";
import {
  isTemplate,
  permissionName,
  validatePreparedQuery,
} from "../../../model/prepared-query.ts";
import type { PreparedQuery } from "../../../model/prepared-query.ts";
import { UuidError, uuidKey } from "../../../model/uuid.ts";
import type { Admission } from "../../area.ts";
import type { State } from "../../state.ts";
import { sessionTable } from "../session/session.ts";
import { findQuery, findQueryByName, queryOf } from "./queries.ts";
import type { QueryRow } from "./queries.ts";
import { isUuid } from "./resolve.ts";
import { checkTemplate } from "./template.ts";

/** Requires permission to write a query as it is, or shall be. */
export function permitQuery({ permit }: Admission, query: PreparedQuery): void {
  const name = permissionName(query);
  if (name !== null) permit("query", name, "write");
}

/** The query that is to be changed. Throws ServiceError. */
export function existingQuery(state: State, id: string): QueryRow {
  const row = lookUp(state, id);
  if (row) return row;
  throw new ServiceError("invalid", `Cannot modify non-existent prepared query: '${id}'`);
}

function lookUp(state: State, id: string): QueryRow | undefined {
  try {
    return findQuery(state, id);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new ServiceError("invalid", `Prepared Query lookup failed: ${error.message}`);
  }
}

/** Requires permission to write a query that exists. */
export function permitExisting(admission: Admission, id: string): void {
  permitQuery(admission, queryOf(existingQuery(admission.state, id)));
}

/** Everything about a query with its id, in Consul's order. Throws ServiceError. */
export function judgeQuery(state: State, query: PreparedQuery): void {
  validatePreparedQuery(query);
  checkSurroundings(state, query);
  if (isTemplate(query)) checkTemplate(query);
}

/** What other commands may have changed since: names, ids, sessions. Throws ServiceError. */
export function checkSurroundings(state: State, query: PreparedQuery): void {
  const { Name: name } = query;
  const isFindable = name !== "" || isTemplate(query);
  const other = isFindable ? findQueryByName(state, name) : undefined;
  if (other && other.id !== uuidKey(query.ID)) {
    throw new ServiceError(
      "invalid",
      name === ""
        ? "a query template with an empty name already exists"
        : `name '${name}' aliases an existing query name`,
    );
  }
  if (isUuid(name) && findQuery(state, name)) {
    throw new ServiceError("invalid", `name '${name}' aliases an existing query ID`);
  }
  if (query.Session !== "") checkSession(state, query.Session);
}

function checkSession(state: State, session: string): void {
  try {
    if (state.table(sessionTable).get(uuidKey(session))) return;
  } catch (error) {
    if (!(error instanceof UuidError)) throw error;
    throw new ServiceError("invalid", `invalid session: index error: ${error.message}`);
  }
  throw new ServiceError("invalid", `invalid session ${JSON.stringify(session)}`);
}
