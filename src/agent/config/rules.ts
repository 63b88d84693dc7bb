// What a configuration may not say, with Consul's texts and in its order, and what deserves a
// warning.

import { memberOf } from "../../core/model/ca-configuration.ts";
import { statSync } from "node:fs";
import { isIP } from "node:net";
import { metaProblem } from "../../core/model/registration.ts";
import { telemetryError, telemetryWarnings } from "./telemetry.ts";
import { isAny, isLoopback, isNear } from "./addresses.ts";
import type { ResolvedAgentConfig } from "./types.ts";
import type { ConfigValues } from "./keys.ts";

type Resolved = Omit<ResolvedAgentConfig, "nodeId" | "debug" | "warnings">;

const datacenterName = /^[a-z0-9_-]+$/;
const dnsLabel = /^[a-zA-Z0-9-]{1,63}$/;
const logLevels = ["TRACE", "DEBUG", "INFO", "WARN", "ERR", "ERROR"];

/**
 * The first thing that is wrong, or null. `values` as they were given, `config` as they are meant.
 */
export function configError(values: ConfigValues, config: Resolved): string | null {
  for (const rule of rules) {
    const problem = rule(values, config);
    if (problem !== null) return problem;
  }
  return null;
}

type Rule = (values: ConfigValues, config: Resolved) => string | null;

const when = (broken: boolean, text: string): string | null => (broken ? text : null);

const rules: readonly Rule[] = [
  (_values, { datacenter }) => when(datacenter === "", "datacenter cannot be empty"),
  (_values, { datacenter }) =>
    when(
      !datacenterName.test(datacenter),
      `datacenter cannot be "${datacenter}". Please use only [a-z0-9-_]`,
    ),
  (_values, { dataDir, devMode }) => when(dataDir === "" && !devMode, "data_dir cannot be empty"),
  (_values, { dataDir }) => when(isFile(dataDir), `data_dir "${dataDir}" is not a directory`),
  (values) => uiPathError(values),
  (values) =>
    when(
      values["performance.raft_multiplier"] < 1 || values["performance.raft_multiplier"] > 10,
      `performance.raft_multiplier cannot be ${values["performance.raft_multiplier"]}. ` +
        "Must be between 1 and 10",
    ),
  (_values, { nodeName }) => when(nodeName === "", "node_name cannot be empty"),
  (_values, { checkOutputBytesMax }) =>
    when(
      checkOutputBytesMax < 1,
      "check_output_max_size must be positive, to discard check output use the " +
        "discard_check_output flag",
    ),
  (values) =>
    when(values["addresses.dns"].includes("unix://"), "DNS address cannot be a unix socket"),
  (_values, { dns }) =>
    when(
      dns.recursors.some((address) => /^(0\.0\.0\.0|::|\[::\])(:\d+)?$/.test(address)),
      "DNS recursor address cannot be 0.0.0.0, :: or [::]",
    ),
  (_values, config) =>
    when(
      config.bootstrapExpect < 0,
      `bootstrap_expect cannot be ${config.bootstrapExpect}. Must be greater than or equal to zero`,
    ),
  (values) => negative(values, "dns_config.udp_answer_limit"),
  (values) => negative(values, "dns_config.a_record_limit"),
  (values) => negative(values, "autopilot.max_trailing_logs"),
  (_values, config) =>
    when(
      config.bootstrapExpect > 0 && config.devMode,
      "'bootstrap_expect > 0' not allowed in dev mode",
    ),
  (_values, config) =>
    when(
      config.bootstrapExpect > 0 && !config.server,
      "'bootstrap_expect > 0' requires 'server = true'",
    ),
  (_values, config) =>
    when(
      config.bootstrapExpect > 0 && config.bootstrap,
      "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive",
    ),
  (_values, config) =>
    when(config.bootstrap && !config.server, "'bootstrap = true' requires 'server = true'"),
  (values, { server }) =>
    when(values["auto_encrypt.tls"] && server, "auto_encrypt.tls can only be used on a client."),
  (values, { server }) =>
    when(
      values["auto_encrypt.allow_tls"] && !server,
      "auto_encrypt.allow_tls can only be used on a server.",
    ),
  (values) =>
    when(
      values["auto_encrypt.allow_tls"] && (values.cert_file === "" || values.key_file === ""),
      "auto_encrypt.allow_tls needs cert_file and key_file: certificates are given by TLS only",
    ),
  (values) =>
    when(
      values.segment !== "" || hasSome(values.segments),
      "Network segments are not supported in this version of Consul",
    ),
  (values) => {
    const problem = metaProblem(values.node_meta);
    return problem === null ? null : `node_meta invalid: ${problem}`;
  },
  (values) => encryptError(values.encrypt),
  (_values, { ports, addresses }) =>
    when(
      ports.http > 0 && ports.http === ports.dns && addresses.http[0] === addresses.dns[0],
      `HTTP address ${addresses.http[0]}:${ports.http} already configured for DNS`,
    ),
  (values) =>
    when(
      !logLevels.includes(values.log_level.toUpperCase()),
      `Invalid log level: ${values.log_level}. Valid log levels are: [${logLevels.join(" ")}]`,
    ),
  joinError,
  telemetryError,
  (_values, config) => certificateError(config),
  (_values, config) => openToAll(config),
  (_values, { serverKey }) =>
    when(serverKey !== "" && serverKey.length < 16, "server_key must be 16 bytes or more"),
  (_values, { servers, server }) =>
    when(servers < 0 || (server && servers < 1), "-servers must be at least 1"),
  (_values, { runtime, server, tls }) =>
    when(
      server && tls.verifyOutgoing && runtime !== "node",
      `verify_outgoing needs -runtime node: servers that ${runtime} runs cannot show a certificate`,
    ),
  (_values, { runtime, ports }) =>
    when(
      runtime === "node" && ports.edge > 0,
      "-edge-port needs -runtime workerd or miniflare: only there a Worker runs",
    ),
  (_values, { runtime }) =>
    when(
      !["workerd", "node", "miniflare"].includes(runtime),
      "-runtime must be 'workerd', 'node' or 'miniflare'",
    ),
];

