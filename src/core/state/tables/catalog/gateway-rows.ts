// Which gateways lead to which services: one row for each gateway, service and port. Entries of gateways say so, and
// for those that name every service the catalog does, as services come and go.

import type { SqlRow } from "../../../lib/sql.ts";
import { wildcard } from "../../../model/config-entry/types.ts";
import { decodeBody } from "../../../model/decode.ts";
import type { TableIndex } from "../../meta.ts";
import { nameKey, withIndexes } from "../../rows.ts";
import type { State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { gatewayServiceSchema } from "./gateway-shapes.ts";

export const gatewayServicesIndex: TableIndex = { name: "gateway-services" };

export type GatewayKind = "ingress-gateway" | "terminating-gateway";

export interface GatewayService {
  Gateway: { Name: string };
  /** `*` for the row that stands for whatever services there will be. */
  Service: { Name: string };
  GatewayKind: GatewayKind;
  /** Of the listener; 0 at terminating gateways. */
  Port: number;
  Protocol: string;
  Hosts: string[] | null;
  CAFile: string;
  CertFile: string;
  KeyFile: string;
  SNI: string;
  FromWildcard: boolean;
}

export interface GatewayRow extends SqlRow {
  gateway_key: string;
  service_key: string;
  port: number;
  kind: string;
  /** 1: the entry names every service, not this one. */
  from_wildcard: number;
  create_index: number;
  modify_index: number;
  /** JSON of {@link GatewayService}. */
  body: string;
}

export const gatewayTable: TableDefinition<GatewayRow> = {
  name: "gateway_service",
  columns: {
    gateway_key: "TEXT NOT NULL",
    service_key: "TEXT NOT NULL",
    port: "INTEGER NOT NULL",
    kind: "TEXT NOT NULL",
    from_wildcard: "INTEGER NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["gateway_key", "service_key", "port"],
  indexes: { gateway_service_service: { on: "ON gateway_service (service_key)" } },
};

/** What a gateway leads to, in order, without the row for services to come. */
export function servicesOfGateway(state: State, gateway: string): GatewayRow[] {
  return state
    .table(gatewayTable)
    .select(
      "WHERE gateway_key = ? AND service_key <> ? ORDER BY service_key, port",
      nameKey(gateway),
      wildcard,
    );
}

/** Gateways of a kind that lead to a service, or with `*` to whatever services there will be. */
export function gatewaysOf(state: State, service: string, kind?: GatewayKind): GatewayRow[] {
  return state
    .table(gatewayTable)
    .select("WHERE service_key = ? ORDER BY gateway_key, port", nameKey(service))
    .filter((row) => kind === undefined || row.kind === kind);
}

export function gatewayServiceOf({ body }: GatewayRow): GatewayService {
  return decodeBody(gatewayServiceSchema, body, "ignore") as GatewayService;
}

export function encodeGatewayRow(row: GatewayRow): string {
  return withIndexes(row.body, row);
}
