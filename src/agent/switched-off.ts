// The part of `DebugConfig` in `/v1/agent/self` that is about what this agent does not have: shown as Consul shows it
// when it is switched off, for clients that look before they use it.

import type { JsonValue } from "../core/model/json.ts";

export const switchedOff: Readonly<Record<string, JsonValue>> = {
  ACLTokenReplication: false,
  ConnectMeshGatewayWANFederationEnabled: false,
  ConnectTestCALeafRootChangeSpread: "0s",
  DisableRemoteExec: true,
  DisableUpdateCheck: true,
  EnableDebug: false,
  EncryptVerifyIncoming: false,
  EncryptVerifyOutgoing: false,
  GRPCAddrs: [],
  NonVotingServer: false,
  PrimaryGateways: [],
  SegmentName: "",
  Segments: [],
  VersionPrerelease: "",
  Watches: [],
};
