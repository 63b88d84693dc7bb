// What makes a node, a service or a check acceptable to the catalog, and how a registration is completed
// before it is judged. Agents and the catalog share these rules; the texts are Consul's.

import { ServiceError } from "./errors.ts";
import { compareText } from "./json.ts";
import type {
  ExposePath,
  HealthCheckDefinition,
  HealthCheckFields,
  NodeServiceDefinition,
} from "./types.ts";
import type { Registration, Upstream } from "./types.ts";
import { uuidProblem } from "./uuid.ts";

/** A weight is 16 bits in an SRV record. */
const weightMax = 65_535;
const metaPairsMax = 64;
const metaKeyCharactersMax = 128;
const metaValueCharactersMax = 512;
const reservedMetaPrefix = "consul-";

/** Fills in what a registration leaves open, and refuses what no catalog would take. */
export function completeRegistration(registration: Registration): Registration {
  const { Node: node, ID: id } = registration;
  if (node === "") throw new ServiceError("invalid", "Must provide node");
  const idProblem = id === "" ? null : uuidProblem(id);
  if (idProblem !== null) throw new ServiceError("invalid", `Bad node ID: ${idProblem}`);
  if (registration.Address === "" && !registration.SkipNodeUpdate) {
    throw new ServiceError("invalid", "Must provide address if SkipNodeUpdate is not set");
  }
  const checks = [...(registration.Checks ?? []), registration.Check].filter(
    (check) => check !== null,
  );
  return {
    ...registration,
    Service: registration.Service && withUsableWeights(completeService(registration.Service)),
    Check: null,
    Checks: checks.map((check) => ({ ...completeCheck(check, node), Type: checkType(check) })),
  };
}

/** Which kind of check a definition makes, by the first rule that fits; "" when it makes none. */
const checkTypes: readonly (readonly [string, (definition: HealthCheckDefinition) => boolean])[] = [
  ["grpc", ({ GRPC, Interval }) => GRPC !== "" && Interval > 0],
  ["http", ({ HTTP, Interval }) => HTTP !== "" && Interval > 0],
  ["ttl", ({ TTL }) => TTL > 0],
  ["tcp", ({ TCP, Interval }) => TCP !== "" && Interval > 0],
  ["alias", ({ AliasNode, AliasService }) => AliasNode !== "" || AliasService !== ""],
  [
    "docker",
    ({ DockerContainerID, ScriptArgs, Interval }) =>
      DockerContainerID !== "" && (ScriptArgs ?? []).length > 0 && Interval > 0,
  ],
  ["script", ({ ScriptArgs }) => (ScriptArgs ?? []).length > 0],
];

function checkType({ Type: given, Definition: definition }: HealthCheckFields): string {
  if (given !== "") return given;
  return checkTypes.find(([, fits]) => fits(definition))?.[0] ?? "";
}

/** A service with its id and weights; refuses what is wrong with it whatever its node. */
export function completeService(service: NodeServiceDefinition): NodeServiceDefinition {
  const problem = serviceProblem(service);
  if (problem !== null) throw new ServiceError("invalid", problem);
  const id = service.ID === "" ? service.Service : service.ID;
  if (id !== "" && service.Service === "") {
    throw new ServiceError("invalid", "Must provide service name with ID");
  }
  if (isAnyAddress(service.Address)) throw new ServiceError("invalid", "Invalid service address");
  return { ...service, ID: id, Weights: service.Weights ?? { Passing: 1, Warning: 1 } };
}

/**
 * The same service with weights that DNS can use: others become 1 and 1, both of them. Only for what has not
 * entered the log: what is in there stays what it says.
 */
export function withUsableWeights(service: NodeServiceDefinition): NodeServiceDefinition {
  const { Passing: passing, Warning: warning } = service.Weights ?? { Passing: 0, Warning: 0 };
  const isUsable = passing >= 1 && warning >= 0 && Math.max(passing, warning) <= weightMax;
  return isUsable ? service : { ...service, Weights: { Passing: 1, Warning: 1 } };
}

/** A check with its id and node. */
export function completeCheck(check: HealthCheckFields, node: string): HealthCheckFields {
  return {
    ...check,
    CheckID: check.CheckID === "" ? check.Name : check.CheckID,
    Node: check.Node === "" ? node : check.Node,
  };
}

/** 0.0.0.0 and ::, which mean "any address" and so name none. */
export function isAnyAddress(address: string): boolean {
  return address === "0.0.0.0" || address === "::" || address === "[::]";
}

/** Why a service's Kind and Proxy do not go together, as Consul lists it; null when they do. */
export function serviceProblem(service: NodeServiceDefinition): string | null {
  const problems = [...(kindRules[service.Kind]?.(service) ?? [])];
  if (problems.length === 0) return null;
  const count = problems.length === 1 ? "1 error" : `${problems.length} errors`;
  return `${count} occurred:\n${problems.map((problem) => `\t* ${problem}\n`).join("")}\n`;
}

type KindRule = (service: NodeServiceDefinition) => Iterable<string>;

const kindRules: Record<string, KindRule> = {
  "connect-proxy": connectProxyProblems,
  "mesh-gateway": (service) => gatewayProblems(service, true),
  "terminating-gateway": (service) => gatewayProblems(service, true),
  "ingress-gateway": (service) => gatewayProblems(service, false),
};

