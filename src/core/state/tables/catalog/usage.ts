// How much there is in the catalog, for operators. Counted when it is asked for.

import type { SqlValue } from "../../../lib/sql.ts";
import { encodeJson } from "../../../model/json.ts";
import type { PlainRead } from "../../read.ts";
import type { View } from "../../state.ts";
import { requireRead } from "../../view.ts";
import * as indexes from "./indexes.ts";
import { countNodes } from "./node-rows.ts";
import { type ServiceRow, serviceOf, serviceTable } from "./service-rows.ts";

/** Kinds of services that only carry others' traffic; each is counted by itself. */
const kinds = ["connect-proxy", "ingress-gateway", "mesh-gateway", "terminating-gateway"] as const;
/** Service that every server registers. */
const serverService = "consul";
const native = "connect-native";

/** Nobody waits for it. */
export const usage: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    requireRead(view, "operator", "");
    const connect = countConnect(view);
    const instances = count(view, "count(*)");
    const helpers = kinds.reduce((sum, kind) => sum + (connect[kind] ?? 0), 0);
    const servers = count(view, "count(*)", "WHERE name_key = ?", serverService);
    return {
      index: view.meta.maxIndex(indexes.nodes, indexes.services),
      body: encodeJson({
        [view.datacenter]: {
          Services: count(view, "count(DISTINCT name_key)"),
          ServiceInstances: instances,
          ConnectServiceInstances: connect,
          BillableServiceInstances: instances - helpers - servers,
          Nodes: countNodes(view),
        },
      }),
      topics: [],
    };
  },
};

function countConnect(view: View): Record<string, number> {
  const counts: Record<string, number> = { [native]: 0 };
  for (const kind of kinds) counts[kind] = 0;
  // A gateway has no name under which Connect finds it, so its kind is looked for in its text.
  const rows: readonly ServiceRow[] = view
    .table(serviceTable)
    .select(
      "WHERE connect_key IS NOT NULL OR instr(body, ?) > 0 " +
        "ORDER BY name_key, node_key, service_key",
      '-gateway"',
    );
  for (const row of rows) {
    const { Kind: kind = "", Connect: connect } = serviceOf(row);
    const counted = connect?.Native ? native : kind;
    if (counts[counted] !== undefined) counts[counted] += 1;
  }
  return counts;
}

function count({ sql }: View, what: string, where = "", ...values: SqlValue[]): number {
  const [row] = sql.exec<{ count: number }>(
    `SELECT ${what} AS count FROM ${serviceTable.name} ${where} ORDER BY 1`,
    ...values,
  );
  return row?.count ?? 0;
}
