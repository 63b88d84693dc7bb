// Consul's vocabulary, in Consul's JSON spelling and field order (the order is what answers are written in,
// see `schemas.ts`). Inside the system these are plain objects; names that Consul does not spell are ours.
//
// uint64 values that users own (`Flags`) are decimal strings here; indexes stay below 2^53 and are numbers.
// Lists that Go tells apart as nil and empty are `null` and `[]`.

/** A decimal number in [0, 2^64). */
export type Uint64Text = string;
/** Standard base64. */
export type Base64Text = string;

import type { JsonObject } from "./json.ts";

/** Raft indexes of the writes that created and last changed an object. */
export interface RaftIndexes {
  CreateIndex: number;
  ModifyIndex: number;
}

export interface KvEntry extends RaftIndexes {
  LockIndex: number;
  Key: string;
  Flags: Uint64Text;
  /** "" is written as null, as Go does. */
  Value: Base64Text;
  /** Id of the session that holds the lock; "" when none. */
  Session: string;
}

export interface ServiceCheckReference {
  ID: string;
  Namespace: string;
}

/** What a client asks for when it creates a session; `Session` adds the indexes. */
export interface SessionDefinition {
  ID: string;
  Name: string;
  Node: string;
  /** Nanoseconds. */
  LockDelay: number;
  Behavior: string;
  /** A Go duration or "". */
  TTL: string;
  NodeChecks: string[] | null;
  ServiceChecks: ServiceCheckReference[] | null;
  /** Legacy list; written only when not empty. */
  Checks: string[] | null;
}

export type Session = SessionDefinition & RaftIndexes;

export interface NodeDefinition {
  ID: string;
  Node: string;
  Address: string;
  Datacenter: string;
  TaggedAddresses: Record<string, string> | null;
  Meta: Record<string, string> | null;
}

export type Node = NodeDefinition & RaftIndexes;

export interface ServiceAddress {
  Address: string;
  Port: number;
}

export interface Weights {
  Passing: number;
  Warning: number;
}

export interface MeshGateway {
  Mode: string;
}

export interface Upstream {
  DestinationType: string;
  DestinationNamespace: string;
  DestinationName: string;
  Datacenter: string;
  LocalBindAddress: string;
  LocalBindPort: number;
  Config: JsonObject | null;
  MeshGateway: MeshGateway;
}

export interface ExposePath {
  ListenerPort: number;
  Path: string;
  LocalPathPort: number;
  Protocol: string;
  ParsedFromCheck: boolean;
}

export interface Expose {
  Checks: boolean;
  Paths: ExposePath[] | null;
}

export interface ConnectProxy {
  DestinationServiceName: string;
  DestinationServiceID: string;
  LocalServiceAddress: string;
  LocalServicePort: number;
  Config: JsonObject | null;
  Upstreams: Upstream[] | null;
  MeshGateway: MeshGateway;
  Expose: Expose;
}

export interface ServiceConnect {
  Native: boolean;
}

export interface NodeServiceDefinition {
  Kind: string;
  ID: string;
  Service: string;
  Tags: string[] | null;
  Address: string;
  TaggedAddresses: Record<string, ServiceAddress> | null;
  Meta: Record<string, string> | null;
  Port: number;
  /** Null only in requests: the catalog fills 1/1. */
  Weights: Weights | null;
  EnableTagOverride: boolean;
  Proxy: ConnectProxy;
  Connect: ServiceConnect;
}

export type NodeService = NodeServiceDefinition & RaftIndexes;

export interface HealthCheckDefinition {
  HTTP: string;
  TLSSkipVerify: boolean;
  Header: Record<string, string[] | null> | null;
  Method: string;
  Body: string;
  TCP: string;
  /** Nanoseconds, like the two below; written as Go durations. */
  Interval: number;
  OutputMaxSize: number;
  Timeout: number;
  DeregisterCriticalServiceAfter: number;
  ScriptArgs: string[] | null;
  DockerContainerID: string;
  Shell: string;
  GRPC: string;
  GRPCUseTLS: boolean;
  AliasNode: string;
  AliasService: string;
  /** Nanoseconds. */
  TTL: number;
}

export interface HealthCheckFields {
  Node: string;
  CheckID: string;
  Name: string;
  Status: string;
  Notes: string;
  Output: string;
  ServiceID: string;
  ServiceName: string;
  ServiceTags: string[] | null;
  Type: string;
  Definition: HealthCheckDefinition;
}

export type HealthCheck = HealthCheckFields & RaftIndexes;

/** One instance with its node and every check that speaks about it. */
export interface CheckServiceNode {
  Node: Node;
  Service: NodeService;
  Checks: HealthCheck[];
}

/** Body of `PUT /v1/catalog/register`. */
export interface Registration {
  Datacenter: string;
  ID: string;
  Node: string;
  Address: string;
  TaggedAddresses: Record<string, string> | null;
  NodeMeta: Record<string, string> | null;
  Service: NodeServiceDefinition | null;
  Check: HealthCheckFields | null;
  Checks: HealthCheckFields[] | null;
  SkipNodeUpdate: boolean;
}

/** Body of `PUT /v1/catalog/deregister`. */
export interface Deregistration {
  Datacenter: string;
  Node: string;
  ServiceID: string;
  CheckID: string;
}

/** Instance of a service as `/v1/catalog/service` writes it; the indexes are the service's. */
export interface ServiceNode extends RaftIndexes {
  ID: string;
  Node: string;
  Address: string;
  Datacenter: string;
  TaggedAddresses: Record<string, string> | null;
  NodeMeta: Record<string, string> | null;
  ServiceKind: string;
  ServiceID: string;
  ServiceName: string;
  ServiceTags: string[] | null;
  ServiceAddress: string;
  ServiceTaggedAddresses: Record<string, ServiceAddress> | null;
  ServiceWeights: Weights;
  ServiceMeta: Record<string, string> | null;
  ServicePort: number;
  ServiceEnableTagOverride: boolean;
  ServiceProxy: ConnectProxy;
  ServiceConnect: ServiceConnect;
}
