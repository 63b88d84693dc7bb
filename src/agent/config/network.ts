// Where an agent listens and where others find it.

import {
  expandAddresses,
  ipAddress,
  isAny,
  privateAddresses,
  type HostAddress,
} from "./addresses.ts";
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
  const bindAddress = ipAddress(bound[0] ?? "");
  if (bindAddress === null) throw new ConfigError("bind_addr cannot be empty");
  const advertised =
    values.advertise_addr || values.advertise_addr_ipv4 || values.advertise_addr_ipv6;
  const advertiseAddress =
    oneAddress("advertise_addr", advertised, host) ?? advertiseDefault(bindAddress, host, devMode);
  const advertisedWan =
    values.advertise_addr_wan || values.advertise_addr_wan_ipv4 || values.advertise_addr_wan_ipv6;
  const advertiseAddressWan =
    oneAddress("advertise_addr_wan", advertisedWan, host) ?? advertiseAddress;
  if (isAny(advertiseAddress) || isAny(advertiseAddressWan)) {
    throw new ConfigError("Advertise address cannot be 0.0.0.0, :: or [::]");
  }
  const clientAddresses = listenAddresses("client_addr", values.client_addr, host);
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

function advertiseDefault(bind: string, host: readonly HostAddress[], devMode: boolean): string {
  if (!isAny(bind)) return bind;
  if (devMode) return "127.0.0.1";
  const found = privateAddresses(host);
  const hint = "Please configure one with 'bind' and/or 'advertise'.";
  if (found.length > 1) throw new ConfigError(`Multiple private IPv4 addresses found. ${hint}`);
  if (found[0] === undefined) throw new ConfigError(`No private IPv4 address found. ${hint}`);
  return found[0];
}

/** Null when nothing was given. */
function oneAddress(key: string, text: string, host: readonly HostAddress[]): string | null {
  if (text === "") return null;
  const [address = ""] = listenAddresses(key, text, host);
  return address;
}

function listenAddresses(key: string, text: string, host: readonly HostAddress[]): string[] {
  return expandAddresses(key, text, host).map((part) => {
    if (part.startsWith("unix://")) return part;
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
