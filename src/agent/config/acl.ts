// Who may do what, as the configuration says it: the section `acl`, and the flat keys that Consul had before 1.4.

import { ConfigError } from "./errors.ts";
import type { ConfigValues } from "./keys.ts";
import type { AclConfig, DownPolicy } from "./types.ts";

const downPolicies: readonly DownPolicy[] = ["allow", "deny", "extend-cache", "async-cache"];

/** Throws ConfigError for policies that there are not. */
export function resolveAcl(values: ConfigValues): AclConfig {
  const defaultPolicy = values["acl.default_policy"] || values.acl_default_policy || "allow";
  if (defaultPolicy !== "allow" && defaultPolicy !== "deny") {
    throw new ConfigError(`Unsupported default ACL policy: ${defaultPolicy}`);
  }
  const given = values["acl.down_policy"] || values.acl_down_policy || "extend-cache";
  const downPolicy = downPolicies.find((policy) => policy === given);
  if (!downPolicy) throw new ConfigError(`Unsupported down ACL policy: ${given}`);
  return {
    // The old key alone switched them on.
    enabled: values["acl.enabled"] || values.acl_datacenter !== "",
    defaultPolicy,
    downPolicy,
    keyListPolicy: values["acl.enable_key_list_policy"] || values.acl_enable_key_list_policy,
    ttlMs:
      values.acl_ttl ||
      Math.min(values["acl.token_ttl"], values["acl.policy_ttl"], values["acl.role_ttl"]),
    tokenPersistence: values["acl.enable_token_persistence"],
    tokens: {
      default: values["acl.tokens.default"] || values.acl_token,
      agent: values["acl.tokens.agent"] || values.acl_agent_token,
      agentMaster: values["acl.tokens.agent_master"] || values.acl_agent_master_token,
      replication: "",
    },
    masterToken: values["acl.tokens.master"] || values.acl_master_token,
  };
}
