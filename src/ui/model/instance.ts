// An instance as pages see it: what health endpoints answer, with its sidecar found and its state decided.

import type { Body } from "../../client/index.ts";
import { instanceState } from "../../core/model/instance-state.ts";
import type { InstanceState } from "../../core/model/instance-state.ts";

export type HealthRow = Body<"/v1/health/service/{service}", "GET">[number];
export type Check = NonNullable<HealthRow["Checks"]>[number];

export interface Instance {
  /** Unique in a datacenter: service ids are so on their node only. */
  key: string;
  id: string;
  node: string;
  /** Where clients connect: the service's own address, or its node's. */
  address: string;
  port: number;
  tags: readonly string[];
  meta: Readonly<Record<string, string>>;
  weights: { passing: number; warning: number };
  state: InstanceState;
  /** All that decide, with the node's and the sidecar's; worst first. */
  checks: readonly Decider[];
  row: HealthRow;
}

export interface Decider {
  check: Check;
  /** Whose check it is. */
  of: "node" | "service" | "sidecar";
}

/** `sidecars`: proxies of the service, as `health/connect` answers. */
export function instancesOf(
  rows: readonly HealthRow[],
  sidecars: readonly HealthRow[],
): Instance[] {
  const proxies = new Map(sidecars.map((row) => [proxiedKey(row), row]));
  return rows.map((row) => instanceOf(row, proxies.get(keyOf(row))));
}

export function keyOf({ Node, Service }: HealthRow): string {
  return JSON.stringify([Node.Node, Service.ID]);
}

function proxiedKey({ Node, Service }: HealthRow): string {
  return JSON.stringify([Node.Node, Service.Proxy?.DestinationServiceID ?? ""]);
}

function instanceOf(row: HealthRow, sidecar: HealthRow | undefined): Instance {
  const { Node: node, Service: service } = row;
  const own = (row.Checks ?? []).map((check): Decider => {
    return { check, of: check.ServiceID === "" ? "node" : "service" };
  });
  const proxied = (sidecar?.Checks ?? [])
    .filter(({ ServiceID }) => ServiceID !== "")
    .map((check): Decider => ({ check, of: "sidecar" }));
  const checks = [...own, ...proxied].toSorted(
    (a, b) => rank(a) - rank(b) || a.check.Name.localeCompare(b.check.Name),
  );
  return {
    key: keyOf(row),
    id: service.ID,
    node: node.Node,
    address: service.Address === "" ? node.Address : service.Address,
    port: service.Port,
    tags: service.Tags ?? [],
    meta: service.Meta ?? {},
    weights: { passing: service.Weights?.Passing ?? 1, warning: service.Weights?.Warning ?? 1 },
    state: instanceState(checks.map(({ check }) => check)),
    checks,
    row,
  };
}

const ranks: Readonly<Record<InstanceState, number>> = {
  maintenance: 0,
  critical: 1,
  warning: 2,
  passing: 3,
};

function rank({ check }: Decider): number {
  return ranks[instanceState([check])];
}

export function addressOf({ address, port }: Pick<Instance, "address" | "port">): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return port === 0 ? host : `${host}:${port}`;
}
