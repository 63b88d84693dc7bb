// What overviews look like.

import { integer, omitEmpty, stringList, stringMap, text } from "../../../model/schema.ts";
import type { StructType } from "../../../model/schema.ts";
import { healthCheckSchema, nodeServiceSchema } from "../../../model/schemas.ts";

const count = integer;
const texts = { type: stringList };

export const summarySchema = {
  kind: "struct",
  goName: "agent.ServiceSummary",
  fields: {
    Kind: omitEmpty(text),
    Name: text,
    Tags: texts,
    Nodes: texts,
    InstanceCount: count,
    ProxyFor: omitEmpty(texts),
    ChecksPassing: count,
    ChecksWarning: count,
    ChecksCritical: count,
    ExternalSources: texts,
    GatewayConfig: {
      type: {
        kind: "struct",
        goName: "agent.GatewayConfig",
        fields: { Addresses: omitEmpty(texts) },
      },
    },
    InstancesPassing: omitEmpty(count),
    InstancesWarning: omitEmpty(count),
    InstancesCritical: omitEmpty(count),
    InstancesMaintenance: omitEmpty(count),
  },
} as const satisfies StructType;

export const nodeInfoSchema = {
  kind: "struct",
  goName: "structs.NodeInfo",
  fields: {
    ID: text,
    Node: text,
    Address: text,
    TaggedAddresses: { type: stringMap },
    Meta: { type: stringMap },
    Services: { type: { kind: "list", item: nodeServiceSchema } },
    Checks: { type: { kind: "list", item: healthCheckSchema } },
  },
} as const satisfies StructType;
