// Every key of a configuration file: its path, its type, what it is when nobody sets it, and what
// Proconsul does with it (test/agent/config-keys.test.ts holds it to that). Keys of Consul 1.8.7 (and a
// few later ones that newer packages write) that are not built are accepted, so that existing files
// load, and named in one warning each; what would be insecure without being built is refused.

/** `duration`: a Go duration in files, ms here. `map`: text to text. `objects`, `any`: not looked into. */
export interface KeyTypes {
  text: string;
  flag: boolean;
  integer: number;
  float: number;
  duration: number;
  texts: readonly string[];
  map: Readonly<Record<string, string>>;
  objects: readonly Readonly<Record<string, unknown>>[];
  any: unknown;
}

export type KeyType = keyof KeyTypes;

export interface ConfigKey<Type extends KeyType = KeyType> {
  type: Type;
  /**
   * `used`: code outside this folder reads it. `accepted`: known, not built; a
   * warning names it. `refused`: the same, but whoever sets it relies on being protected: any value
   * that is not in `harmless` keeps the agent from starting. `moot`: `harmless` is how it always is
   * here; any other value is warned about.
   */
  status: "used" | "accepted" | "refused" | "moot";
  initial: KeyTypes[Type];
  harmless: readonly KeyTypes[Type][];
}

const used = <Type extends KeyType>(type: Type, initial: KeyTypes[Type]): ConfigKey<Type> => ({
  type,
  status: "used",
  initial,
  harmless: [],
});

const initials: KeyTypes = {
  text: "",
  flag: false,
  integer: 0,
  float: 0,
  duration: 0,
  texts: [],
  map: {},
  objects: [],
  any: null,
};

const accepted = <Type extends KeyType>(
  type: Type,
  initial: KeyTypes[Type] = initials[type],
): ConfigKey<Type> => ({
  type,
  status: "accepted",
  initial,
  harmless: [],
});

const refused = <Type extends KeyType>(
  type: Type,
  ...harmless: KeyTypes[Type][]
): ConfigKey<Type> => ({
  type,
  status: "refused",
  initial: initials[type],
  harmless: [initials[type], ...harmless],
});

const moot = <Type extends KeyType>(
  type: Type,
  ...harmless: KeyTypes[Type][]
): ConfigKey<Type> => ({
  type,
  status: "moot",
  initial: initials[type],
  harmless,
});

const seconds = 1_000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

const identityKeys = {
  bootstrap: used("flag", false),
  bootstrap_expect: used("integer", 0),
  data_dir: used("text", ""),
  datacenter: used("text", "dc1"),
  disable_host_node_id: moot("flag", true),
  node_id: used("text", ""),
  node_meta: used("map", {}),
  node_name: used("text", ""),
  pid_file: used("text", ""),
  primary_datacenter: used("text", ""),
  server: used("flag", false),
  tagged_addresses: used("map", {}),
} as const;

const networkKeys = {
  "addresses.dns": used("text", ""),
  "addresses.http": used("text", ""),
  "addresses.https": used("text", ""),
  "addresses.grpc": accepted("text"),
  advertise_addr: used("text", ""),
  advertise_addr_ipv4: used("text", ""),
  advertise_addr_ipv6: used("text", ""),
  advertise_addr_wan: used("text", ""),
  advertise_addr_wan_ipv4: used("text", ""),
  advertise_addr_wan_ipv6: used("text", ""),
  bind_addr: used("text", "0.0.0.0"),
  client_addr: used("text", "127.0.0.1"),
  leave_on_terminate: used("flag", false),
  "ports.dns": used("integer", 8600),
  /** Ours: DNS over TLS, with the certificate of `cert_file`. */
  "ports.dns_tls": used("integer", -1),
  /** Ours: where the Worker itself answers, on loopback only, as at the URL of a deployment. */
  "ports.edge": used("integer", -1),
  "ports.expose_max_port": accepted("integer"),
  "ports.expose_min_port": accepted("integer"),
  "ports.grpc": { ...moot("integer", -1, 0), initial: -1 },
  "ports.http": used("integer", 8500),
  "ports.https": used("integer", -1),
  "ports.proxy_max_port": accepted("integer"),
  "ports.proxy_min_port": accepted("integer"),
  "ports.serf_lan": used("integer", 8301),
  "ports.serf_wan": used("integer", 8302),
  "ports.server": used("integer", 8300),
  "ports.sidecar_max_port": used("integer", 21_255),
  "ports.sidecar_min_port": used("integer", 21_000),
  rejoin_after_leave: moot("flag", false),
  retry_interval: used("duration", 30 * seconds),
  retry_join: used("texts", []),
  retry_max: used("integer", 0),
  skip_leave_on_interrupt: used("flag", false),
  start_join: used("texts", []),
  translate_wan_addrs: used("flag", false),
} as const;

