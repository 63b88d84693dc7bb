// `/v1/acl`: who may do what. Where ACLs are off, every path exists with its methods all the same, so that clients can
// tell "disabled" (401) from "unknown" (404).

import { ServiceError } from "../../core/model/errors.ts";
import type { Area, Endpoint, Handler } from "../endpoint.ts";
import { json } from "../reply.ts";
import { authMethodEndpoints } from "./auth-methods.ts";
import { authorize, explain } from "./authorize.ts";
import { bindingRuleEndpoints } from "./binding-rules.ts";
import { legacyEndpoints } from "./legacy.ts";
import { loginEndpoints } from "./login.ts";
import { policyEndpoints } from "./policies.ts";
import type { AclParts } from "./shared.ts";
import { roleEndpoints } from "./roles.ts";
import { tokenEndpoints } from "./tokens.ts";

export function aclArea(parts: AclParts): Area {
  const { aclEnabled = false } = parts;
  const endpoints = {
    ...ofAcl(parts),
    ...tokenEndpoints(parts),
    ...policyEndpoints(parts),
    ...roleEndpoints(parts),
    ...legacyEndpoints(parts),
    ...authMethodEndpoints(parts),
    ...bindingRuleEndpoints(parts),
    ...loginEndpoints(parts),
  };
  // The first path that fits answers: plain ones before trees, and longer trees before shorter ones.
  const ordered = Object.entries(endpoints).toSorted(
    ([a], [b]) => Number(a.endsWith("/")) - Number(b.endsWith("/")) || b.length - a.length,
  );
  return {
    ...Object.fromEntries(
      ordered.map(([path, endpoint]) => [
        `/v1/acl/${path}`,
        aclEnabled ? endpoint : switchedOff(endpoint),
      ]),
    ),
    "/v1/internal/acl/authorize": {
      POST: (request) => (aclEnabled ? authorize(parts, request) : disabled()),
    },
    "/v1/internal/acl/explain": {
      POST: (request) => (aclEnabled ? explain(parts, request) : disabled()),
    },
  };
}

function switchedOff(endpoint: Endpoint): Endpoint {
  return Object.fromEntries(
    Object.keys(endpoint).map((method) => [method, disabled satisfies Handler]),
  );
}

function disabled(): never {
  throw new ServiceError("acl-disabled", "ACL support disabled");
}

function ofAcl({ cluster, uuid }: AclParts): Record<string, Endpoint> {
  return {
    bootstrap: {
      PUT: async ({ ownOptions }) =>
        json(
          await cluster.write(
            { type: "acl.bootstrap", accessor: uuid(), secret: uuid(), resetIndex: 0 },
            ownOptions,
          ),
        ),
    },
    /** Whatever token is shown. */
    replication: {
      GET: async ({ datacenter: dc }) => {
        const { body } = await cluster.read("acl.replication", {}, dc === undefined ? {} : { dc });
        return json(body ?? "");
      },
    },
  };
}
