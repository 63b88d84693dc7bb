// `/v1/acl/login` and `/v1/acl/logout`.

import { type LoginRequest, loginSchema } from "../../core/model/auth/types.ts";
import type { loginRoutes } from "../openapi/routes/acl-auth.ts";
import { json, type Reply } from "../reply.ts";
import type { ApiRequest } from "../request.ts";
import type { AclEndpoints, AclParts } from "./shared.ts";

export function loginEndpoints(parts: AclParts): AclEndpoints<typeof loginRoutes> {
  return {
    login: { POST: (request) => login(parts, request) },
    logout: { POST: (request) => logout(parts, request) },
  };
}

async function login({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  const prefix = "Bad request: Failed to decode request body: ";
  const asked = (await request.decode(loginSchema, "refuse", prefix)) as LoginRequest;
  const { datacenter: dc } = request;
  return json(await cluster.login(asked, dc === undefined ? {} : { dc }));
}

/** Whose token it is that asks is known to the server alone. */
async function logout({ cluster }: AclParts, request: ApiRequest): Promise<Reply> {
  await cluster.write({ type: "auth.logout", accessor: "" }, request.writeOptions);
  return json("true");
}