const dnsKeys = {
  alt_domain: used("text", ""),
  "dns_config.a_record_limit": used("integer", 0),
  "dns_config.allow_stale": used("flag", true),
  "dns_config.cache_max_age": accepted("duration"),
  "dns_config.disable_compression": used("flag", false),
  "dns_config.enable_additional_node_meta_txt": used("flag", true),
  "dns_config.enable_truncate": used("flag", false),
  "dns_config.max_stale": used("duration", 87_600 * hours),
  "dns_config.node_ttl": used("duration", 0),
  "dns_config.only_passing": used("flag", false),
  "dns_config.prefer_namespace": accepted("flag"),
  "dns_config.recursor_timeout": used("duration", 2 * seconds),
  "dns_config.service_ttl": used("map", {}),
  "dns_config.soa.expire": used("integer", 86_400),
  "dns_config.soa.min_ttl": used("integer", 0),
  "dns_config.soa.refresh": used("integer", 3_600),
  "dns_config.soa.retry": used("integer", 600),
  "dns_config.udp_answer_limit": used("integer", 3),
  "dns_config.use_cache": moot("flag", true),
  domain: used("text", "consul."),
  recursors: used("texts", []),
} as const;

const httpKeys = {
  "http_config.allow_write_http_from": used("texts", []),
  "http_config.allowed_hosts": used("texts", []),
  "http_config.block_endpoints": used("texts", []),
  "http_config.response_headers": used("map", {}),
  "http_config.use_cache": used("flag", true),
  default_query_time: used("duration", 300 * seconds),
  discovery_max_stale: used("duration", 0),
  max_query_time: used("duration", 600 * seconds),
  session_ttl_min: used("duration", 0),
  "limits.http_max_conns_per_client": used("integer", 200),
  "limits.kv_max_value_size": used("integer", 524_288),
  "limits.rpc_max_burst": accepted("integer", 1_000),
  "limits.rpc_rate": accepted("float", -1),
  "limits.txn_max_req_len": used("integer", 524_288),
  "limits.https_handshake_timeout": used("duration", 5 * seconds),
  "limits.rpc_handshake_timeout": used("duration", 5 * seconds),
  "limits.rpc_max_conns_per_client": accepted("integer"),
  http_api_response_headers: used("map", {}),
  ui: used("flag", false),
  ui_content_path: used("text", "/ui/"),
  ui_dir: used("text", ""),
  "ui_config.enabled": used("flag", false),
  "ui_config.content_path": used("text", ""),
} as const;

const checkKeys = {
  check_output_max_size: used("integer", 4096),
  check_update_interval: used("duration", 5 * minutes),
  disable_coordinates: used("flag", false),
  discard_check_output: used("flag", false),
  enable_local_script_checks: used("flag", false),
  enable_script_checks: used("flag", false),
  "performance.leave_drain_time": accepted("duration", 5 * seconds),
  "performance.raft_multiplier": accepted("integer", 5),
  "performance.rpc_hold_timeout": accepted("duration"),
} as const;

