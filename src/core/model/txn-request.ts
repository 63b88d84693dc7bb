// The body of `PUT /v1/txn` as clients write it, and its translation to operations. Of services it carries
// fewer fields than the catalog knows, of checks neither Type nor most of the definition, as in Consul 1.8.

import { flag, raftIndex, stringList, struct, text, zeroStruct } from "./schema.ts";
import type { Field, StructType, Type } from "./schema.ts";
import {
  healthCheckDefinitionSchema,
  nodeDefinitionSchema,
  nodeServiceDefinitionSchema,
} from "./schemas.ts";
import type { TxnOperation } from "./transaction.ts";
import { keptPart, txnServiceSchema } from "./txn-service.ts";
import type { TxnService } from "./txn-service.ts";
import type { HealthCheckDefinition, NodeDefinition, NodeServiceDefinition } from "./types.ts";

const uint64 = { type: { kind: "uint64" } } as const satisfies Field;
const lenientDuration = {
  type: { kind: "duration", written: "nanoseconds", lenient: true },
} as const satisfies Field;

const readableDuration = {
  type: { kind: "duration", written: "nanoseconds", readable: true },
} as const satisfies Field;

const verb = (goName: string) => ({ type: { kind: "string", goName } }) as const satisfies Field;

const optional = <const Given extends StructType["fields"]>(goName: string, fields: Given) => ({
  type: struct(goName, fields, { nullable: true }),
});

const kvOperation = optional("api.KVTxnOp", {
  Verb: verb("api.KVOp"),
  Key: text,
  Value: { type: { kind: "bytes" } },
  Flags: uint64,
  Index: uint64,
  Session: text,
  Namespace: text,
});

const nodeOperation = optional("api.NodeTxnOp", {
  Verb: verb("api.NodeOp"),
  Node: {
    type: struct("api.Node", {
      ...nodeDefinitionSchema.fields,
      CreateIndex: raftIndex,
      ModifyIndex: uint64,
    }),
  },
});

const serviceOperation = optional("api.ServiceTxnOp", {
  Verb: verb("api.ServiceOp"),
  Node: text,
  Service: { type: txnServiceSchema },
});

/** What Go calls what it decodes a definition into. */
const goDefinition =
  "struct { IntervalDuration interface {}; TimeoutDuration interface {}; " +
  "DeregisterCriticalServiceAfterDuration interface {}; *api.Alias }";

const checkDefinition = {
  type: struct(
    goDefinition,
    {
      HTTP: text,
      Header: { type: { kind: "map", value: stringList } },
      Method: text,
      Body: text,
      TLSSkipVerify: flag,
      TCP: text,
      IntervalDuration: lenientDuration,
      TimeoutDuration: lenientDuration,
      DeregisterCriticalServiceAfterDuration: lenientDuration,
      Interval: readableDuration,
      Timeout: readableDuration,
      DeregisterCriticalServiceAfter: readableDuration,
    },
    { opaque: "lenient" },
  ),
};

const checkOperation = optional("api.CheckTxnOp", {
  Verb: verb("api.CheckOp"),
  Check: {
    type: struct(
      "api.HealthCheck",
      {
        Node: text,
        CheckID: text,
        Name: text,
        Status: text,
        Notes: text,
        Output: text,
        ServiceID: text,
        ServiceName: text,
        ServiceTags: { type: stringList },
        Definition: checkDefinition,
        ModifyIndex: uint64,
      },
      { accepted: ["Type", "Namespace", "CreateIndex"] },
    ),
  },
});

/** A list of operations; each names one of its kinds. */
export const txnRequestSchema = {
  kind: "list",
  goName: "api.TxnOps",
  item: {
    kind: "struct",
    goName: "api.TxnOp",
    nullable: true,
    fields: {
      KV: kvOperation,
      Node: nodeOperation,
      Service: serviceOperation,
      Check: checkOperation,
    },
  },
} as const satisfies Type;

interface RequestedOperation {
  KV: {
    Verb: string;
    Key: string;
    Value: string;
    Flags: string;
    Index: string;
    Session: string;
  } | null;
  Node: { Verb: string; Node: NodeDefinition & { ModifyIndex: string } } | null;
  Service: {
    Verb: string;
    Node: string;
    Service: TxnService & { ModifyIndex: string };
  } | null;
  Check: { Verb: string; Check: RequestedCheck } | null;
}

interface RequestedCheck {
  Node: string;
  CheckID: string;
  Name: string;
  Status: string;
  Notes: string;
  Output: string;
  ServiceID: string;
  ServiceName: string;
  ServiceTags: string[] | null;
  Definition: Partial<HealthCheckDefinition> & {
    IntervalDuration: number;
    TimeoutDuration: number;
    DeregisterCriticalServiceAfterDuration: number;
  };
  ModifyIndex: string;
}

/** Operations of a decoded body; one that names no kind is left out. */
export function txnOperations(decoded: unknown): TxnOperation[] {
  return ((decoded ?? []) as (RequestedOperation | null)[]).flatMap((requested) => {
    const operation = requested && operationOf(requested);
    return operation ? [operation] : [];
  });
}

function operationOf({ KV, Node, Service, Check }: RequestedOperation): TxnOperation | null {
  if (KV) {
    return {
      kind: "kv",
      verb: KV.Verb,
      key: KV.Key,
      value: KV.Value,
      flags: KV.Flags,
      index: KV.Index,
      session: KV.Session,
    };
  }
  if (Node) {
    const { ID, Node: name, Address, Datacenter, TaggedAddresses, Meta, ModifyIndex } = Node.Node;
    const node = { ID, Node: name, Address, Datacenter, TaggedAddresses, Meta };
    return { kind: "node", verb: Node.Verb, node, index: ModifyIndex };
  }
  if (Service) {
    const { ModifyIndex: index } = Service.Service;
    const service = { ...zeroStruct(nodeServiceDefinitionSchema), ...keptPart(Service.Service) };
    return {
      kind: "service",
      verb: Service.Verb,
      node: Service.Node,
      service: service as unknown as NodeServiceDefinition,
      index,
    };
  }
  return Check && checkOperationOf(Check.Verb, Check.Check);
}

function checkOperationOf(verbName: string, requested: RequestedCheck): TxnOperation {
  const { ModifyIndex: index, Definition: given, ...fields } = requested;
  const {
    IntervalDuration: intervalNs,
    TimeoutDuration: timeoutNs,
    DeregisterCriticalServiceAfterDuration: deregisterNs,
    ...definition
  } = given;
  const zero = zeroStruct(healthCheckDefinitionSchema) as unknown as HealthCheckDefinition;
  return {
    kind: "check",
    verb: verbName,
    check: {
      ...fields,
      Type: "",
      Definition: {
        ...zero,
        ...definition,
        Interval: intervalNs || (definition.Interval ?? 0),
        Timeout: timeoutNs || (definition.Timeout ?? 0),
        DeregisterCriticalServiceAfter:
          deregisterNs || (definition.DeregisterCriticalServiceAfter ?? 0),
      },
    },
    index,
  };
}