function* connectProxyProblems(service: NodeServiceDefinition): Iterable<string> {
  const { Proxy: proxy } = service;
  if (proxy.DestinationServiceName.trim() === "") {
    yield "Proxy.DestinationServiceName must be non-empty for Connect proxy services";
  }
  if (service.Port === 0) yield "Port must be set for a Connect proxy";
  if (service.Connect.Native) yield "A Proxy cannot also be Connect Native, only typical services";
  yield* upstreamProblems(proxy.Upstreams ?? []);
  yield* exposeProblems(proxy.Expose.Paths ?? []);
}

const upstreamTypes = new Set(["", "service", "prepared_query"]);

function* upstreamProblems(upstreams: readonly Upstream[]): Iterable<string> {
  const listeners = new Set<string>();
  const destinations = new Set<string>();
  for (const upstream of upstreams) {
    if (!upstreamTypes.has(upstream.DestinationType)) {
      yield `unknown upstream destination type: ${JSON.stringify(upstream.DestinationType)}`;
      continue;
    }
    if (upstream.DestinationName === "") {
      yield "upstream destination name cannot be empty";
      continue;
    }
    if (upstream.LocalBindPort === 0) {
      yield "upstream local bind port cannot be zero";
      continue;
    }
    const address = upstream.LocalBindAddress === "" ? "127.0.0.1" : upstream.LocalBindAddress;
    const listener = `${address}:${upstream.LocalBindPort}`;
    if (listeners.has(listener)) {
      yield `upstreams cannot contain duplicates by local bind address and port; "${listener}" is specified twice`;
    }
    listeners.add(listener);
    const destination = describeDestination(upstream);
    if (destinations.has(destination))
      yield `upstreams cannot contain duplicates of ${destination}`;
    destinations.add(destination);
  }
}

function describeDestination(upstream: Upstream): string {
  const parts: [string, string][] = [
    ["type", upstream.DestinationType],
    ["name", upstream.DestinationName],
    ["namespace", upstream.DestinationNamespace],
    ["datacenter", upstream.Datacenter],
  ];
  return `[${parts.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")}]`;
}

const portMax = 65_535;

function* exposeProblems(paths: readonly ExposePath[]): Iterable<string> {
  const seenPaths = new Set<string>();
  const seenPorts = new Set<number>();
  for (const path of paths) {
    if (seenPaths.has(path.Path)) yield "expose.paths: duplicate paths exposed";
    seenPaths.add(path.Path);
    if (seenPorts.has(path.ListenerPort)) yield "expose.paths: duplicate listener ports exposed";
    seenPorts.add(path.ListenerPort);
    if (path.ListenerPort <= 0 || path.ListenerPort > portMax) {
      yield `expose.paths: invalid listener port: ${path.ListenerPort}`;
    }
    if (!["", "http", "http2"].includes(path.Protocol)) {
      yield `protocol '${path.Protocol}' not supported for path: ${path.Path}, must be in: [http http2]`;
    }
  }
}

function* gatewayProblems(service: NodeServiceDefinition, needsPort: boolean): Iterable<string> {
  const { Kind: kind, Proxy: proxy } = service;
  if (needsPort && service.Port === 0) yield `Port must be non-zero for a ${kind}`;
  const forbidden: [string, boolean][] = [
    ["DestinationServiceName", proxy.DestinationServiceName !== ""],
    ["DestinationServiceID", proxy.DestinationServiceID !== ""],
    ["LocalServiceAddress", proxy.LocalServiceAddress !== ""],
    ["LocalServicePort", proxy.LocalServicePort !== 0],
    ["Upstreams", (proxy.Upstreams ?? []).length > 0],
  ];
  for (const [field, isSet] of forbidden) {
    if (isSet) yield `The Proxy.${field} configuration is invalid for a ${kind}`;
  }
}

/** Why metadata is refused; null when it is fine. `reserved`: keys that only Consul itself sets may be named. */
export function metaProblem(
  meta: Record<string, string> | null,
  { reserved = false }: { reserved?: boolean } = {},
): string | null {
  const pairs = Object.entries(meta ?? {});
  if (pairs.length > metaPairsMax) {
    return `Node metadata cannot contain more than ${metaPairsMax} key/value pairs`;
  }
  for (const [key, value] of pairs.toSorted(([left], [right]) => compareText(left, right))) {
    const problem = metaPairProblem(key, value, reserved);
    if (problem !== null) return `Couldn't load metadata pair ('${key}', '${value}'): ${problem}`;
  }
  return null;
}

function metaPairProblem(key: string, value: string, reserved: boolean): string | null {
  if (key === "") return "Key cannot be blank";
  if (!/^[a-zA-Z0-9_-]+$/.test(key)) return "Key contains invalid characters";
  if (key.length > metaKeyCharactersMax) {
    return `Key is too long (limit: ${metaKeyCharactersMax} characters)`;
  }
  if (!reserved && key.startsWith(reservedMetaPrefix)) {
    return `Key prefix '${reservedMetaPrefix}' is reserved for internal use`;
  }
  if (value.length > metaValueCharactersMax) {
    return `Value is too long (limit: ${metaValueCharactersMax} characters)`;
  }
  return null;
}
