// How agents speak to each other: where, how often, and sealed or not.

import { reconnectTimeoutMs } from "../../core/gossip/liveness.ts";
import type { HostAddress } from "./addresses.ts";
import { ConfigError } from "./errors.ts";
import type { ConfigValues } from "./keys.ts";
import { oneAddress } from "./network.ts";
import { listProblems } from "./parse.ts";
import type { GossipConfig } from "./types.ts";

/** Throws ConfigError. */
export function resolveGossip(
  values: ConfigValues,
  host: readonly HostAddress[],
  bindAddress: string,
): GossipConfig {
  return {
    bindAddress: oneAddress("serf_lan", values.serf_lan, host) ?? bindAddress,
    verifyIncoming: values.encrypt_verify_incoming,
    verifyOutgoing: values.encrypt_verify_outgoing,
    keyringFile: !values.disable_keyring_file && values.data_dir !== "",
    // As in Consul, none is as good as the usual one.
    reconnectTimeoutMs:
      values.reconnect_timeout > 0 ? values.reconnect_timeout : reconnectTimeoutMs,
    timing: {
      probeIntervalMs: positive("gossip_lan.probe_interval", values),
      probeTimeoutMs: positive("gossip_lan.probe_timeout", values),
      suspicionMult: positive("gossip_lan.suspicion_mult", values),
      retransmitMult: positive("gossip_lan.retransmit_mult", values),
      gossipIntervalMs: positive("gossip_lan.gossip_interval", values),
      gossipNodes: positive("gossip_lan.gossip_nodes", values),
    },
  };
}

type TimingKey = Extract<keyof ConfigValues, `gossip_lan.${string}`>;

function positive(key: TimingKey, values: ConfigValues): number {
  if (values[key] > 0) return values[key];
  throw new ConfigError(listProblems([`${key} must be greater than zero`]));
}