const aclKeys = {
  "acl.default_policy": used("text", ""),
  "acl.down_policy": used("text", ""),
  "acl.enabled": used("flag", false),
  "acl.enable_key_list_policy": used("flag", false),
  "acl.enable_token_persistence": used("flag", false),
  "acl.enable_token_replication": moot("flag", false),
  "acl.policy_ttl": used("duration", 30 * seconds),
  "acl.role_ttl": used("duration", 30 * seconds),
  "acl.token_ttl": used("duration", 30 * seconds),
  "acl.tokens.agent": used("text", ""),
  "acl.tokens.agent_master": used("text", ""),
  "acl.tokens.default": used("text", ""),
  "acl.tokens.managed_service_provider": accepted("any"),
  "acl.tokens.master": used("text", ""),
  "acl.tokens.replication": accepted("text"),
  acl_agent_master_token: used("text", ""),
  acl_agent_token: used("text", ""),
  acl_datacenter: used("text", ""),
  acl_default_policy: used("text", ""),
  acl_down_policy: used("text", ""),
  acl_enable_key_list_policy: used("flag", false),
  acl_enforce_version_8: moot("flag", true),
  acl_master_token: used("text", ""),
  acl_replication_token: accepted("text"),
  acl_token: used("text", ""),
  acl_ttl: used("duration", 0),
  enable_acl_replication: moot("flag", false),
} as const;

const logKeys = {
  log_file: used("text", ""),
  log_json: used("flag", false),
  log_level: used("text", "INFO"),
  log_rotate_bytes: used("integer", 0),
  log_rotate_duration: used("duration", 0),
  log_rotate_max_files: used("integer", 0),
  enable_syslog: used("flag", false),
  syslog_facility: used("text", "LOCAL0"),
  "telemetry.metrics_prefix": used("text", "consul"),
  "telemetry.prometheus_retention_time": used("duration", 0),
  "telemetry.circonus_api_app": accepted("text"),
  "telemetry.circonus_api_token": accepted("text"),
  "telemetry.circonus_api_url": accepted("text"),
  "telemetry.circonus_broker_id": accepted("text"),
  "telemetry.circonus_broker_select_tag": accepted("text"),
  "telemetry.circonus_check_display_name": accepted("text"),
  "telemetry.circonus_check_force_metric_activation": accepted("text"),
  "telemetry.circonus_check_id": accepted("text"),
  "telemetry.circonus_check_instance_id": accepted("text"),
  "telemetry.circonus_check_search_tag": accepted("text"),
  "telemetry.circonus_check_tags": accepted("text"),
  "telemetry.circonus_submission_interval": accepted("text"),
  "telemetry.circonus_submission_url": accepted("text"),
  "telemetry.disable_hostname": used("flag", false),
  "telemetry.dogstatsd_addr": used("text", ""),
  "telemetry.dogstatsd_tags": used("texts", []),
  "telemetry.filter_default": used("flag", true),
  "telemetry.prefix_filter": used("texts", []),
  "telemetry.statsd_address": used("text", ""),
  "telemetry.statsite_address": used("text", ""),
} as const;

const gossipKeys = {
  "autopilot.cleanup_dead_servers": used("flag", true),
  "autopilot.disable_upgrade_migration": used("flag", false),
  "autopilot.last_contact_threshold": used("duration", 200),
  "autopilot.max_trailing_logs": used("integer", 250),
  "autopilot.min_quorum": used("integer", 0),
  "autopilot.redundancy_zone_tag": used("text", ""),
  "autopilot.server_stabilization_time": used("duration", 10 * seconds),
  "autopilot.upgrade_version_tag": used("text", ""),
  disable_keyring_file: used("flag", false),
  encrypt: used("text", ""),
  encrypt_verify_incoming: used("flag", true),
  encrypt_verify_outgoing: used("flag", true),
  "gossip_lan.gossip_interval": used("duration", 200),
  "gossip_lan.gossip_nodes": used("integer", 3),
  "gossip_lan.probe_interval": used("duration", 1 * seconds),
  "gossip_lan.probe_timeout": used("duration", 500),
  "gossip_lan.retransmit_mult": used("integer", 4),
  "gossip_lan.suspicion_mult": used("integer", 4),
  "gossip_wan.gossip_interval": accepted("duration"),
  "gossip_wan.gossip_nodes": accepted("integer"),
  "gossip_wan.probe_interval": accepted("duration"),
  "gossip_wan.probe_timeout": accepted("duration"),
  "gossip_wan.retransmit_mult": accepted("integer"),
  "gossip_wan.suspicion_mult": accepted("integer"),
  /** Ours: what servers of several hosts show each other; never given to hosts of clients. */
  server_key: used("text", ""),
  /** Ours: what this node shows when it joins a deployment for the first time. */
  join_token: used("text", ""),
  /** Whom an agent trusts: those who show certificates, and, beside the system's authorities, a deployment. */
  ca_file: used("text", ""),
  ca_path: used("text", ""),
  non_voting_server: moot("flag", false),
  primary_gateways: accepted("texts"),
  primary_gateways_interval: accepted("duration"),
  protocol: accepted("integer"),
  raft_protocol: accepted("integer"),
  raft_snapshot_interval: accepted("duration"),
  raft_snapshot_threshold: accepted("integer"),
  raft_trailing_logs: accepted("integer"),
  reconnect_timeout: used("duration", 0),
  reconnect_timeout_wan: accepted("duration"),
  retry_interval_wan: used("duration", 30_000),
  retry_join_wan: used("texts", []),
  retry_max_wan: used("integer", 0),
  segment: used("text", ""),
  segments: used("any", null),
  serf_lan: used("text", ""),
  serf_lan_allowed_cidrs: used("texts", []),
  serf_wan: accepted("text"),
  serf_wan_allowed_cidrs: accepted("texts"),
  start_join_wan: used("texts", []),
} as const;

