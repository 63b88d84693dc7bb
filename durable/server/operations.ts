// What may be asked of a server under /rpc/<op>, one entry each. Peers, Workers and host agents of the same
// deployment are the only callers.

import type {
  LinkReply,
  LinkRequest,
  RenewRequest,
  WriteRequest,
} from "../../src/link/protocol.ts";
import { decodeRequests, encodeReplies } from "../../src/link/protocol.ts";
import type { Message } from "../../src/core/raft/types.ts";
import type { Introduction } from "../raft/bootstrap.ts";
import { errorData } from "../link/links.ts";
import { decodeMessages } from "../raft/peer-codec.ts";
import type { MemberFact } from "../leader/member-registration.ts";
import type { ServerParts } from "./parts.ts";

type OperationParts = Pick<
  ServerParts,
  "driver" | "raft" | "requests" | "links" | "members" | "bootstrap"
>;

type Operation = (request: Request, parts: OperationParts) => Promise<Response>;

export const serverOperations: Record<string, Operation> = {
  /** Raft messages in, the replies to their sender out. */
  raft: async (request, { driver }) => {
    const envelope = new Uint8Array(await request.arrayBuffer());
    let messages: Message[];
    try {
      messages = decodeMessages(envelope);
    } catch (failure) {
      return new Response(String(failure), { status: 400 });
    }
    return new Response(driver.receive(messages));
  },

  /** Writes that a follower received. */
  forward: async (request, { requests }) => {
    const writes = await request.json<WriteRequest[]>();
    return Response.json(await Promise.all(writes.map((write) => requests.writeForwarded(write))));
  },

  /** The index that a follower must have applied before it answers a linearizable read; null: no leader here. */
  "read-index": async (request, { driver, raft }) => {
    const { lease } = await request.json<{ lease: boolean }>();
    return Response.json(raft.role === "leader" ? await driver.readIndex({ lease }) : null);
  },

  /** A session renewal that a follower received. */
  renew: async (request, { requests, raft }) => {
    const renewal = await request.json<RenewRequest>();
    if (raft.role !== "leader") return Response.json({});
    try {
      return Response.json({ body: await requests.renew(renewal) });
    } catch (failure) {
      return Response.json({ error: errorData(failure) });
    }
  },

  /** Requests of a Worker, which waits for all of them. */
  requests: async (request, { links }) => {
    let asked: LinkRequest[];
    try {
      asked = decodeRequests(await request.text());
    } catch (failure) {
      return new Response(String(failure), { status: 400 });
    }
    const replies: LinkReply[] = await Promise.all(asked.map((one) => links.answer(one)));
    return new Response(encodeReplies(replies));
  },

  /** Members that appeared, failed or left, from a pool's outbox. */
  members: async (request, { members }) => {
    const facts = await request.json<MemberFact[]>();
    try {
      await members.report(facts);
      return new Response(null, { status: 204 });
    } catch (failure) {
      return new Response(errorData(failure).message, { status: 503 });
    }
  },

  introduce: async (request, { bootstrap, members }) => {
    const introduction = await request.json<Introduction>();
    const answer = bootstrap.heard(introduction);
    await members.welcome(introduction);
    return Response.json(answer);
  },

  /** Where other servers of the datacenter may be found. */
  join: async (request, { bootstrap }) => {
    bootstrap.join(await request.json<string[]>());
    return new Response(null, { status: 204 });
  },

  status: async (_request, { raft }) => {
    const { role, term, leader, commitIndex, appliedIndex, configuration } = raft;
    return Response.json({ role, term, leader, commitIndex, appliedIndex, configuration });
  },
};
