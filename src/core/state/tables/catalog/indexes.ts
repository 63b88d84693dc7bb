// Indexes of the catalog that clients see.

import type { TableIndex } from "../../meta.ts";

export const nodes: TableIndex = { name: "nodes" };
export const services: TableIndex = { name: "services" };
export const checks: TableIndex = { name: "checks" };
/** Of the last time that a service lost its last instance. */
export const extinction: TableIndex = { name: "extinction" };

/** What stands in for a service without an index of its own, in answers about instances and in those about health. */
export const instances: readonly TableIndex[] = [nodes, services];
export const health: readonly TableIndex[] = [nodes, services, checks];