/** Clouds have tools that tell who is there, so none of their libraries is built in. */
function joinError(values: ConfigValues): string | null {
  const started = [...values.start_join, ...values.start_join_wan];
  const all = [...started, ...values.retry_join, ...values.retry_join_wan];
  const cloud = all.find((address) => address.includes("provider="));
  if (cloud !== undefined) {
    return (
      `retry_join: "${cloud}": cloud providers are not built in. Use "exec=COMMAND" with a command ` +
      "that prints the addresses of agents"
    );
  }
  const command = started.find((address) => address.startsWith("exec="));
  return when(command !== undefined, `start_join: "${command}": commands belong into retry_join`);
}

/** Who gives a certificate that nobody is shown is not to think that it protects. */
function certificateError({ ports, tls, server }: Resolved): string | null {
  const { certFile, keyFile } = tls;
  if ((certFile === "") !== (keyFile === "")) {
    const [given, missing] =
      certFile === "" ? ["key_file", "cert_file"] : ["cert_file", "key_file"];
    return `${given} is set without ${missing}: neither is of use without the other`;
  }
  if (ports.dnsTls > 0 && certFile === "") return "ports.dns_tls needs cert_file and key_file";
  const isServed = ports.dnsTls > 0 || ports.https > 0 || server;
  const isShown = isServed || tls.verifyOutgoing || tls.usedForChecks;
  return when(
    certFile !== "" && !isShown,
    "cert_file is set, but nobody would be shown it: this agent has no ports.https, no ports.dns_tls and no " +
      "servers, and verify_outgoing is off. Set what is to be protected, or remove cert_file.",
  );
}

/** A public address in front of doors without a lock. */
function openToAll(config: Resolved): string | null {
  const { server, bindAddress, advertiseAddress, bootstrapExpect, gossipKey, serverKey } = config;
  const address = [bindAddress, advertiseAddress].find((one) => !isAny(one) && !isNear(one));
  const hasKeys = gossipKey !== "" && (serverKey !== "" || bootstrapExpect <= 1);
  const locked = hasKeys || knowsServers(config);
  return when(
    server && address !== undefined && !locked,
    `the address ${address} is public, and whoever reaches it could join: set a gossip key ` +
      "(-encrypt) and a server_key, which every server shares, or certificates with verify_incoming and " +
      "verify_server_hostname, or use a private address",
  );
}

/** By certificates, which everybody who comes must show. */
function knowsServers({ tls }: Resolved): boolean {
  return tls.verifyIncomingRpc && tls.verifyServerHostname;
}

function hasSome(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== null;
}

