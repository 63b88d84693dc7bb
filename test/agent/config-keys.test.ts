// No key of the configuration is accepted in silence: each is read by code, refused, or named in a warning; and so is
// every flag that the help lists. What a key called `used` changes is found by setting it; whether anybody outside
// src/agent/config reads that is found in the sources.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { ConfigError } from "../../src/agent/config/errors.ts";
import { agentHelp } from "../../src/agent/config/flags.ts";
import { flags } from "../../src/agent/config/flag-table.ts";
import { configKeys, type ConfigKey } from "../../src/agent/config/keys.ts";
import { whyIgnored } from "../../src/agent/config/reasons.ts";
import { mergeFragments } from "../../src/agent/config/merge.ts";
import { emptyFragment } from "../../src/agent/config/parse.ts";
import { resolveConfig } from "../../src/agent/config/resolve.ts";

type Resolved = ReturnType<typeof resolveConfig>;

/** What every probe starts from: as much of it matters as possible. */
const base: Record<string, unknown> = {
  node_name: "n1",
  data_dir: "/var/lib/proconsul",
  bind_addr: "127.0.0.1",
  server: true,
  // Neither counts without the others.
  "ports.dns_tls": 853,
  cert_file: "server.pem",
  key_file: "server.key",
  enable_syslog: true,
  "telemetry.prometheus_retention_time": 1_000,
};

function resolved(values: Record<string, unknown>): Resolved {
  const fragment = {
    ...emptyFragment(),
    values: new Map(Object.entries({ ...base, ...values }).filter(([, value]) => value !== null)),
  };
  return resolveConfig(mergeFragments(new Map(), [fragment]), {
    devMode: false,
    servers: null,
    runtime: "",
    hostName: "host1",
    hostAddresses: [{ interface: "eth0", address: "10.1.2.3", family: "IPv4" }],
  });
}

/** Values that are not the initial one, where the type does not suggest one. */
const probes: Record<string, unknown> = {
  "addresses.dns": "127.0.0.9",
  "addresses.http": "127.0.0.9",
  "addresses.https": "127.0.0.9",
  enable_syslog: false,
  "telemetry.dogstatsd_addr": "127.0.0.1:1",
  "telemetry.statsd_address": "127.0.0.1:1",
  "telemetry.statsite_address": "127.0.0.1:1",
  "telemetry.prefix_filter": ["+consul.http"],
  serf_lan: "127.0.0.9",
  advertise_addr: "10.9.9.9",
  advertise_addr_ipv4: "10.9.9.9",
  advertise_addr_ipv6: "fd00::9",
  advertise_addr_wan: "10.9.9.9",
  advertise_addr_wan_ipv4: "10.9.9.9",
  advertise_addr_wan_ipv6: "fd00::9",
  "auto_encrypt.ip_san": ["10.9.9.9"],
  bind_addr: "127.0.0.9",
  client_addr: "127.0.0.9",
  bootstrap_expect: 3,
  "connect.ca_config": { leaf_cert_ttl: "100h" },
  "connect.ca_provider": "vault",
  "dns_config.service_ttl": { web: "3s" },
  encrypt: Buffer.alloc(32, 1).toString("base64"),
  "http_config.allow_write_http_from": ["10.0.0.0/8"],
  serf_lan_allowed_cidrs: ["10.0.0.0/8"],
  log_level: "warn",
  tls_min_version: "tls13",
  tls_cipher_suites: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  server: false,
  skip_leave_on_interrupt: false,
  "performance.raft_multiplier": 2,
  "autopilot.max_trailing_logs": 9,
  server_key: "0123456789abcdef",
  "acl.default_policy": "deny",
  acl_default_policy: "deny",
  "acl.down_policy": "allow",
  acl_down_policy: "allow",
  acl_datacenter: "dc1",
  "acl.token_ttl": 1_000,
  "acl.policy_ttl": 1_000,
  "acl.role_ttl": 1_000,
  auto_config: { enabled: true },
  "config_entries.bootstrap": [{ kind: "service-defaults", name: "probe" }],
  // What its own machine alone reaches has a web UI unless it says otherwise.
  ui: false,
  "ui_config.enabled": false,
  node_id: "6e9810db-b4a6-bc65-ddbe-45a498270557",
};

/** What must be so for a key to be of use, where that is not the base. */
const beside: Record<string, Record<string, unknown>> = {
  "auto_encrypt.tls": { server: false },
};

function probeOf(path: string, { type, initial }: ConfigKey): unknown {
  if (Object.hasOwn(probes, path)) return probes[path];
  switch (type) {
    case "text":
      return "probe";
    case "flag":
      return !(initial as boolean);
    case "integer":
    case "float":
    case "duration":
      return (initial as number) + 7;
    case "texts":
      return ["probe"];
    case "map":
      return { probe: "probe" };
    case "any":
    case "objects":
    default:
      return [{ probe: true }];
  }
}

