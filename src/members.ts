// Who is a member, as `/v1/agent/members` lists it. The leader writes every member into the catalog with the check
// `serfHealth`, and every server with the service `consul`, so the catalog is the list; members that left are gone
// from it.

import { hostPortOf } from "./core/lib/host-port.ts";
import { consulVersion } from "./core/model/version.ts";
import type { JoinedDatacenter } from "./core/model/datacenter.ts";
import type { HealthCheck, Node, ServiceNode } from "./core/model/types.ts";
import type { Cluster } from "./ports/cluster.ts";
import type { KeyAnswer, KeyCommand, Keyring, Member } from "./ports/local-agent.ts";

const protocol = {
  ProtocolMin: 1,
  ProtocolMax: 5,
  ProtocolCur: 2,
  DelegateMin: 2,
  DelegateMax: 5,
  DelegateCur: 4,
} as const;

const statusAlive = 1;
const statusFailed = 4;
export { consulVersion };
/** Our own, as in package.json. */
export const proconsulVersion = "0.1.0";

export interface MemberIdentity {
  name: string;
  id: string;
  address: string;
  datacenter: string;
  serfLanPort: number;
  /** -1 where other datacenters are none of its concern. */
  serfWanPort: number;
  /** Port of the server RPC; null for an agent without servers. */
  serverPort: number | null;
}

/** A member that is alive. */
export function memberOf(identity: MemberIdentity): Member {
  const { name, id, address, datacenter, serfLanPort, serfWanPort, serverPort } = identity;
  const common = { acls: "0", build: `${consulVersion}:`, dc: datacenter, id };
  const versions = { segment: "", vsn: "2", vsn_max: "3", vsn_min: "2" };
  const tags =
    serverPort === null
      ? { ...common, role: "node", ...versions }
      : {
          ...common,
          ft_fs: "1",
          port: String(serverPort),
          raft_vsn: "3",
          role: "consul",
          ...(serfWanPort > 0 && { ft_si: "1", wan_join_port: String(serfWanPort) }),
          ...versions,
        };
  return {
    Name: name,
    Addr: address,
    Port: serfLanPort,
    Tags: sorted(tags),
    Status: statusAlive,
    ...protocol,
  };
}

function sorted(tags: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Members of the datacenter. Any server may answer, so the list also exists without a leader. */
export async function listMembers(
  cluster: Cluster,
  self: MemberIdentity,
  token?: string,
): Promise<Member[]> {
  const members = await membersOf(cluster, self, token);
  // An agent always is a member in its own eyes, even before the leader has written it down.
  return members.some(({ Name }) => Name === self.name) ? members : [memberOf(self), ...members];
}

/** Those of the datacenter that `like` names; ports are what every member of it is taken to have. */
async function membersOf(
  cluster: Cluster,
  like: MemberIdentity,
  token: string | undefined,
): Promise<Member[]> {
  const options = {
    consistency: "stale",
    dc: like.datacenter,
    ...(token !== undefined && { token }),
  } as const;
  const [nodes, checks, servers] = await Promise.all([
    cluster.read("catalog.nodes", {}, options),
    cluster.read("health.state", { state: "any", filter: 'CheckID == "serfHealth"' }, options),
    cluster.read("catalog.service", { service: "consul" }, options),
  ]);
  const health = new Map(
    parse<HealthCheck>(checks.body).map(({ Node, Status }) => [Node, Status] as const),
  );
  const ports = new Map(
    parse<ServiceNode>(servers.body).map(({ Node, ServicePort }) => [Node, ServicePort] as const),
  );
  return parse<Node>(nodes.body)
    .filter(({ Node }) => health.has(Node))
    .map(({ Node: name, ID: id, Address: address }) => {
      const serverPort = ports.get(name) ?? null;
      const member = memberOf({ ...like, name, id, address, serverPort });
      return health.get(name) === "passing"
        ? member
        : ({ ...member, Status: statusFailed } as const);
    });
}

/** Servers of all datacenters, as members of the pool that they share; those that cannot be asked have failed. */
export async function listWanMembers(
  cluster: Cluster,
  self: MemberIdentity,
  token?: string,
): Promise<Member[]> {
  const names = await cluster.datacenters().catch(() => [self.datacenter]);
  const lists = await Promise.all(
    names.map(async (datacenter) => {
      const like = { ...self, datacenter };
      const listed =
        datacenter === self.datacenter
          ? await listMembers(cluster, self, token)
          : await membersOf(cluster, like, token).catch(() => lastKnown(cluster, like, token));
      return listed.map((member) => ({ ...member, datacenter }));
    }),
  );
  return lists
    .flat()
    .filter(({ Tags: tags }) => tags.role === "consul")
    .map(({ datacenter, ...member }) => {
      const { wan_join_port: _port, ...tags } = member.Tags;
      const name = `${member.Name}.${datacenter}`;
      return { ...member, Name: name, Port: self.serfWanPort, Tags: tags };
    });
}

/** Servers of a datacenter that nobody can ask, as they were when it was last heard of. */
async function lastKnown(
  cluster: Cluster,
  like: MemberIdentity,
  token: string | undefined,
): Promise<Member[]> {
  const options = { consistency: "stale", ...(token !== undefined && { token }) } as const;
  const { body } = await cluster.read("federation.servers", {}, options);
  const known = parse<JoinedDatacenter>(body).find(({ name }) => name === like.datacenter);
  return (known?.servers ?? []).map(({ id, name, address: full }) => {
    const { host: address, port: serverPort } = hostPortOf(full);
    return { ...memberOf({ ...like, id, name, address, serverPort }), Status: statusFailed };
  });
}

/** What the members that are alive say of their gossip keys. */
export function keyringOf(
  members: readonly Member[],
  datacenter: string,
  answerOf: (name: string) => KeyAnswer | null,
): Keyring {
  const alive = members.filter(({ Status: status }) => status === statusAlive);
  const nodes = alive.map(({ Name: name, Tags: tags }) => ({
    ...{ name, isServer: tags.role === "consul", answer: answerOf(name) },
  }));
  return { datacenter, nodes };
}

/** What a node without keys answers. */
export function withoutKeys(command: KeyCommand): KeyAnswer {
  const isRead = command.do === "list";
  return {
    problem: isRead
      ? "Keyring is empty (encryption not enabled)"
      : "No keyring to modify (encryption not enabled)",
  };
}

function parse<Row>(body: string | null): Row[] {
  return JSON.parse(body ?? "[]") as Row[];
}
