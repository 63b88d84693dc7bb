// Keeps the rows of gateways in line with their entries and with the services that there are.

import type { IngressGateway, TerminatingGateway } from "../../../model/config-entry/types.ts";
import { wildcard } from "../../../model/config-entry/types.ts";
import { encode } from "../../../model/schema.ts";
import { nameKey } from "../../rows.ts";
import type { Change } from "../../state.ts";
import type { ConfigChange } from "../config/events.ts";
import {
  gatewayServiceOf,
  gatewayServicesIndex,
  gatewaysOf,
  gatewayTable,
} from "./gateway-rows.ts";
import type { GatewayKind, GatewayRow, GatewayService } from "./gateway-rows.ts";
import { gatewayServiceSchema } from "./gateway-shapes.ts";
import { allServices, serviceOf } from "./service-rows.ts";
import { catalogTopics } from "./topics.ts";

/** The servers' own service: no gateway leads there by naming every service. */
const serverService = "consul";

/** An entry of a gateway was written or removed. */
export function remapGateway(change: Change, { kind, name, before, after }: ConfigChange): void {
  if (kind !== "ingress-gateway" && kind !== "terminating-gateway") return;
  const said = after ? servicesOf(kind, after as IngressGateway & TerminatingGateway) : null;
  const saidBefore = before
    ? servicesOf(kind, before as IngressGateway & TerminatingGateway)
    : null;
  if (said && saidBefore && JSON.stringify(said) === JSON.stringify(saidBefore)) return;
  const key = nameKey(name);
  const gone = change.table(gatewayTable).removeWhere("gateway_key = ?", key);
  for (const [, service] of gone) change.touch(catalogTopics.gatewaysOf(String(service), kind));
  for (const service of said ?? []) {
    if (service.Service.Name === wildcard) coverAll(change, service);
    put(change, service);
  }
  moved(change, key);
}

/** A service was registered, which entries that name every service then lead to, whatever else they say of it. */
export function coverService(change: Change, service: string, kind: string): void {
  if (change.meta.index(gatewayServicesIndex) === 0) return;
  if (kind !== "" || service === serverService) return;
  for (const row of gatewaysOf(change, wildcard)) {
    if (put(change, { ...gatewayServiceOf(row), Service: { Name: service }, FromWildcard: true })) {
      moved(change, row.gateway_key);
    }
  }
}

/** The last instance of a service is gone: it is no longer one of every service. */
export function uncoverService(change: Change, service: string): void {
  for (const row of gatewaysOf(change, service)) {
    if (row.from_wildcard === 0) continue;
    change.table(gatewayTable).remove(row.gateway_key, row.service_key, row.port);
    change.touch(catalogTopics.gatewaysOf(row.service_key, row.kind));
    moved(change, row.gateway_key);
  }
}

function servicesOf(
  kind: GatewayKind,
  entry: IngressGateway & TerminatingGateway,
): GatewayService[] {
  const bare = {
    Gateway: { Name: entry.Name },
    GatewayKind: kind,
    ...{ Port: 0, Protocol: "", Hosts: null, CAFile: "", CertFile: "", KeyFile: "", SNI: "" },
    FromWildcard: false,
  };
  if (kind === "terminating-gateway") {
    return (entry.Services ?? []).map(({ Name, ...tls }) => ({
      ...bare,
      ...tls,
      Service: { Name },
    }));
  }
  return (entry.Listeners ?? []).flatMap(({ Port, Protocol, Services }) =>
    (Services ?? []).map(({ Name, Hosts }) => ({
      ...bare,
      ...{ Service: { Name }, Port, Protocol, Hosts },
    })),
  );
}

/** Leads a gateway to every service that it does not lead to already. */
function coverAll(change: Change, given: GatewayService): void {
  const seen = new Set<string>();
  for (const row of allServices(change)) {
    if (seen.has(row.name_key)) continue;
    const { Kind: kind = "", Service: Name } = serviceOf(row);
    if (kind !== "" || Name === serverService) continue;
    seen.add(row.name_key);
    const known = change
      .table(gatewayTable)
      .get(nameKey(given.Gateway.Name), row.name_key, given.Port);
    if (!known) put(change, { ...given, Service: { Name }, FromWildcard: true });
  }
}

/** False when the row says the same already. */
function put(change: Change, service: GatewayService): boolean {
  const table = change.table(gatewayTable);
  const key = [nameKey(service.Gateway.Name), nameKey(service.Service.Name), service.Port] as const;
  const existing = table.get(...key);
  const body = encode(gatewayServiceSchema, service);
  if (existing?.body === body) return false;
  const row: GatewayRow = {
    gateway_key: key[0],
    service_key: key[1],
    port: service.Port,
    kind: service.GatewayKind,
    from_wildcard: service.FromWildcard ? 1 : 0,
    create_index: existing?.create_index ?? change.index,
    modify_index: change.index,
    body,
  };
  table.put(row);
  change.touch(catalogTopics.gatewaysOf(row.service_key, row.kind));
  return true;
}

function moved(change: Change, gateway: string): void {
  change.meta.bump(gatewayServicesIndex, change.index);
  change.touch(catalogTopics.gateway(gateway), catalogTopics.gateways);
}