function isFile(path: string): boolean {
  return path !== "" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

function uiPathError(values: ConfigValues): string | null {
  const path = values["ui_config.content_path"] || values.ui_content_path;
  const shown = `/${path.replace(/^\/|\/$/g, "")}/`;
  return when(
    !/^[-_/\w]*$/.test(path),
    `ui-content-path can only contain alphanumeric, -, _, or /. received: ${shown}`,
  );
}

function negative(
  values: ConfigValues,
  path: "dns_config.udp_answer_limit" | "dns_config.a_record_limit" | "autopilot.max_trailing_logs",
): string | null {
  const value = values[path];
  return when(value < 0, `${path} cannot be ${value}. Must be greater than or equal to zero`);
}

const keyBytes = [16, 24, 32];

function encryptError(key: string): string | null {
  if (key === "") return null;
  const body = /^[A-Za-z0-9+/]*={0,2}/.exec(key)?.[0] ?? "";
  if (body.length !== key.length || key.length % 4 !== 0) {
    const bad = Math.min(body.length, Math.floor(key.length / 4) * 4);
    return `encrypt has invalid key: illegal base64 data at input byte ${bad}`;
  }
  const bytes = Buffer.from(key, "base64").length;
  return keyBytes.includes(bytes)
    ? null
    : "encrypt has invalid key: key size must be 16, 24 or 32 bytes";
}

const failureTolerance = "See https://www.consul.io/docs/internals/consensus.html#deployment-table";

/** One line each; Consul's, where it has one. */
export function configWarnings(values: ConfigValues, config: Resolved): string[] {
  const { bootstrapExpect: expect, nodeName } = config;
  const open = config.http.allowWriteHttpFrom.length === 0;
  const { allowTls } = config.tls.autoEncrypt;
  const warnings: [boolean, string][] = [
    [
      allowTls && !config.tls.verifyIncomingRpc,
      "if auto_encrypt.allow_tls is turned on, either verify_incoming or verify_incoming_rpc should be enabled. " +
        "It is necessary to turn it off during a migration to TLS, but it should definitely be turned on afterwards.",
    ],
    ...values["auto_encrypt.ip_san"].map((given): [boolean, string] => [
      isIP(given) === 0,
      `Cannot parse ip ${JSON.stringify(given)} from AutoEncrypt.IPSAN`,
    ]),
    [
      !dnsLabel.test(nodeName),
      `Node name "${nodeName}" will not be discoverable via DNS due to invalid characters. ` +
        "Valid characters include all alpha-numerics and dashes.",
    ],
    [
      values.bootstrap_expect === 1,
      "BootstrapExpect is set to 1; this is the same as Bootstrap mode.",
    ],
    [
      expect === 2,
      "bootstrap_expect = 2: A cluster with 2 servers will provide no failure tolerance. " +
        failureTolerance,
    ],
    [
      expect > 2 && expect % 2 === 0,
      "bootstrap_expect is even number: A cluster with an even number of servers does not " +
        `achieve optimum fault tolerance. ${failureTolerance}`,
    ],
    [expect > 0, `bootstrap_expect > 0: expecting ${expect} servers`],
    [config.bootstrap, "bootstrap = true: do not enable unless necessary"],
    [
      config.enableScriptChecks && open,
      "using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS, " +
        "use enable-local-script-checks instead",
    ],
    [
      config.server &&
        !isLoopback(config.bindAddress) &&
        !(config.gossipKey && config.serverKey) &&
        !knowsServers(config),
      `without ${missingKeys(config)} the ports ${config.ports.server} and ${config.ports.serfLan} ` +
        "trust every loopback and private address that reaches them",
    ],
    [
      config.server &&
        config.primaryDatacenter !== config.datacenter &&
        memberOf(config.connect.caConfig, "RootCert") !== null,
      "connect.ca_config: root_cert and its private_key are not used here, the root is that of " +
        config.primaryDatacenter,
    ],
    [
      config.server && config.tls.verifyIncomingRpc && !config.tls.verifyOutgoing,
      "verify_incoming is set and verify_outgoing is not: this server cannot reach others that are set up alike",
    ],
    [
      config.gossipKey !== "" && !config.tls.verifyOutgoing,
      "encrypt seals what agents say to each other, and admits only those who know the key; what encrypts " +
        "their traffic with servers is verify_outgoing",
    ],
  ];
  const own = warnings.flatMap(([applies, text]) => (applies ? [text] : []));
  return [...own, ...telemetryWarnings(values)];
}

function missingKeys({ gossipKey, serverKey }: Resolved): string {
  const missing = [gossipKey === "" ? "encrypt" : "", serverKey === "" ? "server_key" : ""];
  return missing.filter((key) => key !== "").join(" and ");
}
