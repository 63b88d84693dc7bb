// `/v1/agent` where ACLs are on: each request meets the agent as its token may use it.

import type { Authorizer } from "../core/acl/access.ts";
import type { LocalAgent } from "../ports/local-agent.ts";
import { agentArea } from "./agent.ts";
import type { Area, Handler, Method } from "./endpoint.ts";
import { RestrictedAgent } from "./restricted-agent.ts";

export interface AgentAclParts {
  agent: LocalAgent;
  nodeName: string;
  /** Rejects with ServiceError for a token that there is not. */
  authorizer(token: string | undefined): Promise<Authorizer>;
}

export function restrictedAgentArea({ agent, nodeName, authorizer }: AgentAclParts): Area {
  const restricted = (path: string, method: Method): Handler => {
    return async (request) => {
      const may = await authorizer(request.token);
      const area: Area = agentArea(new RestrictedAgent(agent, may, nodeName));
      const handler = area[path]?.[method];
      if (!handler) throw new Error(`${method} ${path} is an endpoint`);
      return await handler(request);
    };
  };
  return Object.fromEntries(
    Object.entries(agentArea(agent)).map(([path, endpoint]) => {
      const methods = Object.keys(endpoint) as Method[];
      return [path, Object.fromEntries(methods.map((each) => [each, restricted(path, each)]))];
    }),
  );
}
