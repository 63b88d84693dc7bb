// The gate every message passes: is it for this instance, and what does its term mean? What is the
// same in every role is handled here; the rest goes to the role's own switch.

import { assert } from "../lib/assert.ts";
import { stepCandidate, tickCandidate } from "./candidate.ts";
import { refuseLeader, stepFollower, tickFollower } from "./follower.ts";
import { stepLeader, tickLeader } from "./leader.ts";
import type { Node } from "./node.ts";
import { onProbe, tellLeadership, tickQuiescence } from "./quiescence.ts";
import type { Message } from "./types.ts";
import { mayVote } from "./vote-rules.ts";
import { onPreVote, onVote } from "./votes.ts";

export function step(node: Node, message: Message): void {
  if (message.to !== node.id || message.from === node.id) return;
  if ("toIncarnation" in message && message.toIncarnation !== node.incarnation) return;
  if (message.type === "preVote") {
    onPreVote(node, message);
    return;
  }
  if (message.term < node.term) {
    refuseOldTerm(node, message);
    return;
  }
  if (message.term > node.term && !followTerm(node, message)) return;
  if (message.type === "vote") onVote(node, message);
  else if (message.type === "probe") onProbe(node, message);
  else stepRole(node, message);
}

/** A newer term makes a follower of anyone. Returns whether the message is still of interest. */
function followTerm(node: Node, message: Message): boolean {
  // A granted pre-vote carries the term asked for, which nobody has taken yet.
  if (message.type === "preVoteReply" && message.granted) return true;
  if (message.type === "vote" && !mayVote(node, message)) return false;
  node.becomeFollower(message.term, null);
  return true;
}

function refuseOldTerm(node: Node, message: Message): void {
  const { from: to, incarnation: toIncarnation } = message;
  if (message.type === "append" || message.type === "snapshot") {
    refuseLeader(node, message);
  } else if (message.type === "vote") {
    node.send({ type: "voteReply", to, toIncarnation, granted: false });
  } else if (message.type === "probe") {
    tellLeadership(node, to);
    node.send({ type: "probeReply", to, toIncarnation, leading: false });
  }
}

function stepRole(node: Node, message: Message): void {
  if (message.type === "append" || message.type === "snapshot") {
    assert(node.role !== "leader", "a term has one leader");
    if (node.role !== "follower") node.becomeFollower(node.term, message.from);
  }
  if (node.role === "follower") stepFollower(node, message);
  else if (node.role === "leader") stepLeader(node, message);
  else stepCandidate(node, message);
}

export function tick(node: Node): void {
  if (node.role === "follower") tickFollower(node);
  else if (node.role === "leader") tickLeader(node);
  else tickCandidate(node);
  tickQuiescence(node);
}
