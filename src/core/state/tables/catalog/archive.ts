// The catalog in archives: nodes, then their services, then their checks, each as the request that would register it.

import { hexOfAddress } from "../../../lib/ip-address.ts";
import { decodeBody } from "../../../model/decode.ts";
import { encode } from "../../../model/schema.ts";
import {
  healthCheckFieldsSchema,
  healthCheckSchema,
  nodeDefinitionSchema,
  nodeServiceDefinitionSchema,
  nodeServiceSchema,
  registrationSchema,
} from "../../../model/schemas.ts";
import type {
  HealthCheckFields,
  Node,
  NodeServiceDefinition,
  Registration,
} from "../../../model/types.ts";
import type { Packed } from "../../../lib/msgpack.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive, Loading, StateCopy, WriteRecord } from "../../archive/kinds.ts";
import { expectMap, indexed, pack, unpack, type WireStruct } from "../../archive/wire.ts";
import { nameKey } from "../../rows.ts";
import { checkTable } from "./check-rows.ts";
import { gatewayServicesIndex } from "./gateway-rows.ts";
import * as indexes from "./indexes.ts";
import { nodeOf, nodeTable } from "./node-rows.ts";
import { serviceIndexTable } from "./service-index.ts";
import { connectKey, serviceOf, serviceTable } from "./service-rows.ts";

const recordSchema: WireStruct = {
  ...indexed(registrationSchema),
  fields: {
    ...indexed(registrationSchema).fields,
    Service: { type: { ...nodeServiceSchema, nullable: true } },
    Check: { type: { ...healthCheckSchema, nullable: true } },
    Token: { type: { kind: "string" } },
  },
};

function* save(copy: StateCopy): Iterable<WriteRecord> {
  for (const row of copy.rows(nodeTable)) {
    const record = recordOf(copy, nodeOf(row));
    yield (packer) => pack(packer, recordSchema, record);
  }
  for (const row of copy.rows(serviceTable)) {
    const node = copy.row(nodeTable, row.node_key);
    if (!node) continue;
    const Service = { ...serviceOf(row), ...(row.tags_absent === 1 && { Tags: null }) };
    const record = { ...recordOf(copy, nodeOf(node)), Service };
    yield (packer) => pack(packer, recordSchema, record);
  }
  for (const row of copy.rows(checkTable)) {
    const node = copy.row(nodeTable, row.node_key);
    if (!node) continue;
    const Check = {
      // Durations are text in the row.
      ...(decodeBody(healthCheckFieldsSchema, row.body, "ignore") as HealthCheckFields),
      ...(row.tags_absent === 1 && { ServiceTags: null }),
      CreateIndex: row.create_index,
      ModifyIndex: row.modify_index,
    };
    const record = { ...recordOf(copy, nodeOf(node)), Check };
    yield (packer) => pack(packer, recordSchema, record);
  }
}

function recordOf({ datacenter }: StateCopy, { Meta: NodeMeta, ...node }: Node) {
  const Datacenter = node.Datacenter === "" ? datacenter : node.Datacenter;
  return { ...node, NodeMeta, Datacenter, Service: null, Check: null, Checks: null };
}

function load(loading: Loading, body: Packed): void {
  const record = unpack(recordSchema, body) as Registration;
  const members = expectMap(body);
  loadNode(loading, record, body);
  const { Service: service, Check: check } = record;
  if (service) loadService(loading, record.Node, service, members.get("Service") ?? null);
  if (check) loadCheck(loading, check, members.get("Check") ?? null);
}

function loadNode(loading: Loading, record: Registration, body: Packed): void {
  const key = nameKey(record.Node);
  if (loading.table(nodeTable).get(key)) return;
  const { ID, Node: name, Address, Datacenter, TaggedAddresses, NodeMeta: Meta } = record;
  loading.table(nodeTable).put({
    node_key: key,
    id_key: ID === "" ? null : ID.toLowerCase(),
    ...raftIndexes(loading, body),
    address_key: hexOfAddress(Address),
    body: encode(nodeDefinitionSchema, {
      ...{ ID, Node: name, Address, TaggedAddresses, Meta },
      Datacenter: Datacenter === "" ? loading.datacenter : Datacenter,
    }),
  });
}

function loadService(
  loading: Loading,
  node: string,
  service: NodeServiceDefinition,
  body: Packed,
): void {
  const definition = { ...service, Weights: service.Weights ?? { Passing: 1, Warning: 1 } };
  loading.table(serviceTable).put({
    name_key: nameKey(service.Service),
    node_key: nameKey(node),
    service_key: nameKey(service.ID),
    connect_key: connectKey(service),
    tags_absent: service.Tags === null ? 1 : 0,
    ...raftIndexes(loading, body),
    address_key: hexOfAddress(service.Address),
    body: encode(nodeServiceDefinitionSchema, { ...definition, Tags: service.Tags ?? [] }),
  });
}

function loadCheck(loading: Loading, check: HealthCheckFields, body: Packed): void {
  loading.table(checkTable).put({
    node_key: nameKey(check.Node),
    service_key: nameKey(check.ServiceID),
    check_key: nameKey(check.CheckID),
    name_key: nameKey(check.ServiceName),
    status: check.Status,
    tags_absent: check.ServiceTags === null ? 1 : 0,
    ...raftIndexes(loading, body),
    body: encode(healthCheckFieldsSchema, { ...check, ServiceTags: check.ServiceTags ?? [] }),
  });
}

const ofService = "service.";
const extinction = "service_last_extinction";

/** Names of services are as their first instances have them; of each kind, the index is that of its newest instance. */
function* saveIndexes(copy: StateCopy): Iterable<[string, number]> {
  const seen = new Set<string>();
  const kinds = new Map<string, number>();
  for (const row of copy.rows(serviceTable)) {
    const { Service: name, Kind: kind = "" } = serviceOf(row);
    const kindName = kind === "" ? "typical" : kind;
    kinds.set(kindName, Math.max(kinds.get(kindName) ?? 0, row.modify_index));
    if (seen.has(row.name_key)) continue;
    seen.add(row.name_key);
    yield [ofService + name, copy.row(serviceIndexTable, row.name_key)?.modify_index ?? 0];
  }
  for (const [kind, index] of kinds) yield [`service_kind.${kind}`, index];
  yield [extinction, copy.indexOf(indexes.extinction)];
}

function loadIndex(loading: Loading, name: string, value: number): boolean {
  if (name === extinction) {
    loading.setIndex(indexes.extinction, value);
    return true;
  }
  if (!name.startsWith(ofService)) return false;
  const key = nameKey(name.slice(ofService.length));
  const known = loading.table(serviceIndexTable).get(key)?.modify_index ?? 0;
  const modify_index = Math.max(known, value);
  loading.table(serviceIndexTable).put({ name_key: key, modify_index });
  return true;
}

export const catalogArchive: AreaArchive = {
  kinds: [{ type: recordTypes.registration, save, load }],
  indexes: [indexes.nodes, indexes.services, indexes.checks, gatewayServicesIndex],
  ownIndexes: { save: saveIndexes, load: loadIndex },
};
