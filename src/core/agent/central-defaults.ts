// What configuration entries say of a proxy or a gateway that its own registration leaves open
// (`enable_central_service_config`). The registration wins, except where it says nothing: as in
// Consul that includes 0, "", false and an empty list.

import type { JsonObject, JsonValue } from "../model/json.ts";
import type { Expose, NodeServiceDefinition, Upstream } from "../model/types.ts";

/** What entries say for one service, as a read of the state answers it. */
export interface CentralDefaults {
  ProxyConfig: JsonObject | null;
  /** Protocols of upstreams by name; absent where no entry names one. */
  UpstreamProtocols: Record<string, string>;
  MeshGateway: { Mode: string };
  Expose: Expose;
}

/** What {@link CentralDefaults} are asked for. */
export interface DefaultsSubject {
  service: string;
  upstreams: string[];
}

const gatewayKinds = new Set(["mesh-gateway", "ingress-gateway", "terminating-gateway"]);

/** Whose entries a service follows; null for one that follows none. */
export function defaultsSubject(service: NodeServiceDefinition): DefaultsSubject | null {
  const { Kind: kind, Service: name, Proxy: proxy } = service;
  if (gatewayKinds.has(kind)) return { service: name, upstreams: [] };
  // A proxy that names no instance beside it is no sidecar, and left alone.
  if (kind !== "connect-proxy" || proxy.DestinationServiceID === "") return null;
  const upstreams = (proxy.Upstreams ?? []).filter(isService).map((each) => each.DestinationName);
  return { service: proxy.DestinationServiceName, upstreams: [...new Set(upstreams)].toSorted() };
}

/** The service with what the entries say filled in. */
export function withDefaults(
  service: NodeServiceDefinition,
  defaults: CentralDefaults,
): NodeServiceDefinition {
  const { Proxy: own } = service;
  const Mode = own.MeshGateway.Mode || defaults.MeshGateway.Mode;
  const upstreams = own.Upstreams?.map((upstream) =>
    isService(upstream) ? upstreamWith(upstream, defaults.UpstreamProtocols, Mode) : upstream,
  );
  return {
    ...service,
    Proxy: {
      ...own,
      Config: merged(own.Config, defaults.ProxyConfig),
      Upstreams: upstreams ?? null,
      MeshGateway: { Mode },
      Expose: {
        Checks: own.Expose.Checks || defaults.Expose.Checks,
        Paths: own.Expose.Paths?.length ? own.Expose.Paths : defaults.Expose.Paths,
      },
    },
  };
}

function isService({ DestinationType: type }: Upstream): boolean {
  return type === "" || type === "service";
}

function upstreamWith(
  upstream: Upstream,
  protocols: Record<string, string>,
  mode: string,
): Upstream {
  const { DestinationName: name, MeshGateway: gateway } = upstream;
  const protocol = Object.hasOwn(protocols, name) ? protocols[name] : undefined;
  return {
    ...upstream,
    Config: protocol === undefined ? upstream.Config : merged(upstream.Config, { protocol }),
    MeshGateway: { Mode: gateway.Mode || mode },
  };
}

function merged(own: JsonObject | null, defaults: JsonObject | null): JsonObject | null {
  if (!own || !defaults) return own ?? defaults;
  const names = new Set([...Object.keys(own), ...Object.keys(defaults)]);
  const members = [...names].map((name): [string, JsonValue] => {
    const ours = Object.hasOwn(own, name) ? (own[name] ?? null) : null;
    const theirs = Object.hasOwn(defaults, name) ? (defaults[name] ?? null) : null;
    if (isObject(ours) && isObject(theirs)) return [name, merged(ours, theirs)];
    return [name, isEmpty(ours) && theirs !== null ? theirs : ours];
  });
  return Object.fromEntries(members);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: JsonValue): boolean {
  if (value === null || value === 0 || value === "" || value === false) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && isBare(value);
}

function isBare(value: JsonObject): boolean {
  return Object.keys(value).length === 0;
}
