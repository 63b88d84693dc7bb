// Which query a text means: by id, then by name, then the template with the longest name that it starts with
// (Consul semantics §10).

import { ServiceError } from "../../../model/errors.ts";
import type { PreparedQuery } from "../../../model/prepared-query.ts";
import { uuidProblem } from "../../../model/uuid.ts";
import type { State } from "../../state.ts";
import { findQuery, findQueryByName, findTemplateFor, queryOf } from "./queries.ts";
import type { QueryRow } from "./queries.ts";
import { renderTemplate } from "./template.ts";

/** The query as it is to be executed, and its row. Throws ServiceError `not-found`. */
export function resolveQuery(
  state: State,
  idOrName: string,
): { query: PreparedQuery; row: QueryRow } {
  if (idOrName === "") throw new ServiceError("invalid", "Missing Query ID");
  const byId = isUuid(idOrName) ? findQuery(state, idOrName) : undefined;
  if (byId?.is_template === 1) {
    throw new ServiceError(
      "invalid",
      "prepared query templates can only be resolved up by name, not by ID",
    );
  }
  const row = byId ?? findQueryByName(state, idOrName) ?? findTemplateFor(state, idOrName);
  if (!row) throw queryNotFound();
  const query = queryOf(row);
  return { row, query: row.is_template === 1 ? renderTemplate(query, idOrName) : query };
}

export function queryNotFound(): ServiceError {
  return new ServiceError("not-found", "Query not found");
}

export function isUuid(text: string): boolean {
  return uuidProblem(text) === null;
}
