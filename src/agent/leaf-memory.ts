// The certificates of a host's services: kept in memory, as by Consul, within a bound.

import { LeafCertificates, leafAfter, type HeldLeaf } from "../connect/leaf-certificates.ts";
import { BoundedMap, memoryOf } from "../core/lib/bounded-map.ts";
import { limits } from "../core/model/limits.ts";
import type { Cluster } from "../ports/cluster.ts";
import type { LeafOptions, LeafReply, LeafSource } from "../ports/leaf-source.ts";

export class HostLeaves implements LeafSource {
  readonly #cluster: Cluster;
  readonly #certificates: LeafCertificates;

  constructor(cluster: Cluster, datacenter: string) {
    const held = new BoundedMap<HeldLeaf>(limits.leafCertificatesBytesMax);
    this.#cluster = cluster;
    this.#certificates = new LeafCertificates({
      cluster,
      datacenter,
      store: {
        get: (key) => held.get(key),
        put: (key, leaf) => held.set(key, leaf, sizeOf(leaf)),
      },
      nowMs: Date.now,
      random: Math.random,
    });
  }

  async leaf(service: string, options: LeafOptions): Promise<LeafReply> {
    const { dc, token } = options;
    const asked = { ...(dc !== undefined && { dc }), ...(token !== undefined && { token }) };
    const current = () => this.#certificates.current(service, asked);
    return await leafAfter({ cluster: this.#cluster, nowMs: Date.now, current }, options);
  }
}

function sizeOf({ leaf }: HeldLeaf): number {
  return memoryOf(leaf.certPem) + memoryOf(leaf.privateKeyPem) + memoryOf(leaf.serviceUri);
}
