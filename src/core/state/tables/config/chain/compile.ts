// Compiles the discovery chain of a service from configuration entries: the service's router, then splitters, then
// resolvers with their redirects, subsets and failovers (Consul 1.8.7's rules). Whether entries fit each other is
// found out by compiling with them.

import { isDefaultResolver, hasSubset } from "../../../../model/config-entry/resolver.ts";
import { wildcard } from "../../../../model/config-entry/types.ts";
import type {
  ConfigEntryTypes,
  ResolverFailover,
  ServiceResolver,
  ServiceRoute,
  ServiceRouter,
  ServiceSplitter,
} from "../../../../model/config-entry/types.ts";
import { ServiceError } from "../../../../model/errors.ts";
import { limits } from "../../../../model/limits.ts";
import { customizationHash } from "./customization.ts";
import { flattenSplitters, nodeKey, refuseCircles, removeUnused } from "./graph.ts";
import type { ChainNodes } from "./graph.ts";
import { isHttpLike, protocolOf } from "./protocol.ts";
import type { EntrySource } from "./source.ts";
import { ChainTargets } from "./targets.ts";
import type { ChainNode, ChainTarget, DiscoveryChain } from "./types.ts";

export interface ChainRequest {
  service: string;
  /** For which the chain is compiled. */
  datacenter: string;
  /** Where it will be used: targets of this one are reached without a mesh gateway. */
  usedIn: string;
  trustDomain: string;
  /** "" for what the entries say; so for the two below, 0 for the last. */
  meshGateway: string;
  protocol: string;
  connectTimeoutNs: number;
}

export const defaultNamespace = "default";
const connectTimeoutNs = 5e9;

/** Throws ServiceError `invalid` when the entries do not fit each other. */
export function compileChain(request: ChainRequest, entries: EntrySource): DiscoveryChain {
  if (request.service === "") throw new ServiceError("invalid", "serviceName is required");
  return new ChainCompiler(request, entries).compile();
}

/** Compiles one chain. */
class ChainCompiler {
  readonly #request: ChainRequest;
  readonly #entries: EntrySource;
  readonly #targets: ChainTargets;
  readonly #nodes: ChainNodes = new Map();
  /** Overrides that changed something so far. */
  readonly #changed = { meshGateway: "", protocol: "", connectTimeoutNs: 0 };
  /** All services of a chain speak one protocol; "" until the first is seen. */
  #protocol = "";
  /** Whether a router or splitter was taken in. */
  #usesRouting = false;

  constructor(request: ChainRequest, entries: EntrySource) {
    this.#request = request;
    this.#entries = entries;
    this.#targets = new ChainTargets(request.trustDomain);
  }

  compile(): DiscoveryChain {
    const { service, datacenter, protocol } = this.#request;
    const start = nodeKey(this.#start());
    refuseCircles(this.#nodes, start);
    flattenSplitters(this.#nodes, service);
    removeUnused(this.#nodes, start);
    if (!isHttpLike(this.#protocol) && this.#usesRouting) {
      this.#refuse(
        `discovery chain ${quote(service)} uses a protocol ${quote(this.#protocol)} ` +
          "that does not permit advanced routing or splitting behavior",
      );
    }
    if (protocol !== "" && protocol !== this.#protocol) this.#changed.protocol = protocol;
    return {
      ServiceName: service,
      Namespace: defaultNamespace,
      Datacenter: datacenter,
      CustomizationHash: customizationHash(this.#changed),
      Protocol: protocol === "" ? this.#protocol : protocol,
      StartNode: start,
      Nodes: Object.fromEntries(this.#nodes),
      Targets: this.#targets.kept(),
    };
  }

  /** An entry that only HTTP-like protocols allow; left out when the protocol is overridden by another one. */
  #routing<Kind extends "service-router" | "service-splitter">(
    kind: Kind,
    service: string,
  ): ConfigEntryTypes[Kind] | null {
    const entry = this.#entries.find(kind, service);
    const { protocol } = this.#request;
    if (!entry || protocol === "" || isHttpLike(protocol)) return entry;
    this.#changed.protocol = protocol;
    return null;
  }

  #start(): ChainNode {
    const { service } = this.#request;
    const router = this.#routing("service-router", service);
    return router ? this.#router(router) : this.#splitterOrResolver(this.#target(service));
  }

  #router(router: ServiceRouter): ChainNode {
    const { service } = this.#request;
    this.#usesRouting = true;
    this.#meet(router.Name);
    const routes = (router.Routes ?? []).map((route) => {
      const { Service = "", ServiceSubset: subset = "", Namespace = "" } = route.Destination ?? {};
      const target = this.#target(Service || service, subset, Namespace);
      const next = subset === "" ? this.#splitterOrResolver(target) : this.#resolver(target);
      return { Definition: route, NextNode: nodeKey(next) };
    });
    const rest = this.#splitterOrResolver(this.#target(router.Name));
    routes.push({ Definition: catchAll(router.Name), NextNode: nodeKey(rest) });
    return this.#keep({
      Type: "router",
      Name: `${router.Name}.${defaultNamespace}`,
      Routes: routes,
    });
  }

  #splitterOrResolver(target: ChainTarget): ChainNode {
    return this.#splitter(target.Service) ?? this.#resolver(target);
  }

  #splitter(service: string): ChainNode | null {
    const name = `${service}.${defaultNamespace}`;
    const known = this.#nodes.get(`splitter:${name}`);
    if (known) return known;
    const splitter = this.#routing("service-splitter", service);
    if (!splitter) return null;
    // Kept before its splits are followed, so that a circle ends here.
    const node = this.#keep({ Type: "splitter", Name: name, Splits: [] });
    if (node.Type === "splitter") node.Splits.push(...this.#splits(splitter, service));
    this.#usesRouting = true;
    return node;
  }

  #splits({ Splits: splits }: ServiceSplitter, owner: string) {
    return (splits ?? []).map(({ Weight, Service, ServiceSubset: subset }) => {
      const service = Service || owner;
      const splitter = service !== owner && subset === "" ? this.#splitter(service) : null;
      const next = splitter ?? this.#resolver(this.#target(service, subset));
      return { Weight, NextNode: nodeKey(next) };
    });
  }

