// What `/v1/agent/self` tells in `Stats`, which scripts and exporters read.

import { expect, test } from "vitest";

import { LocalServices } from "../../src/core/agent/local-services.ts";
import { LocalAgentState } from "../../src/core/agent/local-state.ts";
import type { ResolvedAgentConfig } from "../../src/agent/config/types.ts";
import { selfStats } from "../../src/agent/self-stats.ts";
import { seededRandom } from "../../src/core/lib/random.ts";
import { memberOf } from "../../src/members.ts";
import type { ClusterStatus } from "../../src/ports/cluster.ts";

const identity = {
  ...{ name: "a", id: "id-a", address: "10.0.0.1", datacenter: "dc1" },
  ...{ serfLanPort: 8301, serfWanPort: 8302, serverPort: 8300 },
};
const server = memberOf(identity);
const client = { ...memberOf({ ...identity, name: "b", serverPort: null }), Status: 4 as const };
const leading: ClusterStatus = {
  leader: "10.0.0.1:8300",
  peers: ["10.0.0.1:8300", "10.0.0.2:8300"],
  raft: {
    ...{ state: "Leader", term: 3, lastLogIndex: 12, commitIndex: 11, appliedIndex: 10 },
    lastContactMs: 4,
    configuration: [
      { id: "id-a", address: "10.0.0.1:8300", voter: true },
      { id: "id-c", address: "10.0.0.2:8300", voter: false },
    ],
  },
};

function services(): LocalServices {
  const node = { ...identity, taggedAddresses: {}, meta: {} };
  const scripts = { fromApi: false, fromFile: false };
  const rules = {
    checkUpdateIntervalMs: 0,
    outputBytesMax: 4_096,
    random: seededRandom(1),
    scripts,
  };
  const state = new LocalAgentState(node, rules as never, 0);
  const all = new LocalServices(state, () => 0);
  const checks = [{ TTL: "10s" }, { TCP: "127.0.0.1:1", Interval: "10s" }, { AliasService: "db" }];
  all.registerService(JSON.stringify({ Name: "web", Checks: checks }), {
    replaceExistingChecks: false,
  });
  return all;
}

function stats(
  config: object,
  status: ClusterStatus | null,
  gossip = { isSealed: false, health: 0 },
) {
  const whole = { server: true, bootstrap: false, ...config };
  const members = [server, client];
  return selfStats({
    config: whole as ResolvedAgentConfig,
    services: services(),
    status,
    members,
    gossip,
  });
}

test("a server tells where it stands in the log, and whether it leads", () => {
  const { agent, consul, raft, serf_lan: lan, serf_wan: wan } = stats({}, leading);
  expect(agent).toEqual({ check_monitors: "1", check_ttls: "1", checks: "3", services: "1" });
  expect(consul).toMatchObject({
    leader: "true",
    bootstrap: "false",
    leader_addr: "10.0.0.1:8300",
  });
  expect(raft).toMatchObject({
    ...{ state: "Leader", term: "3", last_log_index: "12", commit_index: "11" },
    ...{ applied_index: "10", fsm_pending: "1", num_peers: "1", last_contact: "0" },
    latest_configuration:
      "[{Suffrage:Voter ID:id-a Address:10.0.0.1:8300} {Suffrage:Nonvoter ID:id-c Address:10.0.0.2:8300}]",
  });
  expect([lan?.members, lan?.failed, lan?.encrypted]).toEqual(["2", "1", "false"]);
  expect([wan?.members, wan?.failed]).toEqual(["1", "0"]);
});

test("a follower tells when it heard the leader, if it ever did", () => {
  const follower = (lastContactMs: number | null): ClusterStatus => ({
    ...leading,
    raft: { ...leading.raft!, state: "Follower", lastContactMs },
  });
  expect(stats({}, follower(12.4)).raft?.last_contact).toBe("12ms");
  expect(stats({}, follower(null)).raft?.last_contact).toBe("never");
  expect(stats({}, follower(null)).consul?.leader).toBe("false");
});

test("a client has no log and no other pool, and without a server nothing is known of a leader", () => {
  const told = stats({ server: false }, null, { isSealed: true, health: 2 });
  expect(Object.keys(told)).toEqual(["agent", "build", "consul", "runtime", "serf_lan"]);
  expect(told.consul).toEqual({ acl: "disabled", server: "false", known_servers: "1" });
  expect(told.serf_lan).toMatchObject({ encrypted: "true", health_score: "2" });
  expect(stats({}, null).consul).toMatchObject({ leader: "false", leader_addr: "" });
});
