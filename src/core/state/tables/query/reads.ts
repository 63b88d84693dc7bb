// The reads of `/v1/query`.

import { ServiceError } from "../../../model/errors.ts";
import { decodeBody, DecodeError } from "../../../model/decode.ts";
import { encode } from "../../../model/schema.ts";
import {
  hiddenToken,
  permissionName,
  preparedQuerySchema,
  queryBodySchema,
} from "../../../model/prepared-query.ts";
import type { PreparedQuery } from "../../../model/prepared-query.ts";
import type { Evaluated, PlainRead } from "../../read.ts";
import { list, nameKey } from "../../rows.ts";
import type { View } from "../../state.ts";
import { requireRead } from "../../view.ts";
import * as catalogIndexes from "../catalog/indexes.ts";
import { serviceIndex } from "../catalog/service-index.ts";
import { coordinatesIndex } from "../distance/coordinates.ts";
import { executeQuery, executionTopics } from "./execute.ts";
import type { ExecuteArguments } from "./execute.ts";
import { allQueries, encodeQuery, findQuery, queriesIndex, queryKey, queryOf } from "./queries.ts";
import type { QueryRow } from "./queries.ts";
import { queryNotFound, resolveQuery } from "./resolve.ts";
import { queryTopics } from "./topics.ts";

const get: PlainRead<{ id: string }> = {
  evaluate: ({ id }, view) => {
    const row = findQuery(view, id);
    if (!row) throw queryNotFound();
    const query = queryOf(row);
    const name = permissionName(query);
    // Whoever knows the id of one without a name may see it.
    if (name !== null && !mayManage(view)) requireRead(view, "query", name);
    const body = list([encodeQuery(shown(view, query), row)]);
    const topics = [queryTopics.one(queryKey(id))];
    return { index: view.meta.index(queriesIndex), body, topics };
  },
};

const all: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    const visible = allQueries(view).flatMap((row) => {
      const query = queryOf(row);
      return maySee(view, query) ? [encodeQuery(shown(view, query), row)] : [];
    });
    return {
      index: view.meta.index(queriesIndex),
      body: list(visible),
      topics: [queryTopics.all],
    };
  },
};

export interface ExecuteForArguments extends Pick<ExecuteArguments, "seed" | "limit" | "connect"> {
  /** JSON text of the whole query. */
  query: string;
}

/**
 * Instances, as `{Service, Nodes, DNS, Datacenter, Failovers}`. The index is for following the answer: Consul's API
 * shows none.
 */
const execute: PlainRead<ExecuteArguments> = {
  evaluate: (args, view) => {
    const { query } = resolveQuery(view, args.query);
    const { meta } = view;
    const key = nameKey(query.Service.Service);
    const { nodes, services, checks } = catalogIndexes;
    const index = Math.max(
      meta.maxIndex(queriesIndex, coordinatesIndex, services, checks),
      serviceIndex(view, key, [nodes, services, checks]),
    );
    const topics = [queryTopics.all, ...executionTopics(view, query, args)];
    const { body, isEmpty } = executeQuery(view, query, args);
    return { index, body, topics, ...elsewhere(query, isEmpty) };
  },
};

function elsewhere(query: PreparedQuery, isDue: boolean): Pick<Evaluated, "elsewhere"> {
  const { Failover: failover } = query.Service;
  if (failover.NearestN === 0 && (failover.Datacenters ?? []).length === 0) return {};
  return { elsewhere: { failover, isDue, query: encode(preparedQuerySchema, query) } };
}

function decodedQuery(text: unknown): PreparedQuery {
  try {
    return decodeBody(queryBodySchema, String(text), "ignore") as PreparedQuery;
  } catch (failure) {
    if (!(failure instanceof DecodeError)) throw failure;
    throw new ServiceError("malformed", failure.message);
  }
}

/** Executes a query of another datacenter, which found nothing there. What is near there is of no matter here. */
const executeFor: PlainRead<ExecuteForArguments> = {
  evaluate: ({ query: text, ...given }, view) => {
    const query = decodedQuery(text);
    const args = { ...given, query: "", agent: "", ip: "", near: "" };
    return { index: 1, body: executeQuery(view, query, args).body, topics: [] };
  },
};

/** The query that would be executed, as `{Query}`. */
const explain: PlainRead<{ query: string }> = {
  evaluate: ({ query: idOrName }, view) => {
    const { query, row } = resolveQuery(view, idOrName);
    if (!maySee(view, query)) throw new ServiceError("permission-denied", "Permission denied");
    return {
      index: view.meta.index(queriesIndex),
      body: explanation(view, query, row),
      topics: [queryTopics.all],
    };
  },
};

function explanation(view: View, query: PreparedQuery, row: QueryRow): string {
  return `{"Query":${encodeQuery(shown(view, query), row)}}`;
}

export const queryReads = {
  "query.get": get,
  "query.list": all,
  "query.execute": execute,
  "query.execute-for": executeFor,
  "query.explain": explain,
};

/** Whether the bearer manages ACLs, and so sees everything. */
function mayManage({ authorizer }: View): boolean {
  return authorizer.unrestricted || authorizer.allows("acl", "", "write");
}

/** In a list; one without a name is only for whoever knows its id. */
function maySee(view: View, query: PreparedQuery): boolean {
  if (mayManage(view)) return true;
  const name = permissionName(query);
  return name !== null && view.authorizer.allows("query", name, "read");
}

/** Without its token for whoever may not see it. */
function shown(view: View, query: PreparedQuery): PreparedQuery {
  if (query.Token === "" || mayManage(view)) return query;
  return { ...query, Token: hiddenToken };
}
