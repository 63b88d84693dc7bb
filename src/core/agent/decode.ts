// Reads service and check definitions from JSON: bodies of the API, or configuration files that
// have been brought to the same form. Which spellings are accepted is Consul's history; below this
// file there is one.

import { decodeBody, DecodeError } from "../model/decode.ts";
import { ServiceError } from "../model/errors.ts";
import {
  flag,
  integer,
  stringList,
  struct,
  text,
  type Field,
  type StructType,
} from "../model/schema.ts";
import {
  connectProxySchema,
  nodeServiceDefinitionSchema,
  weightsSchema,
} from "../model/schemas.ts";
import type { ConnectProxy, NodeServiceDefinition, Weights } from "../model/types.ts";
import {
  emptyCheck,
  type CheckDefinition,
  type CheckStatus,
  type ServiceDefinition,
  type SidecarDefinition,
} from "./definitions.ts";

const duration = {
  type: { kind: "duration", written: "text", lenient: true },
} as const satisfies Field;
const list = { type: stringList } as const satisfies Field;

/** How to check; the same in both kinds of check definition. */
const probeFields = {
  Name: text,
  Notes: text,
  Status: text,
  args: list,
  ScriptArgs: list,
  HTTP: text,
  Header: { type: { kind: "map", value: stringList } },
  Method: text,
  Body: text,
  TCP: text,
  UDP: text,
  H2PING: text,
  // True unless it is said.
  H2PingUseTLS: { type: { kind: "any" } },
  Interval: duration,
  AliasNode: text,
  AliasService: text,
  DockerContainerID: text,
  Shell: text,
  GRPC: text,
  GRPCUseTLS: flag,
  TLSSkipVerify: flag,
  Timeout: duration,
  TTL: duration,
  SuccessBeforePassing: integer,
  FailuresBeforeCritical: integer,
  ProxyHTTP: text,
  ProxyGRPC: text,
  DeregisterCriticalServiceAfter: duration,
  OutputMaxSize: integer,
  ServiceID: text,
  script_args: list,
  deregister_critical_service_after: duration,
  docker_container_id: text,
  tls_skip_verify: flag,
  service_id: text,
  // Since 1.11, as configuration files have it.
  success_before_passing: integer,
  failures_before_critical: integer,
} as const satisfies Record<string, Field>;

const strict = { opaque: "strict" } as const;

/** Go's names of the structs that it reads through others, with fields in snake case. */
const connectName =
  'struct { SidecarServiceSnake *structs.ServiceDefinition "json:\\"sidecar_service\\""; ' +
  "*structs.Alias }";
const definitionName =
  'struct { EnableTagOverrideSnake bool "json:\\"enable_tag_override\\""; ' +
  "TaggedAddressesSnake map[string]structs.ServiceAddress " +
  '"json:\\"tagged_addresses\\""; *structs.Alias }';

const checkName = (serviceId: string): string =>
  "struct { Interval interface {}; Timeout interface {}; TTL interface {}; " +
  'DeregisterCriticalServiceAfter interface {}; Args []string "json:\\"args\\""; ' +
  'ScriptArgsSnake []string "json:\\"script_args\\""; ' +
  "DeregisterCriticalServiceAfterSnake interface {} " +
  '"json:\\"deregister_critical_service_after\\""; ' +
  'DockerContainerIDSnake string "json:\\"docker_container_id\\""; ' +
  `TLSSkipVerifySnake bool "json:\\"tls_skip_verify\\""; ${serviceId}` +
  'ServiceIDSnake string "json:\\"service_id\\""; *structs.Alias }';
const checkId = { type: { kind: "string", goName: "types.CheckID" } } as const satisfies Field;

/** A check inside the definition of a service. */
export const serviceCheckSchema = struct(
  checkName('ServiceID string "json:\\"ServiceID\\""; '),
  { CheckID: checkId, ...probeFields },
  { ...strict, nullable: true },
);
export const checkSchema = struct(
  checkName(""),
  { ID: checkId, Token: text, ...probeFields },
  strict,
);

