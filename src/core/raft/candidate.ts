// Candidates: pre-vote, then vote.
//
// A pre-candidate asks whether it would win and changes nothing anywhere; only a majority of yeses
// makes it a candidate, which takes the next term (thesis §9.6). So a server that comes back from a
// partition does not depose a leader that works.

import { assertNever } from "../lib/assert.ts";
import type { Node } from "./node.ts";
import { voteResult } from "./quorum.ts";
import type { Message, PreVoteReply, VoteReply } from "./types.ts";

/** Starts an election. A single voter wins it on the spot. */
export function campaign(node: Node): void {
  node.becomePreCandidate();
  if (voteResult(node.voters(), node.ballots) === "won") {
    stand(node, null);
    return;
  }
  const { lastIndex, lastTerm } = node.log;
  const term = node.term + 1;
  for (const to of node.voters()) {
    if (to !== node.id) node.send({ type: "preVote", to, term, lastIndex, lastTerm });
  }
}

/** Takes the next term and asks for real votes. */
export function stand(node: Node, transferIncarnation: number | null): void {
  node.becomeCandidate(transferIncarnation);
  if (voteResult(node.voters(), node.ballots) === "won") {
    node.becomeLeader();
    return;
  }
  const { lastIndex, lastTerm } = node.log;
  for (const to of node.voters()) {
    if (to === node.id) continue;
    node.send({ type: "vote", to, lastIndex, lastTerm, transferIncarnation });
  }
}

export function stepCandidate(node: Node, message: Message): void {
  switch (message.type) {
    case "preVoteReply":
      onPreVoteReply(node, message);
      return;
    case "voteReply":
      onVoteReply(node, message);
      return;
    case "append":
    case "snapshot":
    case "preVote":
    case "vote":
    case "timeoutNow":
    case "probe":
      return; // handled for every role in step.ts
    case "appendReply":
    case "snapshotReply":
      return; // for a leadership that is over
    case "probeReply":
      if (message.leading && node.role === "preCandidate" && message.from === node.leader) {
        node.becomeFollower(node.term, message.from);
        node.heardFromLeader(message.incarnation);
      }
      return;
    default:
      assertNever(message);
  }
}

function onPreVoteReply(node: Node, reply: PreVoteReply): void {
  if (node.role !== "preCandidate") return;
  if (reply.granted && reply.term !== node.term + 1) return;
  node.ballots.set(reply.from, reply.granted);
  const result = voteResult(node.voters(), node.ballots);
  if (result === "won") stand(node, null);
  else if (result === "lost") node.becomeFollower(node.term, node.leader);
}

function onVoteReply(node: Node, reply: VoteReply): void {
  if (node.role !== "candidate") return;
  node.ballots.set(reply.from, reply.granted);
  const result = voteResult(node.voters(), node.ballots);
  if (result === "won") node.becomeLeader();
  else if (result === "lost") node.becomeFollower(node.term, null);
}

export function tickCandidate(node: Node): void {
  if (node.electionAtMs === null || node.now < node.electionAtMs) return;
  // Quiescent: nobody needs a leader until somebody calls again; a lost vote is tried once more.
  const giveUp = !node.promotable() || (node.quiescent && node.role === "preCandidate");
  if (giveUp) node.becomeFollower(node.term, node.leader);
  else campaign(node);
}
