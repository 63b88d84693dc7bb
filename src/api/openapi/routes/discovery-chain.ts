// `/v1/discovery-chain`, described.

import { meshGatewaySchema } from "../../../core/model/config-entry/schemas.ts";
import { text } from "../../../core/model/schema.ts";
import type { StructType } from "../../../core/model/schema.ts";
import { chainSchema } from "../../../core/state/tables/config/chain/types.ts";
import { json, object } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { reading } from "../parameters.ts";
import { string } from "../shapes.ts";

/** What a body may put in place of what entries say. */
export const overridesSchema = {
  kind: "struct",
  goName: "structs.discoveryChainReadRequest",
  fields: {
    OverrideMeshGateway: { type: meshGatewaySchema, alias: "override_mesh_gateway" },
    OverrideProtocol: { ...text, alias: "override_protocol" },
    OverrideConnectTimeout: {
      type: { kind: "duration", written: "text" },
      alias: "override_connect_timeout",
    },
  },
} as const satisfies StructType;

const chain = {
  path: { service: "The service that the chain begins with." },
  query: {
    ...reading,
    "compile-dc": { shape: string, description: "The datacenter that it is compiled for." },
  },
  answers: { 200: json(object({ Chain: { type: chainSchema } })) },
  indexed: true,
} as const;

export const discoveryChainRoutes = {
  "/v1/discovery-chain/{service}": {
    GET: { summary: "How requests for a service find its instances", ...chain },
    POST: {
      summary: "The same, with parts of it overridden",
      ...chain,
      body: { content: json(overridesSchema), lenient: true },
    },
  },
} as const satisfies Routes;