  /** The node at which the requests for a target end, after redirects and default subsets. */
  #resolver(wanted: ChainTarget): ChainNode {
    const { target, resolver, known } = this.#follow(wanted);
    if (known) return known;
    const node = this.#keep(this.#resolverNode(target, resolver));
    if (node.Type === "resolver") {
      const failovers = failoversOf(resolver, target.ServiceSubset)
        .map((failover) => this.#targets.rewrite(target, failover))
        .filter((other) => other !== target);
      const Targets = failovers.map((other) => this.#failoverTarget(other));
      if (Targets.length > 0) node.Resolver.Failover = { Targets };
    }
    return node;
  }

  /** Where requests that fail over to a target end; its own failovers do not count. */
  #failoverTarget(wanted: ChainTarget): string {
    const { target, resolver, known } = this.#follow(wanted);
    if (!known) this.#resolverNode(target, resolver);
    return target.ID;
  }

  /** Follows redirects and the default subset to a target that has neither, or whose node is already known. */
  #follow(wanted: ChainTarget): {
    target: ChainTarget;
    resolver: ServiceResolver | null;
    known: ChainNode | undefined;
  } {
    const seen: string[] = [];
    for (let target = wanted; ;) {
      const known = this.#nodes.get(`resolver:${target.ID}`);
      if (known) return { target, resolver: null, known };
      this.#meet(target.Service);
      const resolver = this.#entries.find("service-resolver", target.Service);
      if (seen.includes(target.ID)) {
        const circle = [...seen, target.ID].join(" -> ");
        this.#refuse(`detected circular resolver redirect: [${circle}]`);
      }
      seen.push(target.ID);
      const next = resolver ? this.#next(target, resolver) : target;
      if (next === target) return { target, resolver, known };
      target = next;
    }
  }

  #next(target: ChainTarget, resolver: ServiceResolver): ChainTarget {
    const { Redirect: redirect, DefaultSubset: subset } = resolver;
    const redirected = redirect
      ? this.#targets.rewrite(target, {
          service: redirect.Service,
          subset: redirect.ServiceSubset,
          namespace: redirect.Namespace,
          datacenter: redirect.Datacenter,
        })
      : target;
    if (redirected !== target || target.ServiceSubset !== "" || subset === "") return redirected;
    return this.#targets.rewrite(target, { subset });
  }

  /** Fills in the target and makes its node, which is not kept yet. */
  #resolverNode(target: ChainTarget, resolver: ServiceResolver | null): ChainNode {
    const { Service: service, ServiceSubset: subset } = target;
    if (subset !== "" && !(resolver && hasSubset(resolver, subset))) {
      this.#refuse(`service ${quote(service)} does not have a subset named ${quote(subset)}`);
    }
    const own = resolver?.Subsets?.[subset];
    if (own && subset !== "") target.Subset = own;
    this.#describe(target, resolver);
    this.#targets.keep(target);
    const Resolver = {
      ConnectTimeout: this.#connectTimeout(resolver),
      Default: !resolver || isDefaultResolver(resolver),
      Target: target.ID,
      Failover: null,
    };
    return { Type: "resolver", Name: target.ID, Resolver };
  }

  #connectTimeout(resolver: ServiceResolver | null): number {
    const own = resolver?.ConnectTimeout || connectTimeoutNs;
    const { connectTimeoutNs: overriding } = this.#request;
    if (overriding <= 0 || overriding === own) return own;
    this.#changed.connectTimeoutNs = overriding;
    return overriding;
  }

  /** The name that the target shows, and the gateways on the way to it. */
  #describe(target: ChainTarget, resolver: ServiceResolver | null): void {
    const defaults = this.#entries.find("service-defaults", target.Service);
    if (defaults && defaults.ExternalSNI !== "") {
      target.SNI = defaults.ExternalSNI;
      target.External = true;
      this.#refuseForExternal(target.Service, resolver);
    }
    if (target.External || target.Datacenter === this.#request.usedIn) return;
    const general = this.#entries.find("proxy-defaults", "global");
    const mode = defaults?.MeshGateway.Mode || general?.MeshGateway.Mode || "";
    const { meshGateway: overriding } = this.#request;
    target.MeshGateway = { Mode: overriding || mode };
    if (overriding !== "" && overriding !== mode) this.#changed.meshGateway = overriding;
  }

  #refuseForExternal(service: string, resolver: ServiceResolver | null): void {
    const used =
      (resolver?.Redirect && "redirects") ||
      (Object.keys(resolver?.Subsets ?? {}).length > 0 && "subsets") ||
      (Object.keys(resolver?.Failover ?? {}).length > 0 && "failover");
    if (!used) return;
    const reason = `has an external SNI set; cannot define ${used} for external services`;
    this.#refuse(`service ${quote(service)} ${reason}`);
  }

  /** Takes note of the protocol of a service in the chain. */
  #meet(service: string): void {
    const protocol = protocolOf(this.#entries, service);
    if (this.#protocol === "") this.#protocol = protocol;
    if (this.#protocol === protocol) return;
    this.#refuse(
      `discovery chain ${quote(this.#request.service)} uses inconsistent protocols; ` +
        `service ${quote(service)} has ${quote(protocol)} which is not ${quote(this.#protocol)}`,
    );
  }

  #target(service: string, subset = "", namespace = ""): ChainTarget {
    const { datacenter } = this.#request;
    return this.#targets.get({
      service,
      subset,
      namespace: namespace || defaultNamespace,
      datacenter,
    });
  }

  #keep(node: ChainNode): ChainNode {
    if (this.#nodes.size >= limits.chainNodesMax) {
      const count = `more than ${limits.chainNodesMax} nodes`;
      this.#refuse(`discovery chain ${quote(this.#request.service)} has ${count}`);
    }
    this.#nodes.set(nodeKey(node), node);
    return node;
  }

  #refuse(reason: string): never {
    throw new ServiceError("invalid", reason);
  }
}

