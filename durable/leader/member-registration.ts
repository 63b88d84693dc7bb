// What the leader writes into the catalog when a member of the datacenter appears, fails or leaves (Consul
// semantics §14). It only writes what differs, and keeps the metadata and tagged addresses that the node's own agent
// registered. Nodes without a `serfHealth` check are somebody else's and never touched.

import { consulVersion } from "../../src/members.ts";
import type { Command } from "../../src/core/state/commands.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { findCheck } from "../../src/core/state/tables/catalog/check-rows.ts";
import { allNodes, nodeOf } from "../../src/core/state/tables/catalog/node-rows.ts";

export type MemberStatus = "alive" | "failed" | "left";

export interface MemberFact {
  /** Node name. */
  name: string;
  id: string;
  /** IP address of the node. */
  address: string;
  status: MemberStatus;
  /** Port of the server RPC; only servers have one and get a `consul` service. */
  serverPort?: number;
}

export const serfCheckId = "serfHealth";
const aliveOutput = "Agent alive and reachable";
const failedOutput = "Agent not live or unreachable";
/** The leader sees everything, whatever may be seen without a token. */
const ownEyes = { isOwn: true, nowMs: 0 } as const;

interface NodeView {
  Node: {
    ID: string;
    Address: string;
    CreateIndex: number;
    TaggedAddresses: Record<string, string> | null;
    Meta: Record<string, string> | null;
  };
  Services: Record<string, { Port: number }>;
}

interface CheckView {
  CheckID: string;
  Status: string;
  ModifyIndex: number;
}

/** A member that the catalog calls failed. */
export interface FailedMember extends MemberFact {
  status: "failed";
  /** Index at which it was written; another one is another failure. */
  failedIndex: number;
}

/** The command that brings the catalog in line with `fact`; null when it already is. */
export function reconcileCommand(
  machine: StateMachine,
  datacenter: string,
  fact: MemberFact,
): Command | null {
  const node = readJson<NodeView | null>(machine, "catalog.node", { node: fact.name });
  const checks = readJson<CheckView[]>(machine, "health.node", { node: fact.name });
  const serf = checks.find(({ CheckID }) => CheckID === serfCheckId);
  if (fact.status === "left") {
    return node && serf ? deregistration(datacenter, fact.name) : null;
  }
  const status = fact.status === "alive" ? "passing" : "critical";
  if (fact.status === "failed" && !serf) return null;
  const complete =
    serf?.Status === status &&
    node?.Node.Address === fact.address &&
    node.Node.ID === fact.id &&
    (fact.serverPort === undefined || node.Services.consul?.Port === fact.serverPort);
  return complete ? null : registration(datacenter, fact, node, status);
}

/** Whoever the catalog calls a member, whatever became of it. */
export function catalogMembers(machine: StateMachine): Omit<MemberFact, "status">[] {
  const nodes = machine.ask((state) =>
    allNodes(state)
      .map(nodeOf)
      .filter(({ Node: name }) => findCheck(state, name, serfCheckId)),
  );
  return nodes.map(({ Node: name, ID: id, Address: address }) => ({ name, id, address }));
}

/** Agents that the catalog calls failed. */
export function failedMembers(machine: StateMachine): FailedMember[] {
  const checks = JSON.parse(
    machine.read("health.state", { state: "critical" }, ownEyes).body ?? "[]",
  ) as (CheckView & { Node: string })[];
  return checks
    .filter(({ CheckID }) => CheckID === serfCheckId)
    .flatMap(({ Node: name, ModifyIndex: failedIndex }): FailedMember[] => {
      const view = readJson<NodeView | null>(machine, "catalog.node", { node: name });
      if (!view) return [];
      const { ID: id, Address: address } = view.Node;
      return [{ name, id, address, status: "failed", failedIndex }];
    });
}

/** Index at which the catalog took a member in; undefined when it does not have it. */
export function memberSince(machine: StateMachine, name: string): number | undefined {
  const view = readJson<NodeView | null>(machine, "catalog.node", { node: name });
  return view?.Node.CreateIndex;
}

function deregistration(datacenter: string, name: string): Command {
  return {
    type: "catalog.deregister",
    deregistration: { Datacenter: datacenter, Node: name, ServiceID: "", CheckID: "" },
  };
}

function registration(
  datacenter: string,
  fact: MemberFact,
  node: NodeView | null,
  status: "passing" | "critical",
): Command {
  const withService = fact.serverPort !== undefined && status === "passing";
  return {
    type: "catalog.register",
    registration: {
      Datacenter: datacenter,
      ID: fact.id,
      Node: fact.name,
      Address: fact.address,
      TaggedAddresses: node?.Node.TaggedAddresses ?? null,
      NodeMeta: node?.Node.Meta ?? null,
      Service: withService ? consulService(fact.serverPort ?? 0) : null,
      Check: serfCheck(fact.name, status),
      Checks: null,
      SkipNodeUpdate: false,
    },
  };
}

type Registration = Extract<Command, { type: "catalog.register" }>["registration"];

function consulService(port: number): NonNullable<Registration["Service"]> {
  return {
    Kind: "",
    ID: "consul",
    Service: "consul",
    Tags: null,
    Address: "",
    TaggedAddresses: null,
    Meta: {
      non_voter: "false",
      raft_version: "3",
      serf_protocol_current: "2",
      serf_protocol_max: "5",
      serf_protocol_min: "1",
      version: consulVersion,
    },
    Port: port,
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Proxy: {
      DestinationServiceName: "",
      DestinationServiceID: "",
      LocalServiceAddress: "",
      LocalServicePort: 0,
      Config: null,
      Upstreams: null,
      MeshGateway: { Mode: "" },
      Expose: { Checks: false, Paths: null },
    },
    Connect: { Native: false },
  };
}

function serfCheck(node: string, status: string): NonNullable<Registration["Check"]> {
  return {
    Node: node,
    CheckID: serfCheckId,
    Name: "Serf Health Status",
    Status: status,
    Notes: "",
    Output: status === "passing" ? aliveOutput : failedOutput,
    ServiceID: "",
    ServiceName: "",
    ServiceTags: null,
    Type: "",
    Definition: emptyCheckDefinition,
  };
}

const emptyCheckDefinition: NonNullable<Registration["Check"]>["Definition"] = {
  HTTP: "",
  TLSSkipVerify: false,
  Header: null,
  Method: "",
  Body: "",
  TCP: "",
  Interval: 0,
  OutputMaxSize: 0,
  Timeout: 0,
  DeregisterCriticalServiceAfter: 0,
  ScriptArgs: null,
  DockerContainerID: "",
  Shell: "",
  GRPC: "",
  GRPCUseTLS: false,
  AliasNode: "",
  AliasService: "",
  TTL: 0,
};

function readJson<Value>(
  machine: StateMachine,
  op: "catalog.node" | "health.node",
  args: { node: string },
): Value {
  return JSON.parse(machine.read(op, args, ownEyes).body ?? "null") as Value;
}
