// Where an agent listens and where others find it.

import {
  expandAddresses,
  ipAddress,
  isAny,
  privateAddresses,
  type HostAddress,
} from "./addresses.ts";
import { isDeployment } from "../link/server-list.ts";
import { ConfigError } from "./errors.ts";
import type { ConfigValues } from "./keys.ts";
import { listProblems } from "./parse.ts";
import type { AgentPorts, ResolvedAgentConfig } from "./types.ts";

type Network = Pick<
  ResolvedAgentConfig,
  | "bindAddress"
  | "advertiseAddress"
  | "advertiseAddressWan"
  | "clientAddresses"
  | "addresses"
  | "taggedAddresses"
>;

/** Throws ConfigError for addresses that cannot be used. */
export function resolveNetwork(
  values: ConfigValues,
  host: readonly HostAddress[],
  devMode: boolean,
): Network {
  const bound = expandAddresses("bind_addr", values.bind_addr, host);
  if (bound.length > 1) {
    throw new ConfigError(
      "bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead.",
    );
  }
  if (bound[0]?.startsWith(unixScheme)) throw new ConfigError("bind_addr cannot be a unix socket");
  const bindAddress = ipAddress(bound[0] ?? "");
  if (bindAddress === null) throw new ConfigError("bind_addr cannot be empty");
  const given = advertised("advertise_addr", values, host);
  const advertiseAddress =
    given ?? advertiseDefault(bindAddress, host, { devMode, isGuess: joinsDeployments(values) });
  const advertiseAddressWan = advertised("advertise_addr_wan", values, host) ?? advertiseAddress;
  if (isAny(advertiseAddress) || isAny(advertiseAddressWan)) {
    throw new ConfigError("Advertise address cannot be 0.0.0.0, :: or [::]");
  }
  const clientAddresses = listenAddresses("client_addr", values.client_addr, host);
  if (clientAddresses.some((address) => address.startsWith(unixScheme))) {
    throw new ConfigError(listProblems(["client_addr cannot be a unix socket"]));
  }
  const own = (key: "addresses.http" | "addresses.https" | "addresses.dns"): readonly string[] =>
    values[key] === "" ? clientAddresses : listenAddresses(key, values[key], host);
  return {
    bindAddress,
    advertiseAddress,
    advertiseAddressWan,
    clientAddresses,
    addresses: {
      http: own("addresses.http"),
      https: own("addresses.https"),
      dns: own("addresses.dns"),
    },
    taggedAddresses: {
      ...tagged("lan", advertiseAddress),
      ...tagged("wan", advertiseAddressWan),
      ...values.tagged_addresses,
    },
  };
}

function tagged(kind: "lan" | "wan", address: string): Record<string, string> {
  const family = address.includes(":") ? "ipv6" : "ipv4";
  return { [kind]: address, [`${kind}_${family}`]: address };
}

/** Who joins deployments alone is not called at its address, so the likeliest will do: many hosts have bridges. */
function joinsDeployments({ server, start_join, retry_join }: ConfigValues): boolean {
  const joined = [...start_join, ...retry_join];
  return !server && joined.length > 0 && joined.every(isDeployment);
}

/** What the host sends from where no route says otherwise, a private address first. */
function likeliest(host: readonly HostAddress[]): string | undefined {
  const outward = host.filter(({ isDefault, family }) => isDefault && family === "IPv4");
  return privateAddresses(outward)[0] ?? outward[0]?.address ?? privateAddresses(host)[0];
}

function advertiseDefault(
  bind: string,
  host: readonly HostAddress[],
  { devMode, isGuess }: { devMode: boolean; isGuess: boolean },
): string {
  if (!isAny(bind)) return bind;
  if (devMode) return "127.0.0.1";
  const guess = isGuess ? likeliest(host) : undefined;
  if (guess !== undefined) return guess;
  const found = privateAddresses(host);
  const hint = "Please configure one with 'bind' and/or 'advertise'.";
  if (found.length > 1) throw new ConfigError(`Multiple private IPv4 addresses found. ${hint}`);
  if (found[0] === undefined) throw new ConfigError(`No private IPv4 address found. ${hint}`);
  return found[0];
}

/** What was said for either family, the key of both first; null when nothing was. */
function advertised(
  key: "advertise_addr" | "advertise_addr_wan",
  values: ConfigValues,
  host: readonly HostAddress[],
): string | null {
  const both = oneAddress(key, values[key], host);
  const v4 = oneAddress(`${key}_ipv4`, values[`${key}_ipv4`], host);
  const v6 = oneAddress(`${key}_ipv6`, values[`${key}_ipv6`], host);
  if (v4?.includes(":")) throw new ConfigError(`${key}_ipv4 must be an ipv4 address`);
  if (v6 !== null && !v6.includes(":")) {
    throw new ConfigError(`${key}_ipv6 must be an ipv6 address`);
  }
  return both ?? v4 ?? v6;
}

/** Null when nothing was given. */
export function oneAddress(key: string, text: string, host: readonly HostAddress[]): string | null {
  const found = listenAddresses(key, text, host);
  const [address = null] = found;
  if (found.length > 1) {
    throw new ConfigError(listProblems([`${key}: multiple addresses found: ${found.join(" ")}`]));
  }
  if (address?.startsWith(unixScheme)) {
    throw new ConfigError(listProblems([`${key} cannot be a unix socket`]));
  }
  return address;
}

const unixScheme = "unix://";

function listenAddresses(key: string, text: string, host: readonly HostAddress[]): string[] {
  return expandAddresses(key, text, host).map((part) => {
    if (part.startsWith(unixScheme)) return part;
    const address = ipAddress(part);
    if (address === null) {
      throw new ConfigError(listProblems([`${key}: invalid ip address: ${part}`]));
    }
    return address;
  });
}

const portMax = 65_535;

/** Throws ConfigError for a port above 65535; every port below 1 is -1. */
export function resolvePorts(values: ConfigValues): AgentPorts {
  const port = (
    key:
      | "dns"
      | "dns_tls"
      | "edge"
      | "http"
      | "https"
      | "grpc"
      | "serf_lan"
      | "serf_wan"
      | "server",
  ): number => {
    const value = values[`ports.${key}`];
    if (value > portMax)
      throw new ConfigError(listProblems([`ports.${key}: invalid port: ${value}`]));
    return value <= 0 ? -1 : value;
  };
  return {
    dns: port("dns"),
    dnsTls: port("dns_tls"),
    edge: port("edge"),
    http: port("http"),
    https: port("https"),
    grpc: port("grpc"),
    serfLan: port("serf_lan"),
    serfWan: port("serf_wan"),
    server: port("server"),
    sidecarMin: values["ports.sidecar_min_port"],
    sidecarMax: values["ports.sidecar_max_port"],
  };
}
