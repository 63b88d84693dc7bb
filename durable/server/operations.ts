// What may be asked of a server under /rpc/<op>, one entry each. Peers, Workers and host agents of the same
// deployment are the only callers.

import type { OperatorQuestion } from "../../src/core/model/autopilot.ts";
import type {
  AuthMethodRequest,
  ConfigureCaRequest,
  LinkReply,
  LinkRequest,
  LoginOverLink,
  RenewRequest,
  SignRequest,
} from "../../src/link/protocol.ts";
import { decodeRequests, encodeReplies } from "../../src/link/protocol.ts";
import type { Message } from "../../src/core/raft/types.ts";
import type { ReplicationNews, ReplicationQuestion } from "../datacenters/replication-source.ts";
import { decodeNews, type FederationNews } from "../datacenters/federation.ts";
import type { Introduction } from "../raft/bootstrap.ts";
import { errorData } from "../link/links.ts";
import type { Verdict } from "../leader/divergence.ts";
import { type Answer, jsonAnswer, refusal, textOf } from "../platform/platform.ts";
import { decodeMessages } from "../raft/peer-codec.ts";
import { type AuthorityQuestion, decodeAuthorityQuestion } from "../leader/authority/questions.ts";
import type { MemberFact } from "../leader/member-registration.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { ServerChoice } from "../../src/ports/cluster.ts";
import { NotLeader } from "../raft/outcome.ts";
import type { ForwardedBatch } from "./forwarded-writes.ts";
import type { LeaderAnswer } from "./requests.ts";
import type { ServerParts } from "./parts.ts";

type OperationParts = Pick<
  ServerParts,
  | "driver"
  | "machine"
  | "raft"
  | "requests"
  | "links"
  | "members"
  | "autopilot"
  | "bootstrap"
  | "divergence"
  | "group"
  | "access"
  | "auth"
  | "replication"
  | "federation"
  | "nowMs"
  | "telemetry"
>;

/** Throws SyntaxError for a body that is not what the operation takes. */
type Operation = (body: Uint8Array, parts: OperationParts) => Answer | Promise<Answer>;

const done: Answer = { status: 204, body: "" };