function serviceFields<Connect extends StructType>(connect: Connect) {
  const tagged = nodeServiceDefinitionSchema.fields.TaggedAddresses;
  return {
    Kind: { type: { kind: "string", goName: "structs.ServiceKind" } },
    ID: text,
    Name: text,
    Tags: list,
    Address: text,
    TaggedAddresses: tagged,
    Meta: { type: { kind: "map", value: { kind: "string" } } },
    Port: integer,
    Check: { type: serviceCheckSchema },
    Checks: { type: { kind: "list", item: serviceCheckSchema, goName: "structs.CheckTypes" } },
    Weights: { type: weightsSchema },
    Token: text,
    EnableTagOverride: flag,
    Proxy: { type: connectProxySchema },
    Connect: { type: connect },
    enable_tag_override: flag,
    tagged_addresses: tagged,
  } as const satisfies StructType["fields"];
}

function connectSchema<Sidecar extends Field>(sidecar: Sidecar) {
  // `Proxy` belonged to managed proxies, which are gone; Consul still lets it pass.
  // What it does not know passes here, though not inside a sidecar.
  const fields = {
    Native: flag,
    SidecarService: sidecar,
    Proxy: { type: { kind: "any" } },
    sidecar_service: sidecar,
  } as const satisfies StructType["fields"];
  return struct(connectName, fields, { opaque: "lenient" });
}

const nestedSidecar = { type: { kind: "any" } } as const satisfies Field;
const sidecarSchema = struct(definitionName, serviceFields(connectSchema(nestedSidecar)), {
  ...strict,
  nullable: true,
});
export const serviceSchema = struct(
  definitionName,
  serviceFields(connectSchema({ type: sidecarSchema })),
  strict,
);

interface CheckWire {
  CheckID?: string;
  ID?: string;
  Token?: string;
  Name: string;
  Notes: string;
  Status: string;
  args: string[] | null;
  ScriptArgs: string[] | null;
  HTTP: string;
  Header: Record<string, string[] | null> | null;
  Method: string;
  Body: string;
  TCP: string;
  UDP: string;
  H2PING: string;
  H2PingUseTLS?: unknown;
  Interval: number;
  AliasNode: string;
  AliasService: string;
  DockerContainerID: string;
  Shell: string;
  GRPC: string;
  GRPCUseTLS: boolean;
  TLSSkipVerify: boolean;
  Timeout: number;
  TTL: number;
  SuccessBeforePassing: number;
  FailuresBeforeCritical: number;
  DeregisterCriticalServiceAfter: number;
  OutputMaxSize: number;
  ServiceID: string;
  script_args: string[] | null;
  deregister_critical_service_after: number;
  docker_container_id: string;
  tls_skip_verify: boolean;
  service_id: string;
  success_before_passing: number;
  failures_before_critical: number;
}

interface ServiceWire {
  Kind: string;
  ID: string;
  Name: string;
  Tags: string[] | null;
  Address: string;
  TaggedAddresses: NodeServiceDefinition["TaggedAddresses"];
  tagged_addresses: NodeServiceDefinition["TaggedAddresses"];
  Meta: Record<string, string> | null;
  Port: number;
  Check: CheckWire | null;
  Checks: (CheckWire | null)[] | null;
  Weights: Weights | null;
  Token: string;
  EnableTagOverride: boolean;
  enable_tag_override: boolean;
  Proxy: ConnectProxy;
  Connect: {
    Native: boolean;
    SidecarService: ServiceWire | null;
    sidecar_service: ServiceWire | null;
  };
}

/** Reads the body of `PUT /v1/agent/service/register`. Throws `malformed` with Consul's text. */
export function decodeService(body: string): ServiceDefinition {
  const wire = decoded(serviceSchema, body) as ServiceWire;
  const sidecar = wire.Connect.SidecarService ?? wire.Connect.sidecar_service;
  return { ...common(wire), sidecar: sidecar === null ? null : sidecarDefinition(sidecar) };
}

/** Reads the body of `PUT /v1/agent/check/register`. Throws `malformed` with Consul's text. */
export function decodeCheck(body: string): CheckDefinition {
  return checkDefinition(decoded(checkSchema, body) as CheckWire);
}

function decoded(schema: StructType, body: string): unknown {
  try {
    return decodeBody(schema, body, "refuse-plainly");
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new ServiceError("malformed", `Request decode failed: ${error.message}`);
  }
}

