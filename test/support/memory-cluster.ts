// A whole cluster in one object, for tests of what stands above the Cluster port: one state machine over node:sqlite
// that applies each write at once. Everything between it and the port is the product's: both ends of the link, blocking
// reads, followed views.

import type { AclSettings } from "../../src/core/acl/settings.ts";
import { isLocalToken } from "../../src/core/state/tables/acl/rows.ts";
import { TokenAuthorizers } from "../../src/core/state/tables/acl/resolve.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import { groupHealth, type ServerHealth } from "../../src/core/model/autopilot.ts";
import type { UserEvent } from "../../src/core/model/user-event.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import { type Command, encodeCommand } from "../../src/core/state/commands.ts";
import { type Applied, type Evaluated, StateMachine } from "../../src/core/state/machine.ts";
import type { ReadName } from "../../src/core/state/reads.ts";
import { list } from "../../src/core/state/rows.ts";
import {
  encodeSessionRow,
  findSession,
  sessionOf,
} from "../../src/core/state/tables/session/session.ts";
import { nodeTimers } from "../../src/agent/timers.ts";
import { LinkClient, type LinkSocket } from "../../src/link/client.ts";
import { LinkCluster, tokenOf } from "../../src/link/cluster.ts";
import type {
  LinkReply,
  LinkRequest,
  ReadRequest,
  RenewRequest,
  WriteRequest,
} from "../../src/link/protocol.ts";
import type { Timers } from "../../src/ports/timers.ts";
import {
  type AuthorityParts,
  CertificateAuthority,
} from "../../durable/leader/authority/certificate-authority.ts";
import type { PrimaryAuthority } from "../../durable/leader/authority/questions.ts";
import { Distances } from "../../durable/datacenters/distances.ts";
import { PrimaryWrites } from "../../durable/datacenters/primary-writes.ts";
import { QueryFailover } from "../../durable/datacenters/query-failover.ts";
import { OtherDatacenters } from "../../durable/datacenters/other-datacenters.ts";
import { AuthMethods } from "../../durable/leader/auth-methods.ts";
import { type LinkParts, type LinkRequests, LinkServer } from "../../durable/link/links.ts";
import { SavedStates } from "../../durable/server/saved-states.ts";
import { noOutside, type ObjectSocket, type Outside } from "../../durable/platform/platform.ts";
import type { ConnectSettings } from "../../durable/platform/settings.ts";
import { NodeSql } from "../../durable/platform/node/sql.ts";

export interface MemoryClusterOptions {
  datacenter?: string;
  /** Address of the only server, as `/v1/status/leader` answers it. */
  address?: string;
  /** Ms since 1970. */
  nowMs?: () => number;
  timers?: Timers;
  /** Who may do what; absent: everybody everything. */
  acl?: Omit<AclSettings, "enabled">;
  /** Absent: Connect is not enabled. */
  connect?: ConnectSettings;
  /** In a secondary datacenter: whose roots of certificates it follows. */
  primary?: PrimaryAuthority;
  /** What auth methods can reach; absent: nothing. */
  outside?: Outside;
}

const requestMs = 10_000;

export class MemoryCluster extends LinkCluster implements Cluster {
  readonly sql: NodeSql;
  readonly machine: StateMachine;
  readonly authority: CertificateAuthority;
  /** User events on their way. */
  readonly fired: UserEvent[] = [];
  /** Other datacenters that it knows, by their names. */
  readonly others: Map<string, MemoryCluster>;
  readonly logged: string[] = [];
  readonly #server: LinkServer;
  readonly #apply: (command: Command) => unknown;