const tlsKeys = {
  auto_config: refused("any"),
  "auto_encrypt.allow_tls": used("flag", false),
  "auto_encrypt.dns_san": used("texts", []),
  "auto_encrypt.ip_san": used("texts", []),
  "auto_encrypt.tls": used("flag", false),
  cert_file: used("text", ""),
  key_file: used("text", ""),
  server_name: used("text", ""),
  tls_cipher_suites: used("text", ""),
  tls_min_version: used("text", "tls12"),
  tls_prefer_server_cipher_suites: used("flag", false),
  verify_incoming: used("flag", false),
  verify_incoming_https: used("flag", false),
  verify_incoming_rpc: used("flag", false),
  verify_outgoing: used("flag", false),
  verify_server_hostname: used("flag", false),
} as const;

const otherKeys = {
  "cache.entry_fetch_max_burst": accepted("integer"),
  "cache.entry_fetch_rate": accepted("float"),
  "config_entries.bootstrap": used("objects", []),
  "connect.ca_config": used("any", null),
  "connect.ca_provider": refused("text", "consul"),
  "connect.enable_mesh_gateway_wan_federation": moot("flag", false),
  "connect.enable_serverless_plugin": moot("flag", false),
  "connect.enabled": used("flag", false),
  disable_anonymous_signature: moot("flag", true),
  disable_http_unprintable_char_filter: used("flag", false),
  disable_remote_exec: moot("flag", true),
  disable_update_check: moot("flag", true),
  enable_agent_tls_for_checks: used("flag", false),
  enable_central_service_config: used("flag", false),
  enable_debug: moot("flag", false),
  "rpc.enable_streaming": accepted("flag"),
  "unix_sockets.group": used("text", ""),
  "unix_sockets.mode": used("text", ""),
  "unix_sockets.user": used("text", ""),
  use_streaming_backend: accepted("flag"),
  watches: used("objects", []),
} as const;

export const configKeys = {
  ...identityKeys,
  ...networkKeys,
  ...dnsKeys,
  ...httpKeys,
  ...checkKeys,
  ...aclKeys,
  ...logKeys,
  ...gossipKeys,
  ...tlsKeys,
  ...otherKeys,
} satisfies Record<string, ConfigKey>;

export type KeyPath = keyof typeof configKeys;

/** A value for every key. */
export type ConfigValues = {
  [Path in KeyPath]: KeyTypes[(typeof configKeys)[Path]["type"]];
};

export function keyAt(path: string): ConfigKey | undefined {
  return Object.hasOwn(configKeys, path) ? configKeys[path as KeyPath] : undefined;
}

/** True for `ports`, because there is `ports.http`. */
export function isSection(path: string): boolean {
  return Object.keys(configKeys).some((key) => key.startsWith(`${path}.`));
}
