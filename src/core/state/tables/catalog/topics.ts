// What those who read the catalog or health wait for. Names of nodes and services are lower case, as everywhere
// in the tables.

import type { Topic } from "../../watch.ts";

export const catalogTopics = {
  /** Any node row. */
  nodes: "nodes",
  /** Any service instance. */
  services: "services",
  /** One node's row or any of its services. */
  node: (node: string): Topic => `node:${node}`,
  /** A node or an instance with this address, which is given in its one spelling. */
  address: (addressKey: string): Topic => `address:${addressKey}`,
  /** Instances of a service and the rows of their nodes, not their checks. */
  instances: (service: string): Topic => `instances:${service}`,
  /** Everything about a service: instances, nodes, checks. */
  service: (service: string): Topic => `service:${service}`,
  /** The same two for what is reachable through Connect under a name. */
  connectInstances: (service: string): Topic => `connect-instances:${service}`,
  connect: (service: string): Topic => `connect:${service}`,
  /** What a gateway leads to, and the gateways of a kind that lead to a service. */
  gateway: (gateway: string): Topic => `gateway:${gateway}`,
  gatewaysOf: (service: string, kind: string): Topic => `gateways-of:${kind}:${service}`,
  gateways: "gateways",
  /** The last instance of any service vanished. */
  extinction: "extinction",
  checks: "checks",
  checksOfNode: (node: string): Topic => `checks-node:${node}`,
  checksOfService: (service: string): Topic => `checks-service:${service}`,
  checksInState: (status: string): Topic => `checks-state:${status}`,
} as const;
