// The targets of a chain: sets of instances, by service, subset, namespace and datacenter, each with the name that
// its servers show in TLS.

import type { ChainTarget } from "./types.ts";

export interface TargetParts {
  service: string;
  subset: string;
  namespace: string;
  datacenter: string;
}

export class ChainTargets {
  readonly #trustDomain: string;
  readonly #known = new Map<string, ChainTarget>();
  readonly #kept = new Set<string>();

  constructor(trustDomain: string) {
    this.#trustDomain = trustDomain;
  }

  /** The one target with these parts. */
  get(parts: TargetParts): ChainTarget {
    const { service, subset, namespace, datacenter } = parts;
    const id = [...(subset === "" ? [] : [subset]), service, namespace, datacenter].join(".");
    const known = this.#known.get(id);
    if (known) return known;
    const sni = `${id}.internal.${this.#trustDomain}`;
    const target: ChainTarget = {
      ID: id,
      Service: service,
      ServiceSubset: subset,
      Namespace: namespace,
      Datacenter: datacenter,
      MeshGateway: { Mode: "" },
      Subset: { Filter: "", OnlyPassing: false },
      External: false,
      SNI: sni,
      Name: sni,
    };
    this.#known.set(id, target);
    return target;
  }

  /** The target with some parts replaced, where they are not "". Another service does not keep the subset. */
  rewrite(target: ChainTarget, wanted: Partial<TargetParts>): ChainTarget {
    const { service = "", subset = "", namespace = "", datacenter = "" } = wanted;
    const keepsService = service === "" || service === target.Service;
    return this.get({
      service: keepsService ? target.Service : service,
      subset: subset || (keepsService ? target.ServiceSubset : ""),
      namespace: namespace || target.Namespace,
      datacenter: datacenter || target.Datacenter,
    });
  }

  /** Marks a target as one that the chain ends at. */
  keep({ ID: id }: ChainTarget): void {
    this.#kept.add(id);
  }

  /** The targets that the chain ends at. */
  kept(): Record<string, ChainTarget> {
    return Object.fromEntries([...this.#known].filter(([id]) => this.#kept.has(id)));
  }
}
