// Shapes of answers that have no schema of their own, made of those that have; and the names by which the document
// knows the ones that matter.

import { checkSchema, serviceCheckSchema, serviceSchema } from "../../core/agent/decode.ts";
import {
  aclPolicySchema,
  aclPolicyStubSchema,
  aclRoleSchema,
  aclTokenSchema,
} from "../../core/model/acl.ts";
import {
  authMethodSchema,
  authMethodStubSchema,
  bindingRuleSchema,
} from "../../core/model/auth/types.ts";
import { groupHealthSchema } from "../../core/model/autopilot.ts";
import { configSchemas } from "../../core/model/config-entry/schemas.ts";
import type { ConfigKind } from "../../core/model/config-entry/types.ts";
import { intentionSchema } from "../../core/model/intention.ts";
import { preparedQuerySchema } from "../../core/model/prepared-query.ts";
import { flag, integer, raftIndex, text } from "../../core/model/schema.ts";
import type { StructType } from "../../core/model/schema.ts";
import {
  checkServiceNodeSchema,
  connectProxySchema,
  healthCheckDefinitionSchema,
  healthCheckSchema,
  kvEntrySchema,
  nodeSchema,
  nodeServiceSchema,
  registrationSchema,
  serviceNodeSchema,
  sessionDefinitionSchema,
} from "../../core/model/schemas.ts";
import { userEventSchema } from "../../core/model/user-event.ts";
import { chainSchema } from "../../core/state/tables/config/chain/types.ts";
import { coordinateSchema } from "../../core/state/tables/distance/coordinates.ts";
import { gatewayServiceSchema } from "../../core/state/tables/catalog/gateway-shapes.ts";
import { nodeInfoSchema, summarySchema } from "../../core/state/tables/ui/shapes.ts";
import { agentServiceSchema } from "../agent-json.ts";
import { field, items, object, union, words } from "./operation.ts";
import type { Shape, ShapeField } from "./operation.ts";

const indexes = { CreateIndex: raftIndex, ModifyIndex: raftIndex };

/** What was written as a row, with its indexes. */
export function indexed<const Fields extends Readonly<Record<string, ShapeField>>>({
  fields,
}: {
  readonly fields: Fields;
}) {
  return object<Fields & typeof indexes>({ ...fields, ...indexes });
}

export const string = { kind: "string" } as const;
export const strings = items(string);
export const anything = { kind: "any" } as const;
export const boolean = { kind: "boolean" } as const;
/** Of what was made. */
export const identified = object({ ID: text });

export const session = indexed(sessionDefinitionSchema);
export const intention = indexed(intentionSchema);
export const preparedQuery = indexed(preparedQuerySchema);
export const gatewayService = indexed(gatewayServiceSchema);
export const aclToken = indexed(aclTokenSchema);
export const aclPolicy = indexed(aclPolicySchema);
export const aclPolicyStub = indexed(aclPolicyStubSchema);
export const aclRole = indexed(aclRoleSchema);
export const authMethod = indexed(authMethodSchema);
export const authMethodStub = indexed(authMethodStubSchema);
export const bindingRule = indexed(bindingRuleSchema);

const { SecretID: _secret, ...tokenFields } = aclTokenSchema.fields;

/** Lists keep secrets to themselves. */
export const aclTokenStub = indexed({
  fields: { ...tokenFields, Legacy: { ...flag, omitEmpty: true } },
});

export const legacyAcl = indexed({ fields: { ID: text, Name: text, Type: text, Rules: text } });

/** An entry of one kind, so that types tell entries apart. */
type EntryOf<Kind extends ConfigKind> = {
  readonly kind: "object";
  readonly fields: {
    readonly [Name in keyof Entry<Kind>]: Name extends "Kind"
      ? { readonly type: { readonly kind: "word"; readonly words: readonly [Kind] } }
      : Entry<Kind>[Name];
  };
};

type Entry<Kind extends ConfigKind> = (typeof configSchemas)[Kind]["fields"] & typeof indexes;

function entryOf<const Kind extends ConfigKind>(kind: Kind): EntryOf<Kind> {
  const { fields }: StructType = configSchemas[kind];
  return object({ ...fields, ...indexes, Kind: field(words(kind)) }) as unknown as EntryOf<Kind>;
}

export const configEntry = union(
  entryOf("ingress-gateway"),
  entryOf("proxy-defaults"),
  entryOf("service-defaults"),
  entryOf("service-resolver"),
  entryOf("service-router"),
  entryOf("service-splitter"),
  entryOf("terminating-gateway"),
);

export const coordinateEntry = object({
  Node: text,
  Segment: text,
  Coord: { type: coordinateSchema },
});

export const checkServiceNodes = items(checkServiceNodeSchema);
export const healthChecks = items(healthCheckSchema);

/** Of one service at an agent. */
export const serviceHealth = object({
  AggregatedStatus: text,
  Service: { type: agentServiceSchema },
  Checks: field(healthChecks),
});

/** What Consul puts behind some answers about the answering server. */
export const queryMeta = {
  Index: raftIndex,
  LastContact: integer,
  KnownLeader: flag,
  ConsistencyLevel: text,
} as const;

/** Shapes that stand for themselves in the document. */
export const named: Readonly<Record<string, Shape>> = {
  AclPolicy: aclPolicy,
  AclRole: aclRole,
  AclToken: aclToken,
  AgentService: agentServiceSchema,
  AuthMethod: authMethod,
  BindingRule: bindingRule,
  CheckDefinition: checkSchema,
  CheckServiceNode: checkServiceNodeSchema,
  ConfigEntry: configEntry,
  ConnectProxy: connectProxySchema,
  Coordinate: coordinateSchema,
  DiscoveryChain: chainSchema,
  GatewayService: gatewayService,
  GroupHealth: groupHealthSchema,
  HealthCheck: healthCheckSchema,
  HealthCheckDefinition: healthCheckDefinitionSchema,
  Intention: intention,
  KvEntry: kvEntrySchema,
  Node: nodeSchema,
  NodeInfo: nodeInfoSchema,
  NodeService: nodeServiceSchema,
  PreparedQuery: preparedQuery,
  Registration: registrationSchema,
  ServiceCheckDefinition: serviceCheckSchema,
  ServiceDefinition: serviceSchema,
  ServiceHealth: serviceHealth,
  ServiceNode: serviceNodeSchema,
  ServiceSummary: summarySchema,
  Session: session,
  UserEvent: userEventSchema,
};
