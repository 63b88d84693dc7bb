// `/v1/operator/raft`: the servers of the group, how one that will not come back is taken out, and who leads; and how
// much there is in the catalog.

import { ServiceError } from "../core/model/errors.ts";
import { encodeJson } from "../core/model/json.ts";
import { encodeOrdered } from "./ordered-json.ts";
import type { ServerChoice } from "../ports/cluster.ts";
import { autopilotArea, withoutWaiting } from "./autopilot.ts";
import { effectiveConsistency, parseReadOptions } from "./consistency.ts";
import type { ReadParts } from "./consistency.ts";
import { empty, json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { operatorRoutes } from "./openapi/routes/operator.ts";

/** Consul 1.8's, which the group's messages do not depend on. */
const protocolVersion = "3";

export function operatorArea(parts: ReadParts): AreaOf<typeof operatorRoutes> {
  return {
    "/v1/operator/raft/configuration": { GET: (request) => configuration(parts, request) },
    "/v1/operator/raft/peer": {
      DELETE: async (request) => {
        await parts.cluster.removeServer(chosen(request), request.writeOptions);
        return empty(200);
      },
    },
    "/v1/operator/raft/transfer-leader": {
      POST: async (request) => {
        await parts.cluster.transferLeadership(request.query.get("id"), request.writeOptions);
        return json('{"Success":true}');
      },
    },
    "/v1/operator/usage": { GET: (request) => usage(parts, request) },
    ...autopilotArea(parts),
  };
}

/** Every datacenter that can be reached, which is one: `global` adds none. */
async function usage(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const options = parseReadOptions(parts, request, { kind: "plain" });
  const { index, lastContactMs, knownLeader, body } = await parts.cluster.read(
    "catalog.usage",
    {},
    withoutWaiting(options),
  );
  const meta = encodeJson({
    Index: index,
    LastContact: Math.round(lastContactMs * 1e6),
    KnownLeader: knownLeader,
    ConsistencyLevel: effectiveConsistency(options),
    NotModified: false,
    Backend: 0,
    ResultsFilteredByACLs: false,
  });
  return json(`{"Usage":${body},${meta.slice(1)}`);
}

async function configuration(parts: ReadParts, request: ApiRequest): Promise<Reply> {
  const { consistency, ...options } = parseReadOptions(parts, request, { kind: "plain" });
  const servers = await parts.cluster.servers({ ...options, stale: consistency === "stale" });
  return json(
    encodeOrdered({
      Servers: servers.map(({ id, name, address, leader, voter }) => ({
        ID: id,
        Node: name,
        Address: address,
        Leader: leader,
        ProtocolVersion: protocolVersion,
        Voter: voter,
      })),
      Index: 0,
    }),
  );
}

function chosen({ query }: ApiRequest): ServerChoice {
  const id = query.get("id");
  const address = query.get("address");
  if (id !== "" && address !== "") {
    throw new ServiceError("bad-request", "Must specify only one of ?id or ?address");
  }
  if (id !== "") return { id };
  if (address !== "") return { address };
  const text =
    "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove";
  throw new ServiceError("bad-request", text);
}
