// Certificates of services at the Worker's URL: an EdgeAgent makes and keeps them, the Worker waits.

import { type CurrentLeaf, leafAfter } from "../../src/connect/leaf-certificates.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import type { LeafOptions, LeafReply, LeafSource } from "../../src/ports/leaf-source.ts";
import { edgeAgentOf } from "../platform/topology.ts";
import { AgentShards } from "./agent-shards.ts";
import type { ClusterAccess } from "../datacenters/server-calls.ts";

export class EdgeLeaves implements LeafSource {
  readonly #access: ClusterAccess;
  readonly #cluster: Cluster;
  readonly #shards: AgentShards;

  constructor(access: ClusterAccess, cluster: Cluster) {
    this.#access = access;
    this.#cluster = cluster;
    this.#shards = new AgentShards(access);
  }

  async leaf(service: string, options: LeafOptions): Promise<LeafReply> {
    const { dc, token } = options;
    const asked: Record<string, JsonValue> = {
      ...(dc !== undefined && { dc }),
      ...(token !== undefined && { token }),
    };
    const shard = edgeAgentOf(service, this.#shards.count);
    const current = () => this.#shards.call<CurrentLeaf>(shard, "leaf", service, asked);
    const { nowMs } = this.#access;
    return await leafAfter({ cluster: this.#cluster, nowMs, current }, options);
  }
}
