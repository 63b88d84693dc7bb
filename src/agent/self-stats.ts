// `Stats` of `/v1/agent/self`: what Consul's agent tells of itself, its server and its gossip. Values are text. What is
// counted here by nobody is not shown.

import { cpus } from "node:os";

import type { LocalServices } from "../core/agent/local-services.ts";
import { consulVersion } from "../members.ts";
import type { ClusterStatus, RaftStatus } from "../ports/cluster.ts";
import type { AgentSelf, Member } from "../ports/local-agent.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";

export interface StatsParts {
  config: ResolvedAgentConfig;
  services: LocalServices;
  /** As the linked server tells it; null when none could be asked. */
  status: ClusterStatus | null;
  members: readonly Member[];
  /** How this agent speaks to others: sealed or not, and how much it doubts itself, from 0 to 8. */
  gossip: { isSealed: boolean; health: number };
}

const statusFailed = 4;
const goArchitectures: Partial<Record<string, string>> = { x64: "amd64", ia32: "386" };

export function selfStats({
  config,
  services,
  status,
  members,
  gossip,
}: StatsParts): AgentSelf["Stats"] {
  const checks = services.checks();
  const ttlChecks = checks.filter(({ Type }) => Type === "ttl").length;
  const aliasChecks = checks.filter(({ Type }) => Type === "alias").length;
  const servers = members.filter(({ Tags }) => Tags.role === "consul");
  const serf = { encrypted: String(gossip.isSealed), health_score: String(gossip.health) };
  return {
    agent: {
      check_monitors: String(checks.length - ttlChecks - aliasChecks),
      check_ttls: String(ttlChecks),
      checks: String(checks.length),
      services: String(services.services().length),
    },
    build: { prerelease: "", revision: "", version: consulVersion },
    consul: consul(config, status, servers.length),
    ...(config.server && status?.raft ? { raft: raftStats(status.raft, status.peers.length) } : {}),
    runtime: {
      arch: goArchitectures[process.arch] ?? process.arch,
      cpu_count: String(cpus().length),
      os: process.platform,
      version: process.version,
    },
    serf_lan: { ...serf, ...counts(members) },
    ...(config.server ? { serf_wan: { ...serf, ...counts(servers) } } : {}),
  };
}

function consul(
  config: ResolvedAgentConfig,
  status: ClusterStatus | null,
  servers: number,
): Record<string, string> {
  const common = { acl: "disabled", server: String(config.server) };
  if (!config.server) return { ...common, known_servers: String(servers) };
  const leader = status?.leader ?? "";
  return {
    ...common,
    bootstrap: String(config.bootstrap),
    known_datacenters: "1",
    leader: String(status?.raft?.state === "Leader"),
    leader_addr: leader,
  };
}

function raftStats(raft: RaftStatus, peers: number): Record<string, string> {
  const described = raft.configuration.map(
    ({ id, address, voter }) =>
      `{Suffrage:${voter ? "Voter" : "Nonvoter"} ID:${id} Address:${address}}`,
  );
  return {
    applied_index: String(raft.appliedIndex),
    commit_index: String(raft.commitIndex),
    fsm_pending: String(raft.commitIndex - raft.appliedIndex),
    last_contact: lastContact(raft),
    last_log_index: String(raft.lastLogIndex),
    latest_configuration: `[${described.join(" ")}]`,
    num_peers: String(peers - 1),
    protocol_version: "3",
    protocol_version_max: "3",
    protocol_version_min: "0",
    state: raft.state,
    term: String(raft.term),
  };
}

/** As Consul writes it: the leader's is 0, and whoever never heard of one says so. */
function lastContact({ state, lastContactMs }: RaftStatus): string {
  if (state === "Leader") return "0";
  return lastContactMs === null ? "never" : `${Math.round(lastContactMs)}ms`;
}

function counts(members: readonly Member[]): Record<string, string> {
  const failed = members.filter(({ Status }) => Status === statusFailed).length;
  return { failed: String(failed), left: "0", members: String(members.length) };
}
