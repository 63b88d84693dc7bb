// Why a key that is accepted has no effect, in one line each: for the log, and for docs/coverage.md.

/** By the beginning of the key's path; the longest one counts. */
const reasons: Readonly<Record<string, string>> = {
  "acl.enable_token_replication": "tokens are copied wherever datacenters are joined",
  "acl.tokens.managed_service_provider": "it belongs to Consul Enterprise",
  "acl.tokens.replication": "datacenters know each other by other means than a token",
  acl_enforce_version_8: "rules of version 8 always hold",
  acl_replication_token: "datacenters know each other by other means than a token",
  "addresses.grpc": "there is no xDS server",
  "cache.": "what the agent remembers is followed, not fetched again",
  "connect.enable_mesh_gateway_wan_federation":
    "datacenters need no mesh gateways to reach each other",
  "connect.enable_serverless_plugin": "Consul 1.8 does not have it",
  disable_anonymous_signature: "nobody is called to ask for updates",
  disable_host_node_id: "node ids are drawn, never derived from the host",
  disable_remote_exec: "remote execution is always off",
  disable_update_check: "nobody is called to ask for updates",
  "dns_config.cache_max_age": "answers are kept as long as they are true",
  "dns_config.prefer_namespace": "it belongs to Consul Enterprise",
  "dns_config.use_cache":
    "DNS is always answered from the agent's memory, which follows the servers",
  enable_acl_replication: "what datacenters share is copied wherever they are joined",
  enable_debug: "there is no profiler of Go",
  gossip_wan: "servers of several datacenters do not probe each other",
  "limits.rpc_": "requests share one socket to a server, which has limits of its own",
  non_voting_server: "it belongs to Consul Enterprise",
  "performance.leave_drain_time": "requests on their way are answered before the agent ends",
  "performance.raft_multiplier":
    "servers wait for each other as long as the place where they run asks for",
  "performance.rpc_hold_timeout": "requests always wait seven seconds for a leader",
  "ports.grpc": "there is no xDS server",
  "ports.expose_": "no listeners are made for exposed checks",
  "ports.proxy_": "managed proxies ended with Consul 1.6",
  primary_gateways: "datacenters need no mesh gateways to reach each other",
  protocol: "there is one protocol",
  raft_protocol: "there is one version of Raft",
  raft_: "servers choose themselves when to make snapshots",
  reconnect_timeout_wan: "servers of other datacenters are those of which their leaders tell",
  rejoin_after_leave: "whoever is told whom to join does so at every start",
  "rpc.enable_streaming": "views are always followed over one socket",
  serf_wan: "servers of other datacenters come in at bind_addr",
  "telemetry.circonus_": "metrics are not sent to Circonus",
  use_streaming_backend: "views are always followed over one socket",
};

/** "" where nothing is said. */
export function whyIgnored(path: string): string {
  const known = Object.keys(reasons).filter((beginning) => path.startsWith(beginning));
  const [longest = ""] = known.toSorted((one, other) => other.length - one.length);
  return reasons[longest] ?? "";
}