  constructor(options: MemoryClusterOptions = {}) {
    const { datacenter = "dc1", address = "127.0.0.1:8300", nowMs = Date.now } = options;
    const sql = new NodeSql();
    const { acl } = options;
    const machine = new StateMachine(sql, {
      datacenter,
      ...(acl && { acl: { enabled: true, ...acl }, authorizers: new TokenAuthorizers() }),
    });
    const timers = options.timers ?? nodeTimers;
    const requests = requestsOf({
      machine,
      sql,
      nowMs,
      fire: (one) => fireAt(server, one),
    });
    const { connect = null } = options;
    const { primary = null } = options;
    const known = { machine, timers, datacenter, nowMs };
    const log = (_level: string, line: string): unknown => this.logged.push(line);
    const authority = authorityOf({ ...known, connect, primary, log }, requests);
    const methods = new AuthMethods({
      ...{ machine, timers, nowMs },
      requests: { writeHere: requests.write },
      outside: options.outside ?? noOutside,
      settled: () => Promise.resolve(),
      uuid: () => crypto.randomUUID(),
    });
    const others = new Map<string, MemoryCluster>();
    const linkTo = (to: MemoryCluster): LinkClient => linkClient(to.#server, timers, nowMs);
    const answerOf = async (to: MemoryCluster, request: LinkRequest): Promise<LinkReply> =>
      await to.#server.answer(request, 0);
    const datacenters = datacentersOf({ ...known, others, linkTo, answerOf });
    const server: LinkServer = new LinkServer({
      timers,
      sockets: { list: () => [], autoAnswer: () => undefined },
      requests,
      authority: {
        sign: ({ sign: body, ...shown }) => authority.sign({ body, ...tokenOf(shown) }),
        configure: ({ configureCa: body, ...shown }) =>
          authority.configure({ body, ...tokenOf(shown) }),
      },
      auth: {
        login: ({ login }) => methods.login(login),
        setMethod: ({ authMethod, token }) => methods.set(authMethod, token),
      },
      savedStates: new SavedStates({
        ...{ machine, requests, timers },
        knownLeader: () => true,
        raft: () => undefined,
      }),
      datacenters,
      primary: new PrimaryWrites({
        ...{ machine, requests, datacenters },
        primary: options.acl?.primary ?? null,
        hasConnect: connect !== null,
      }),
      failover: new QueryFailover({ datacenters, log: (_level, line) => this.logged.push(line) }),
      incarnation: 1,
      serverName: () => "memory",
      servers: () => [],
      knownLeader: () => true,
      clusterStatus: () => ({ leader: address, peers: [address] }),
      group: groupOf(address),
      asked: () => undefined,
      fire: async (event) => {
        await Promise.resolve();
        this.fired.push(event);
      },
      reconnectSpreadMs: 0,
    });
    const link = linkClient(server, timers, nowMs);
    super(link, datacenter);
    this.others = others;
    this.sql = sql;
    this.machine = machine;
    this.authority = authority;
    this.#server = server;
    this.#apply = (command) =>
      applied({ machine, sql, nowMs, fire: (one) => fireAt(server, one) }, command);
    void link.start();
  }

  /** What a server proposes by itself. */
  async writeOwn(command: Command): Promise<void> {
    await Promise.resolve();
    this.#apply(command);
  }

  /** Reads that wait for something new. */
  get waiting(): number {
    return this.#server.waiting;
  }
}

interface AppliedParts {
  machine: StateMachine;
  sql: NodeSql;
  nowMs: () => number;
  fire(one: Applied): void;
}

function fireAt(server: LinkServer, { replaced, touched }: Applied): void {
  if (replaced) server.fireAll();
  else server.fire(touched);
}

function applied({ machine, sql, nowMs, fire }: AppliedParts, command: Command): unknown {
  const bytes = encodeCommand(command, nowMs());
  const entry = { index: machine.appliedIndex + 1, command: bytes };
  const [one] = sql.transaction(() => machine.applyBatch([entry]));
  if (!one) throw new Error("the entry was not applied");
  fire(one);
  const { outcome } = one;
  if (!outcome.ok) throw new ServiceError(outcome.error.code, outcome.error.message);
  return outcome.value;
}

/** A server that leads alone, and is done with what it is asked before anything else happens. */
function requestsOf(parts: AppliedParts): LinkRequests {
  const { machine, nowMs } = parts;
  const evaluate = ({ read, args, ...request }: ReadRequest): Evaluated =>
    machine.read(read as ReadName, args, { nowMs: nowMs(), ...tokenOf(request) });
  const write = (request: WriteRequest): JsonValue => {
    const value = applied(parts, machine.admit(request.write, tokenOf(request)));
    const shown = { ...tokenOf(request), nowMs: nowMs() };
    return machine.gate.reveal(request.write.type, value, shown) as JsonValue;
  };
  const renew = ({ renew: id, ...request }: RenewRequest): string => {
    const session = machine.ask((state) => findSession(state, id));
    if (!session) throw new ServiceError("not-found", `Session id '${id}' not found`);
    const what = ["session", sessionOf(session).Node, "write"] as const;
    machine.gate.permit(what, { ...tokenOf(request), nowMs: nowMs() });
    return list([encodeSessionRow(session)]);
  };
  return {
    evaluate,
    serves: () => true,
    mayAnswerAtOnce: () => true,
    readable: () => Promise.resolve(),
    read: async (request) => await Promise.resolve(request).then(evaluate),
    write: async (request) => await Promise.resolve(request).then(write),
    permit: (what, request) => machine.gate.permit(what, { ...tokenOf(request), nowMs: nowMs() }),
    renew: async (request) => await Promise.resolve(request).then(renew),
    lastContactMs: () => 0,
  };
}

/** Of a leader that nobody deposes, and whose roots nobody forgets. */
function authorityOf(
  parts: Omit<AuthorityParts, "clock" | "requests" | "leads" | "settled" | "secondaries">,
  { write }: LinkRequests,
): CertificateAuthority {
  return new CertificateAuthority({
    ...parts,
    clock: { handle: () => undefined, set: () => undefined, deadline: () => undefined },
    requests: { writeHere: write },
    leads: () => true,
    settled: () => Promise.resolve(),
    secondaries: () => ["dc2"],
  });
}

const healthy: ServerHealth = {
  ID: "server-0",
  Name: "memory",
  Address: "127.0.0.1:8300",
  SerfStatus: "alive",
  Version: "1.8.7",
  Leader: true,
  LastContact: 0,
  LastTerm: 2,
  LastIndex: 9,
  Healthy: true,
  Voter: true,
  StableSince: "2026-01-02T03:04:05Z",
};

/** The only server may not go. */
function groupOf(address: string): LinkParts["group"] {
  const only = { id: "server-0", name: "memory", address, leader: true, voter: true };
  return {
    servers: () => Promise.resolve([only]),
    remove: () => Promise.reject(new ServiceError("invalid", "the only server may not go")),
    answer: ({ ask }) =>
      ask === "transfer-leader"
        ? Promise.reject(new ServiceError("invalid", "cannot find peer"))
        : Promise.resolve(groupHealth([healthy]) as unknown as JsonValue),
  };
}

function linkClient(server: LinkServer, timers: Timers, nowMs: () => number): LinkClient {
  return new LinkClient({
    timers,
    nowMs,
    connect: () => Promise.resolve(socketTo(server)),
    schedule: (flush) => queueMicrotask(flush),
    frameGapMs: 0,
    holdMs: requestMs,
    requestMs,
    liveness: null,
    random: () => 0,
  });
}

/** For servers that know no other datacenter. */
export const onlyDatacenter = new OtherDatacenters({
  calls: {
    requirePath: () => undefined,
    ask: () => Promise.reject(new Error("there is no other datacenter")),
    link: () => {
      throw new Error("there is no other datacenter");
    },
  },
  datacenter: "dc1",
  isLocalToken: () => false,
  distances: { order: () => Promise.resolve(["dc1"]) },
});

interface DatacentersOf {
  machine: StateMachine;
  datacenter: string;
  nowMs: () => number;
  others: ReadonlyMap<string, MemoryCluster>;
  linkTo(to: MemoryCluster): LinkClient;
  answerOf(to: MemoryCluster, request: LinkRequest): Promise<LinkReply>;
}

/** Other clusters as other datacenters, with the product between them. */
function datacentersOf(parts: DatacentersOf): OtherDatacenters {
  const { machine, datacenter, nowMs, others, linkTo, answerOf } = parts;
  const other = (dc: string): MemoryCluster => {
    const known = others.get(dc);
    if (known) return known;
    throw new ServiceError("no-path-to-datacenter", "No path to datacenter");
  };
  const calls = {
    requirePath: (dc: string) => void other(dc),
    ask: async (dc: string, request: LinkRequest) => {
      const reply = await answerOf(other(dc), request);
      if ("error" in reply) throw new ServiceError(reply.error.code, reply.error.message);
      return reply;
    },
    link: (dc: string) => linkTo(other(dc)),
  };
  return new OtherDatacenters({
    calls,
    datacenter,
    isLocalToken: (secret) => machine.ask((state) => isLocalToken(state, secret)),
    distances: {
      order: async () =>
        await new Distances({
          ...{ calls, nowMs, self: "memory", datacenters: () => [datacenter, ...others.keys()] },
          own: () => machine.read("coordinate.datacenters", {}, { nowMs: nowMs() }).body ?? "[]",
        }).order(),
    },
  });
}

function socketTo(server: LinkServer): LinkSocket {
  let receive: (event: { data: unknown }) => void = () => undefined;
  const farEnd: ObjectSocket = {
    send: (frame) => receive({ data: frame }),
    close: () => undefined,
    attachment: null,
    autoAnsweredMs: null,
  };
  return {
    send: (frame) => server.message(farEnd, frame),
    close: () => server.closed(farEnd),
    accept: () => server.opened(farEnd),
    addEventListener: (type: string, listener: (event: never) => void) => {
      if (type === "message") receive = listener as typeof receive;
    },
  };
}
