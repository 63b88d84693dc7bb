// What makes entries of ingress and terminating gateways acceptable.

import { wildcard } from "./types.ts";
import type {
  IngressGateway,
  IngressListener,
  IngressService,
  LinkedService,
  TerminatingGateway,
} from "./types.ts";

const protocols = new Set(["tcp", "http", "http2", "grpc"]);

export function normalizeIngress(entry: IngressGateway): IngressGateway {
  const listeners = entry.Listeners?.map((listener) => ({
    ...listener,
    Protocol: (listener.Protocol === "" ? "tcp" : listener.Protocol).toLowerCase(),
  }));
  return { ...entry, Listeners: listeners ?? null };
}

/** Why the entry is refused; null when it is fine. */
export function ingressProblem(entry: IngressGateway): string | null {
  const ports = new Set<number>();
  for (const listener of entry.Listeners ?? []) {
    const { Port: port } = listener;
    if (ports.has(port)) return `port ${port} declared on two listeners`;
    ports.add(port);
    const problem = listenerProblem(listener, entry.TLS.Enabled);
    if (problem !== null) return problem;
  }
  return null;
}

function listenerProblem(listener: IngressListener, usesTls: boolean): string | null {
  const { Port: port, Protocol: protocol } = listener;
  if (!protocols.has(protocol)) {
    return `protocol must be 'tcp', 'http', 'http2', or 'grpc'. '${protocol}' is an unsupported protocol`;
  }
  const services = listener.Services ?? [];
  const hosts = new Set<string>();
  for (const service of services) {
    const problem =
      ingressServiceProblem(service, listener) ?? hostsProblem(service, hosts, usesTls);
    if (problem !== null) return problem.replace("%port", String(port));
  }
  if (services.length === 0) return `No service declared for listener with port ${port}`;
  if (protocol !== "http" && services.length > 1) {
    return `Multiple services per listener are only supported for protocol = 'http' (listener on port ${port})`;
  }
  return null;
}

function ingressServiceProblem(
  { Name: name, Hosts: hosts }: IngressService,
  { Port: port, Protocol: protocol }: IngressListener,
): string | null {
  const where = `(listener on port ${port})`;
  const hasHosts = (hosts ?? []).length > 0;
  if (protocol === "tcp") {
    if (name === wildcard) {
      return `Wildcard service name is only valid for protocol = 'http' ${where}`;
    }
    if (hasHosts) {
      return `Associating hosts to a service is not supported for the ${protocol} protocol ${where}`;
    }
  }
  if (name === "") return `Service name cannot be blank ${where}`;
  return name === wildcard && hasHosts
    ? `Associating hosts to a wildcard service is not supported ${where}`
    : null;
}

/** Adds to `taken`, the hosts of the listener so far. `%port` in the reason stands for its port. */
function hostsProblem(
  { Hosts: hosts }: IngressService,
  taken: Set<string>,
  usesTls: boolean,
): string | null {
  for (const host of hosts ?? []) {
    if (taken.has(host)) {
      return "Hosts must be unique within a specific listener (listener on port %port)";
    }
    taken.add(host);
    const problem = hostProblem(host, usesTls);
    if (problem !== null) return problem;
  }
  return null;
}

function hostProblem(host: string, usesTls: boolean): string | null {
  if (host === wildcard) {
    return usesTls
      ? "Host '*' is not allowed when TLS is enabled, all hosts must be valid DNS records to add as a DNSSAN"
      : null;
  }
  if (!isDomainName(host)) return `Host ${JSON.stringify(host)} must be a valid DNS hostname`;
  return host.replace(/^\*\./, "").includes(wildcard)
    ? `Host ${JSON.stringify(host)} is not valid, a wildcard specifier is only allowed as the leftmost label`
    : null;
}

const labelBytesMax = 63;
const nameBytesMax = 256;

/** By length only, as a DNS message could carry it; a backslash escapes one character, or three digits one byte. */
function isDomainName(name: string): boolean {
  if (name === "") return false;
  const bytes = new TextEncoder().encode(name.endsWith(".") ? name : `${name}.`);
  const text = String.fromCharCode(...bytes.subarray(0, 2 * nameBytesMax * 4)).replaceAll(
    /\\(?:\d{3}|.)/gs,
    "x",
  );
  const labels = text.slice(0, -1).split(".");
  const length = labels.reduce((sum, label) => sum + label.length + 1, 0);
  const hasGap = labels.slice(1).includes("");
  return !hasGap && length <= nameBytesMax && labels.every((each) => each.length <= labelBytesMax);
}

export function terminatingProblem({ Services: services }: TerminatingGateway): string | null {
  const names = new Set<string>();
  for (const service of services ?? []) {
    const { Name: name } = service;
    if (name === "") return "Service name cannot be blank.";
    if (names.has(name)) {
      return `Service ${JSON.stringify(name)} was specified more than once within a namespace`;
    }
    names.add(name);
    if (!hasWholeTls(service)) {
      const files = "a CertFile, CAFile, and KeyFile specified for TLS origination";
      return `Service ${JSON.stringify(name)} must have ${files}`;
    }
  }
  return null;
}

/** Who shows a certificate needs its key, and must know whom to trust. */
function hasWholeTls({ CAFile, CertFile, KeyFile }: LinkedService): boolean {
  if (CertFile === "" && KeyFile === "") return true;
  return CAFile !== "" && CertFile !== "" && KeyFile !== "";
}

/** Services that listeners name, without the wildcard. */
export function servicesOfIngress({ Listeners: listeners }: IngressGateway): string[] {
  return (listeners ?? [])
    .flatMap(({ Services: services }) => services ?? [])
    .map(({ Name: name }) => name)
    .filter((name) => name !== wildcard);
}