function sidecarDefinition(wire: ServiceWire): SidecarDefinition {
  const { SidecarService, sidecar_service: snake } = wire.Connect;
  return { ...common(wire), nested: (SidecarService ?? snake) !== null };
}

function common(wire: ServiceWire): Omit<SidecarDefinition, "nested"> {
  // As Go: an empty `Check` is none, an empty element of `Checks` is one without a type.
  const single = wire.Check === null ? emptyCheck : checkDefinition(wire.Check);
  const checks = isEmpty(single) ? [] : [single];
  for (const check of wire.Checks ?? []) {
    checks.push(check === null ? { ...emptyCheck } : checkDefinition(check));
  }
  return { service: nodeService(wire), checks, token: wire.Token };
}

function isEmpty(check: CheckDefinition): boolean {
  return JSON.stringify(check) === JSON.stringify(emptyCheck);
}

function nodeService(wire: ServiceWire): NodeServiceDefinition {
  return {
    Kind: wire.Kind,
    ID: wire.ID,
    Service: wire.Name,
    Tags: wire.Tags,
    Address: wire.Address,
    TaggedAddresses: wire.TaggedAddresses ?? wire.tagged_addresses,
    Meta: wire.Meta,
    Port: wire.Port,
    Weights: wire.Weights,
    EnableTagOverride: wire.EnableTagOverride || wire.enable_tag_override,
    Proxy: { ...wire.Proxy, Upstreams: upstreams(wire.Proxy) },
    Connect: { Native: wire.Connect.Native },
  };
}

function upstreams({ Upstreams: list }: ConnectProxy): ConnectProxy["Upstreams"] {
  return (
    list?.map((upstream) => ({
      ...upstream,
      DestinationType: upstream.DestinationType || "service",
    })) ?? null
  );
}

const milliseconds = (nanoseconds: number): number => nanoseconds / 1e6;

/** The first list that holds anything. */
function firstFilled(...lists: readonly (string[] | null)[]): string[] {
  return lists.find((candidate) => candidate !== null && candidate.length > 0) ?? [];
}

function trueUnlessSaid(given: unknown): boolean {
  if (given === undefined || given === null) return true;
  if (typeof given === "boolean") return given;
  throw new ServiceError("malformed", "Request decode failed: H2PingUseTLS must be true or false");
}

function checkDefinition(wire: CheckWire): CheckDefinition {
  const header = Object.entries(wire.Header ?? {}).map(([name, values]) => [name, values ?? []]);
  return {
    checkId: wire.CheckID ?? wire.ID ?? "",
    name: wire.Name,
    notes: wire.Notes,
    // `validate.ts` refuses every other word.
    status: wire.Status as CheckStatus | "",
    serviceId: wire.ServiceID || wire.service_id,
    token: wire.Token ?? "",
    http: wire.HTTP,
    header: Object.fromEntries(header) as Record<string, string[]>,
    method: wire.Method,
    body: wire.Body,
    tcp: wire.TCP,
    udp: wire.UDP,
    h2ping: wire.H2PING,
    h2pingUseTls: trueUnlessSaid(wire.H2PingUseTLS),
    grpc: wire.GRPC,
    grpcUseTls: wire.GRPCUseTLS,
    tlsSkipVerify: wire.TLSSkipVerify || wire.tls_skip_verify,
    args: firstFilled(wire.args, wire.ScriptArgs, wire.script_args),
    dockerContainerId: wire.DockerContainerID || wire.docker_container_id,
    shell: wire.Shell,
    aliasNode: wire.AliasNode,
    aliasService: wire.AliasService,
    intervalMs: milliseconds(wire.Interval),
    timeoutMs: milliseconds(wire.Timeout),
    ttlMs: milliseconds(wire.TTL),
    deregisterAfterMs: milliseconds(
      wire.DeregisterCriticalServiceAfter || wire.deregister_critical_service_after,
    ),
    successBeforePassing: wire.SuccessBeforePassing || wire.success_before_passing,
    failuresBeforeCritical: wire.FailuresBeforeCritical || wire.failures_before_critical,
    outputBytesMax: wire.OutputMaxSize,
  };
}