/** What a router does with requests that none of its routes matches. */
function catchAll(service: string): ServiceRoute {
  const none = { PathExact: "", PathRegex: "", Header: null, QueryParam: null, Methods: null };
  return {
    Match: { HTTP: { ...none, PathPrefix: "/" } },
    Destination: {
      RequestTimeout: 0,
      Service: service,
      ServiceSubset: "",
      Namespace: defaultNamespace,
      PrefixRewrite: "",
      NumRetries: 0,
      RetryOnConnectFailure: false,
      RetryOnStatusCodes: null,
    },
  };
}

/** What replaces a target when it has no instances: one way, or one for each datacenter. */
function failoversOf(resolver: ServiceResolver | null, subset: string) {
  const all = resolver?.Failover ?? {};
  const key = Object.hasOwn(all, subset) ? subset : wildcard;
  const failover: ResolverFailover | undefined = Object.hasOwn(all, key) ? all[key] : undefined;
  if (!failover) return [];
  const { Service: service, ServiceSubset, Namespace: namespace, Datacenters } = failover;
  const way = { service, subset: ServiceSubset, namespace };
  const datacenters = Datacenters ?? [];
  return datacenters.length === 0
    ? [way]
    : datacenters.map((datacenter) => ({ ...way, datacenter }));
}

function quote(text: string): string {
  return JSON.stringify(text);
}