export const serverOperations: Record<string, Operation> = {
  /** Raft messages in, the replies to their sender out. */
  raft: (body, { driver }) => {
    let messages: Message[];
    try {
      messages = decodeMessages(body);
    } catch (failure) {
      return refusal(400, String(failure));
    }
    return { status: 200, body: driver.receive(messages) };
  },

  /** Writes that a follower received. */
  forward: async (body, { requests }) =>
    jsonAnswer(await requests.takeForwarded(json<ForwardedBatch>(body))),

  /** The index that a follower must have applied before it answers a linearizable read; null: no leader here. */
  "read-index": async (body, { driver, raft }) => {
    const { lease } = json<{ lease: boolean }>(body);
    return jsonAnswer(raft.role === "leader" ? await driver.readIndex({ lease }) : null);
  },

  /** A session renewal that a follower received. */
  renew: async (body, { requests, raft }) => {
    const renewal = json<RenewRequest>(body);
    return jsonAnswer(await leaderAnswer(raft, () => requests.renew(renewal)));
  },

  /** The leader's configuration of the group, for an operator at a follower. */
  servers: async (_body, { group, raft }) =>
    jsonAnswer(await leaderAnswer(raft, () => group.servers("any"))),

  /** An operator's removal of a server, which a follower received. */
  remove: async (body, { group, raft }) => {
    const choice = json<ServerChoice>(body);
    return jsonAnswer(await leaderAnswer(raft, () => group.removeHere(choice)));
  },

  /** The agent of this server says that it leaves for good. */
  leave: async (_body, { group, bootstrap }) =>
    await answerOr503(async () => {
      const hasLeft = await group.leave();
      if (hasLeft) bootstrap.stop();
      return hasLeft;
    }),

  /** A server that leaves, and found itself a follower. */
  dismiss: async (body, { group, raft }) => {
    const leaving = json<{ id: string }>(body);
    return jsonAnswer(await leaderAnswer(raft, () => group.dismissHere(leaving)));
  },

  /** A request for a certificate that a follower received. */
  sign: async (body, { access, raft }) => {
    const request = json<SignRequest>(body);
    return jsonAnswer(await leaderAnswer(raft, () => access.signHere(request)));
  },

  /** A configuration of the certificate authority that a follower received. */
  "configure-ca": async (body, { access, raft }) => {
    const request = json<ConfigureCaRequest>(body);
    return jsonAnswer(await leaderAnswer(raft, () => access.configureHere(request)));
  },

  /** An operator's question for the leader, which a follower received. */
  operator: async (body, { group, raft }) => {
    const question = json<OperatorQuestion>(body);
    return jsonAnswer(await leaderAnswer(raft, () => group.answerHere(question)));
  },

  /** A login that a follower received. */
  login: async (body, { auth, raft }) => {
    const request = json<LoginOverLink>(body);
    return jsonAnswer(await leaderAnswer(raft, () => auth.loginHere(request)));
  },

  /** An auth method that a follower received. */
  "auth-method": async (body, { auth, raft }) => {
    const request = json<AuthMethodRequest>(body);
    return jsonAnswer(await leaderAnswer(raft, () => auth.setMethodHere(request)));
  },

  /** Requests of a Worker, which waits for all of them. */
  requests: async (body, { links, telemetry }) => {
    let asked: LinkRequest[];
    try {
      asked = decodeRequests(textOf(body));
    } catch (failure) {
      return refusal(400, String(failure));
    }
    telemetry.asked(asked);
    const bytes = body.length / asked.length;
    const replies: LinkReply[] = await Promise.all(asked.map((one) => links.answer(one, bytes)));
    return { status: 200, body: encodeReplies(replies) };
  },

  /** Members that appeared, failed or left, from a pool's outbox. */
  members: async (body, { members, raft, requests }) => {
    const facts = json<MemberFact[]>(body);
    try {
      // Compared with the leader's state, not with one that may be behind.
      if (raft.role === "leader") await members.report(facts);
      else await requests.askLeader("members", facts);
      return jsonAnswer(true);
    } catch (failure) {
      return refusal(503, errorData(failure).message);
    }
  },

  /** A secondary datacenter asks what differs. */
  replication: async (body, { replication }) => {
    const question = json<ReplicationQuestion>(body);
    return await answerOr503(() => replication.answer(question));
  },

  "replication-here": async (body, { replication, raft }) => {
    const question = json<ReplicationQuestion>(body);
    return jsonAnswer(await leaderAnswer(raft, () => replication.answerHere(question)));
  },

  /** The primary datacenter says that something changed. */
  "replication-news": async (body, { replication }) => {
    const news = json<ReplicationNews>(body);
    return await answerOr503(() => replication.hear(news));
  },

  "replication-news-here": async (body, { replication, raft }) => {
    const news = json<ReplicationNews>(body);
    return jsonAnswer(await leaderAnswer(raft, () => replication.hearHere(news)));
  },

  /** A secondary datacenter asks for roots of certificates, and for an intermediate one. */
  authority: async (body, { access }) => {
    const question = decodeAuthorityQuestion(json(body));
    return await answerOr503(() => access.answer(question));
  },

  "authority-here": async (body, { access, raft }) => {
    const question = json<AuthorityQuestion>(body);
    return jsonAnswer(await leaderAnswer(raft, () => access.answerHere(question)));
  },

  /** The leader of another datacenter says which ones it knows. */
  federate: async (body, { federation }) => {
    const news = decodeNews(json(body));
    return await answerOr503(() => federation.hear(news));
  },

  "federate-here": async (body, { federation, raft }) => {
    const news = json<FederationNews>(body);
    return jsonAnswer(await leaderAnswer(raft, () => federation.hearHere(news)));
  },

  /** The agent of this server was told to join a datacenter. */
  "federate-join": async (body, { federation }) => {
    const { address } = json<{ address: string }>(body);
    return await answerOr503(() => federation.join(address));
  },

  "federate-join-here": async (body, { federation, raft }) => {
    const { address } = json<{ address: string }>(body);
    return jsonAnswer(await leaderAnswer(raft, () => federation.joinHere(address)));
  },

  introduce: async (body, { bootstrap, autopilot }) => {
    const introduction = json<Introduction>(body);
    const answer = bootstrap.heard(introduction);
    const removal = await autopilot.welcome(introduction);
    return jsonAnswer(removal ? { ...answer, removal } : answer);
  },

  /** Where other servers of the datacenter may be found. */
  join: (body, { bootstrap }) => {
    bootstrap.join(json<string[]>(body));
    return done;
  },

  /** Newest version of each type of command that this server can apply. */
  commands: (_body, { machine }) => jsonAnswer(machine.knownCommands),

  /** The leader compares states. */
  digest: async (body, { divergence }) =>
    jsonAnswer(await divergence.markAt(json<{ index: number }>(body).index)),

  /** The leader found that this server's state is not the majority's. */
  diverged: (body, { divergence }) => {
    divergence.judged(json<Verdict>(body));
    return done;
  },

  status: (_body, { raft, nowMs }) => {
    const { role, term, leader, commitIndex, appliedIndex, configuration } = raft;
    const { index: lastIndex, term: lastTerm } = raft.lastPosition;
    const contactMs = nowMs() - raft.lastContactMs;
    const lastContactMs = Number.isFinite(contactMs) ? Math.max(0, contactMs) : null;
    const log = { commitIndex, appliedIndex, lastIndex, lastTerm };
    return jsonAnswer({ role, term, leader, ...log, lastContactMs, configuration });
  },
};

async function leaderAnswer<Body>(
  raft: Raft,
  answer: () => Promise<Body>,
): Promise<LeaderAnswer<Body>> {
  if (raft.role !== "leader") return {};
  try {
    return { body: await answer() };
  } catch (failure) {
    return failure instanceof NotLeader ? {} : { error: errorData(failure) };
  }
}

async function answerOr503(answer: () => Promise<unknown>): Promise<Answer> {
  try {
    return jsonAnswer(await answer());
  } catch (failure) {
    return refusal(503, errorData(failure).message);
  }
}

function json<Value>(body: Uint8Array): Value {
  return JSON.parse(textOf(body)) as Value;
}
