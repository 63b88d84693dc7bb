// The flags of `proconsul agent`: Consul's, each with the key it sets, and a few of ours.

import type { KeyPath } from "./keys.ts";

/** Flags that are not keys of the configuration. */
export type SpecialFlag =
  | "config-dir"
  | "config-file"
  | "config-format"
  | "dev"
  | "hcl"
  | "runtime"
  | "servers";

export interface Flag {
  /** `pair`: `key:value`, may be repeated. `texts`: may be repeated. */
  kind: "flag" | "text" | "integer" | "duration" | "texts" | "pair";
  sets: KeyPath | SpecialFlag;
  help: string;
}

const row = (kind: Flag["kind"], sets: Flag["sets"], help: string): Flag => ({ kind, sets, help });

/** In alphabetical order, as help prints them. */
export const flags: Readonly<Record<string, Flag>> = {
  advertise: row("text", "advertise_addr", "Address that other nodes reach this one at."),
  "advertise-wan": row("text", "advertise_addr_wan", "The same, for other datacenters."),
  "allow-write-http-from": row(
    "texts",
    "http_config.allow_write_http_from",
    "Network (CIDR) that may call write endpoints. May be repeated.",
  ),
  "alt-domain": row("text", "alt_domain", "A second DNS domain to answer for."),
  bind: row("text", "bind_addr", "Address for communication with the cluster."),
  bootstrap: row("flag", "bootstrap", "Be the only server of a new cluster."),
  "bootstrap-expect": row(
    "integer",
    "bootstrap_expect",
    "Number of servers to wait for before a new cluster starts.",
  ),
  check_output_max_size: row(
    "integer",
    "check_output_max_size",
    "Longest output of a check that is kept, in bytes.",
  ),
  client: row("text", "client_addr", "Address for clients: HTTP and DNS."),
  "config-dir": row(
    "texts",
    "config-dir",
    "Directory whose .hcl and .json files are read in alphabetical order. May be repeated.",
  ),
  "config-file": row("texts", "config-file", "Configuration file to read. May be repeated."),
  "config-format": row(
    "text",
    "config-format",
    "Format of all configuration files whatever their names: 'hcl' or 'json'.",
  ),
  "data-dir": row("text", "data_dir", "Directory in which the agent keeps its state."),
  datacenter: row("text", "datacenter", "Datacenter of the agent."),
  "default-query-time": row(
    "duration",
    "default_query_time",
    "How long a blocking query waits unless it says otherwise.",
  ),
  dev: row("flag", "dev", "Development mode: one server that keeps nothing."),
  "disable-host-node-id": row(
    "flag",
    "disable_host_node_id",
    "Do not derive the node's id from the host.",
  ),
  "disable-keyring-file": row("flag", "disable_keyring_file", "Do not keep the gossip keys."),
  "dns-port": row("integer", "ports.dns", "Port of DNS; -1 turns it off."),
  "dns-tls-port": row(
    "integer",
    "ports.dns_tls",
    "Port of DNS over TLS, which needs cert_file and key_file; -1 turns it off.",
  ),
  domain: row("text", "domain", "DNS domain to answer for."),
  "edge-port": row(
    "integer",
    "ports.edge",
    "Port of the Worker itself, on loopback: what a deployment's URL answers. -1 turns it off.",
  ),
  "enable-local-script-checks": row(
    "flag",
    "enable_local_script_checks",
    "Allow script checks from configuration files.",
  ),
  "enable-script-checks": row(
    "flag",
    "enable_script_checks",
    "Allow script checks, also those registered over HTTP.",
  ),
  encrypt: row("text", "encrypt", "Gossip encryption key."),
  "grpc-port": row("integer", "ports.grpc", "Port of gRPC."),
  hcl: row("texts", "hcl", "A fragment of configuration in HCL. May be repeated."),
  "http-port": row("integer", "ports.http", "Port of the HTTP API; -1 turns it off."),
  "https-port": row(
    "integer",
    "ports.https",
    "Port of the HTTPS API, with cert_file and key_file.",
  ),
  join: row("texts", "start_join", "Agent to join once when starting. May be repeated."),
  "join-wan": row("texts", "start_join_wan", "Server of another datacenter to join."),
  "log-file": row("text", "log_file", "File to write the log to."),
  "log-json": row("flag", "log_json", "Write the log as JSON."),
  "log-level": row("text", "log_level", "trace, debug, info, warn or err."),
  "log-rotate-bytes": row("integer", "log_rotate_bytes", "Size at which the log file is changed."),
  "log-rotate-duration": row(
    "duration",
    "log_rotate_duration",
    "Time after which the log file is changed.",
  ),
  "log-rotate-max-files": row(
    "integer",
    "log_rotate_max_files",
    "Number of old log files to keep.",
  ),
  "max-query-time": row("duration", "max_query_time", "Longest wait of a blocking query."),
  node: row("text", "node_name", "Name of this node, unique in the cluster."),
  "node-id": row("text", "node_id", "UUID of this node; kept in the data directory when drawn."),
  "node-meta": row("pair", "node_meta", "Metadata of this node. May be repeated."),
  "non-voting-server": row("flag", "non_voting_server", "(Enterprise only.)"),
  "pid-file": row("text", "pid_file", "File to write the process id to."),
  "primary-gateway": row("texts", "primary_gateways", "Mesh gateway of the primary datacenter."),
  protocol: row("integer", "protocol", "Version of the protocol to speak."),
  "raft-protocol": row("integer", "raft_protocol", "Version of the Raft protocol to speak."),
  recursor: row("texts", "recursors", "DNS server for other domains. May be repeated."),
  rejoin: row("flag", "rejoin_after_leave", "Join again after an earlier leave."),
  "retry-interval": row("duration", "retry_interval", "Time between attempts to join."),
  "retry-interval-wan": row("duration", "retry_interval_wan", "The same, for other datacenters."),
  "retry-join": row("texts", "retry_join", "Agent to join, tried until it works. May be repeated."),
  "retry-join-wan": row("texts", "retry_join_wan", "The same, for other datacenters."),
  "retry-max": row("integer", "retry_max", "Number of attempts to join; 0: without end."),
  "retry-max-wan": row("integer", "retry_max_wan", "The same, for other datacenters."),
  runtime: row(
    "text",
    "runtime",
    "What runs the servers of this process: workerd, node or miniflare.",
  ),
  segment: row("text", "segment", "(Enterprise only.)"),
  "serf-lan-allowed-cidrs": row("texts", "serf_lan_allowed_cidrs", "Networks allowed to gossip."),
  "serf-lan-bind": row("text", "serf_lan", "Address for gossip."),
  "serf-lan-port": row("integer", "ports.serf_lan", "Port of gossip."),
  "serf-wan-allowed-cidrs": row(
    "texts",
    "serf_wan_allowed_cidrs",
    "The same, between datacenters.",
  ),
  "serf-wan-bind": row("text", "serf_wan", "Address for gossip between datacenters."),
  "serf-wan-port": row("integer", "ports.serf_wan", "Port of gossip between datacenters."),
  server: row("flag", "server", "Run a server in this process."),
  "server-port": row("integer", "ports.server", "Port of the servers."),
  servers: row("integer", "servers", "Number of servers to run in this process."),
  syslog: row("flag", "enable_syslog", "Write the log to syslog."),
  ui: row("flag", "ui", "Serve the web UI."),
  "ui-content-path": row("text", "ui_content_path", "Path of the web UI. Default: /ui/"),
  "ui-dir": row("text", "ui_dir", "Directory with a web UI of one's own."),
};