/** Dotted paths of the leaves in which two configurations differ. */
function differences(left: unknown, right: unknown, path = ""): string[] {
  if (JSON.stringify(left) === JSON.stringify(right)) return [];
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(left) || !isObject(right)) return [path];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  const inner = [...names].filter((name) => {
    return path !== "" || (name !== "debug" && name !== "warnings");
  });
  return inner.flatMap((name) =>
    differences(left[name], right[name], path === "" ? name : `${path}.${name}`),
  );
}

/** Sources without their comments. */
function sources(folder: string, except = " "): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(({ parentPath, name }) => name.endsWith(".ts") && !parentPath.startsWith(except))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"))
    .map((text) => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""))
    .join("\n");
}

/** Who may read a resolved configuration; its `dns` and its timing of gossip are handed on as a whole. */
const agentSources = sources("src/agent", "src/agent/config");
const dnsSources =
  agentSources + sources("src/core/dns").replace(/interface DnsSettings[\s\S]*?;\n\}/, "");
const gossipSources = agentSources + sources("src/core/gossip/swim");
/** Read as a whole: their members have the users' names. */
const maps = [
  "nodeMeta",
  "taggedAddresses",
  "dns.serviceTtlMs",
  "http.responseHeaders",
  "connect.caConfig",
  "autopilot",
];

/** Whether anything takes the last field of `a.b.c`, by a dot or out of braces. */
function isRead(leaf: string): boolean {
  const whole = maps.find((map) => leaf.startsWith(map)) ?? leaf;
  const field = whole.slice(whole.lastIndexOf(".") + 1);
  const handedOn = whole.startsWith("gossip.") ? gossipSources : agentSources;
  const text = whole.startsWith("dns.") ? dnsSources : handedOn;
  const taken = new RegExp(String.raw`\.${field}\b(?!\()`);
  const destructured = new RegExp(String.raw`\{[^{}()]*\b${field}\b[^{}()]*\}\s*(?::|=(?!=|>))`);
  return taken.test(text) || destructured.test(text);
}

const keys = Object.entries<ConfigKey>(configKeys);

function unread(path: string, key: ConfigKey): string | null {
  const also = beside[path] ?? {};
  const changed = differences(resolved(also), resolved({ ...also, [path]: probeOf(path, key) }));
  if (changed.length === 0) return `${path} is called used and changes nothing`;
  return changed.some(isRead) ? null : `${path} is called used; nobody reads ${changed.join(", ")}`;
}

describe("keys", () => {
  test("that are called used are read outside the configuration", () => {
    // Loading the files reads the first; a rule refuses every value of the others.
    const atLoading = new Set(["node_id", "segment", "segments"]);
    const problems = keys
      .filter(([path, { status }]) => status === "used" && !atLoading.has(path))
      .flatMap(([path, key]) => unread(path, key) ?? []);
    expect(problems).toEqual([]);
  });

  test("a planted key that nobody reads is found", () => {
    expect(isRead("nobodyReadsThis")).toBe(false);
    expect(isRead("http.nobodyReadsThis")).toBe(false);
    expect(unread("raft_protocol", configKeys.raft_protocol)).toBe(
      "raft_protocol is called used and changes nothing",
    );
  });

  test.each(keys.filter(([, { status }]) => status === "refused"))(
    "%s keeps the agent from starting, by its name",
    (path, key) => {
      for (const value of key.harmless) expect(() => resolved({ [path]: value })).not.toThrow();
      expect(() => resolved({ [path]: probeOf(path, key) })).toThrow(ConfigError);
      expect(() => resolved({ [path]: probeOf(path, key) })).toThrow(
        `${path} is set, but it is not built yet`,
      );
    },
  );

  test.each(keys.filter(([, { status }]) => status === "accepted" || status === "moot"))(
    "%s is warned about, by its name",
    (path, key) => {
      const value = key.status === "moot" ? oddValue(key) : probeOf(path, key);
      const why = whyIgnored(path);
      expect(why).not.toBe("");
      const said = `the configuration key ${path} is accepted but has no effect: ${why}`;
      expect(resolved({ [path]: value }).warnings).toContain(said);
      for (const harmless of key.harmless) {
        expect(resolved({ [path]: harmless }).warnings).not.toContain(said);
      }
    },
  );
});

function oddValue({ type, harmless }: ConfigKey): unknown {
  return type === "flag" ? harmless[0] !== true : "something else";
}

test("every flag that has no effect says so in the help", () => {
  const help = agentHelp().replaceAll(/\s+/g, " ");
  for (const [name, { sets }] of Object.entries(flags)) {
    const key = keys.find(([path]) => path === sets)?.[1];
    const shown = help.slice(help.indexOf(` -${name}`)).split(/ -[a-z_]/)[1] ?? "";
    if (key?.status === "accepted") expect(shown, name).toContain("(Has no effect yet.)");
  }
});
