// The API of a datacenter with ACLs, with an administrator and tokens for whoever a test needs.

import { ApiClient } from "./api-client.ts";

export const administrator = "e95b599e-166e-7d80-08ad-aee76e7ddf19";

export class AclClient extends ApiClient {
  #policies = 0;

  constructor(options: { defaultPolicy?: "allow" | "deny"; keyListPolicy?: boolean } = {}) {
    const { defaultPolicy = "deny", keyListPolicy = false } = options;
    super(
      { settings: { aclEnabled: true }, uuid: () => crypto.randomUUID() },
      { acl: { defaultPolicy, keyListPolicy } },
    );
  }

  static async start(
    options: { defaultPolicy?: "allow" | "deny"; keyListPolicy?: boolean } = {},
  ): Promise<AclClient> {
    const client = new AclClient(options);
    const accessor = crypto.randomUUID();
    await client.cluster.writeOwn({ type: "acl.initialize", master: administrator, accessor });
    return client;
  }

  /** By the administrator; throws unless it succeeds. */
  async administer<Body>(method: string, path: string, body?: object | string): Promise<Body> {
    const answer = await this.as(administrator, method, path, body);
    if (answer.status !== 200)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json as Body;
  }

  async as(token: string | null, method: string, path: string, body?: object | string) {
    return await this.send(method, path, {
      ...(body !== undefined && { body }),
      ...(token !== null && { headers: { "X-Consul-Token": token } }),
    });
  }

  /** A token with a policy of its own. */
  async token(rules: string): Promise<{ secret: string; accessor: string; policy: string }> {
    const Name = `policy-${++this.#policies}`;
    const { ID } = await this.administer<{ ID: string }>("PUT", "/v1/acl/policy", {
      ...{ Name, Rules: rules },
    });
    const token = await this.administer<{ SecretID: string; AccessorID: string }>(
      ...(["PUT", "/v1/acl/token", { Policies: [{ ID }] }] as const),
    );
    return { secret: token.SecretID, accessor: token.AccessorID, policy: ID };
  }
}
