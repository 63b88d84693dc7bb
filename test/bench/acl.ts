// A datacenter with ACLs, as it is measured: clients have a token that may do what the rows do, and no more.

import type { Agent } from "./processes.ts";

/** The administrator's token of every datacenter here; it is on loopback and gone after the run. */
export const administrator = "6f0f4c41-7f25-4bb5-9d0c-0a8a8e3f6c55";

const anonymous = "/v1/acl/token/00000000-0000-0000-0000-000000000002";
const rules = {
  clients: `
    key_prefix "bench/" { policy = "write" }
    key "watched" { policy = "write" }
    service_prefix "" { policy = "read" }
    node_prefix "" { policy = "read" }`,
  // DNS questions carry no token.
  anonymous: `
    service_prefix "" { policy = "read" }
    node_prefix "" { policy = "read" }`,
};

/** What an agent's configuration says. */
export function aclConfig(): object {
  const tokens = { master: administrator, agent: administrator };
  return { acl: { enabled: true, default_policy: "deny", tokens } };
}

/** Secret of a token for those who put load on the datacenter. */
export async function grantClients(agent: Agent): Promise<string> {
  for (const [Name, Rules] of Object.entries(rules)) {
    await agent.request("PUT", "/v1/acl/policy", JSON.stringify({ Name, Rules }));
  }
  const grant = (name: string): string => JSON.stringify({ Policies: [{ Name: name }] });
  await agent.request("PUT", anonymous, grant("anonymous"));
  const { text } = await agent.request("PUT", "/v1/acl/token", grant("clients"));
  return (JSON.parse(text) as { SecretID: string }).SecretID;
}
