// What the deployer, or the host agent that started these objects, decided: plain data, the same on every platform.

import type { GivenDnsSettings } from "../../src/core/dns/given-settings.ts";
import type { AutopilotConfig } from "../../src/core/model/autopilot.ts";
import type { ConfigEntry } from "../../src/core/model/config-entry/types.ts";
import type { JsonValue } from "../../src/core/model/json.ts";

/** Where a Durable Object should live when it is first created. */
export type LocationHint = "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me";

export const defaultResolver = "https://cloudflare-dns.com/dns-query";

export interface DatacenterSettings {
  /** How many servers the datacenter wishes to have. */
  servers: number;
  /** Location hint of server n, repeated when there are fewer hints than servers. */
  hints?: LocationHint[];
  /**
   * Objects that keep services registered at the Worker's URL; absent: 1. It may grow at any time, and must not shrink:
   * services of an object that is no longer counted are neither shown nor kept up to date.
   */
  agents?: number;
  /** Regions from which HTTP and TCP checks of services at the Worker's URL are run; absent: one, wherever it is. */
  checkers?: LocationHint[];
  /** How many of them must agree on a status; absent: more than half. */
  checkersAgreeing?: number;
  /** Pools over which agents of hosts are spread, each for about 2,000; absent: 1. It may change at any time. */
  pools?: number;
}

/** One server of a self-hosted process, as the host agent that started it wants it. */
export interface HostedServer {
  id: string;
  /** Node name. */
  name: string;
  /** `ip:port` under which Consul's clients know it and peers on other hosts reach it. */
  address: string;
}

/** Present only where a host agent started the objects; absent on Cloudflare. */
export interface HostSettings {
  servers: HostedServer[];
  /** Servers that must have found each other before the first configuration is written; 0: wait to be taken in. */
  bootstrapExpect: number;
  timing: "local" | "lan";
  /** Draws a new one at each start, so that an orphan cannot be mistaken for this process. */
  startId: string;
  /** The Worker's own API answers, too, to this host. */
  edge?: boolean;
}

/** Who may do what; a datacenter without it lets everybody do everything. */
export interface AclServerSettings {
  defaultPolicy: "allow" | "deny";
  keyListPolicy: boolean;
  /** Secret of a management token that the leader makes when it is missing; "" for none. */
  masterToken: string;
  /** The datacenter whose policies, roles and tokens are copied; absent in that one itself. */
  primary?: string;
}

/** A deployment without a word about it is closed; on hosts the agent's configuration says all. */
export function aclOf({ ACL, HOST }: Settings): AclServerSettings | undefined {
  return ACL ?? (HOST ? undefined : closed);
}

const closed: AclServerSettings = { defaultPolicy: "deny", keyListPolicy: false, masterToken: "" };

/** Connect is enabled; without it there are no certificates. */
export interface ConnectSettings {
  /** Names the trust domain, `<clusterId>.consul`; absent: drawn once. */
  clusterId?: string;
  /** What the authority begins with, as `Config` of `/v1/connect/ca/configuration`; later it is set there. */
  config?: Record<string, JsonValue>;
}

export interface Settings {
  DEFAULT_DC: string;
  DATACENTERS: Record<string, DatacenterSettings>;
  /** Which of them has the ACLs and configuration entries that the others copy; absent: the default one. */
  PRIMARY_DC?: string;
  HOST?: HostSettings;
  ACL?: AclServerSettings;
  CONNECT?: ConnectSettings;
  /** Resolver over HTTPS with the JSON form, asked where a check would lead; absent: {@link defaultResolver}. */
  CHECK_RESOLVER?: string;
  /** How the Worker's own DNS over HTTPS answers. */
  DNS?: GivenDnsSettings;
  /** What a new datacenter's autopilot begins with; absent: Consul's defaults. */
  AUTOPILOT?: AutopilotConfig;
  /**
   * A pool looks for agents that fell silent at most this often, in ms. Absent: when one may be overdue, every 25 to
   * 40 s; on Cloudflare each look costs an object request and a row written, together about $0.10 a month.
   */
  SWEEP_INTERVAL_MS?: number;
  /** Members that have been failed for so long are deregistered; absent: after 72 h. */
  RECONNECT_TIMEOUT_MS?: number;
  /** Configuration entries that the first leader creates. */
  CONFIG_ENTRIES?: ConfigEntry[];
  /** Shared by self-hosted servers; never given to client hosts. */
  SERVER_KEY?: string;
  /** Known to the host agent that started these objects and to nobody else. */
  AGENT_KEY?: string;
  /** By which hosts know releases of the agent, SPKI as base64; absent: the deployment hands out none. */
  INSTALL_KEY?: string;
  /** Whoever knows it makes a deployment's first token. */
  DEPLOY_SECRET?: string;
  /** Lets the first token be made again: the index that a refused bootstrap has named. */
  ACL_BOOTSTRAP_RESET?: string;
  /** Seals the keys that a deployment gives out; a second one, behind a comma, still opens what it has sealed. */
  KEY_SECRET?: string;
  /** Requests without a token reach the servers, to do what the anonymous token may; absent: they do not. */
  ANONYMOUS?: boolean;
}
