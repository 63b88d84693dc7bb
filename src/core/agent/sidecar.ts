// Fills in the sidecar proxy that a service asked for: id `<id>-sidecar-proxy`, the first free port
// of a range, tags, metadata and address of the service, and two checks (the proxy listens; the
// service is well).

import { ServiceError } from "../model/errors.ts";
import type { NodeServiceDefinition } from "../model/types.ts";
import { emptyCheck, type CheckDefinition, type ServiceDefinition } from "./definitions.ts";

export interface PortRange {
  min: number;
  max: number;
}

const sidecarSuffix = "-sidecar-proxy";
const listeningIntervalMs = 10_000;

export function sidecarId(serviceId: string): string {
  return serviceId + sidecarSuffix;
}

/**
 * The sidecar's own definition, or null when the service wants none. `services` are those
 * registered now; the same sidecar keeps its port. Throws `bad-request` when no port is free.
 */
export function resolveSidecar(
  parent: ServiceDefinition,
  services: Iterable<NodeServiceDefinition>,
  range: PortRange,
): ServiceDefinition | null {
  if (parent.sidecar === null) return null;
  const { service } = parent;
  const wanted = parent.sidecar.service;
  const id = sidecarId(service.ID);
  const tags = wanted.Tags ?? [];
  const meta = wanted.Meta ?? {};
  const port = wanted.Port > 0 ? wanted.Port : freePort(id, services, range);
  const filled: NodeServiceDefinition = {
    ...wanted,
    Kind: wanted.Kind === "" ? "connect-proxy" : wanted.Kind,
    ID: id,
    Service: wanted.Service === "" ? service.Service + sidecarSuffix : wanted.Service,
    Tags: tags.length > 0 ? tags : service.Tags,
    Meta: Object.keys(meta).length > 0 ? meta : service.Meta,
    Address: wanted.Address === "" ? service.Address : wanted.Address,
    Port: port,
    Proxy: filledProxy(wanted, service),
  };
  return {
    service: filled,
    checks:
      parent.sidecar.checks.length > 0 ? parent.sidecar.checks : defaultChecks(service.ID, port),
    token: parent.sidecar.token === "" ? parent.token : parent.sidecar.token,
    sidecar: null,
  };
}

function filledProxy(
  wanted: NodeServiceDefinition,
  service: NodeServiceDefinition,
): NodeServiceDefinition["Proxy"] {
  const proxy = { ...wanted.Proxy };
  if (proxy.DestinationServiceName === "") proxy.DestinationServiceName = service.Service;
  if (proxy.DestinationServiceID === "") proxy.DestinationServiceID = service.ID;
  if (proxy.LocalServiceAddress === "") proxy.LocalServiceAddress = "127.0.0.1";
  if (proxy.LocalServicePort <= 0) proxy.LocalServicePort = service.Port;
  return proxy;
}

function freePort(
  id: string,
  services: Iterable<NodeServiceDefinition>,
  { min, max }: PortRange,
): number {
  if (min <= 0 || max <= 0) {
    throw invalidSidecar(
      "no port provided for sidecar_service and auto-assignment disabled in config",
    );
  }
  const taken = new Set<number>();
  for (const service of services) {
    if (service.ID === id && service.Port >= min && service.Port <= max) return service.Port;
    taken.add(service.Port);
  }
  for (let port = min; port <= max; port++) if (!taken.has(port)) return port;
  throw invalidSidecar(
    `no port provided for sidecar_service and none left in the configured range [${min}, ${max}]`,
  );
}

function invalidSidecar(reason: string): ServiceError {
  return new ServiceError("bad-request", `Invalid SidecarService: ${reason}`);
}

function defaultChecks(serviceId: string, port: number): CheckDefinition[] {
  return [
    {
      ...emptyCheck,
      name: "Connect Sidecar Listening",
      tcp: `127.0.0.1:${port}`,
      intervalMs: listeningIntervalMs,
    },
    { ...emptyCheck, name: `Connect Sidecar Aliasing ${serviceId}`, aliasService: serviceId },
  ];
}
