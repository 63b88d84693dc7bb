// Followers: take in what the leader sends, and give it up when it falls silent.
//
// Every answer queued here leaves only after the transaction that persists what it claims, so a
// "matched" always speaks of durable entries.

import { assert, assertNever } from "../lib/assert.ts";
import { campaign, stand } from "./candidate.ts";
import type { Node } from "./node.ts";
import { onProbeReply, releaseHeld } from "./quiescence.ts";
import { onSnapshotChunk } from "./snapshot-receiver.ts";
import type { Append, AppendReply, Message, SnapshotChunkMessage, TimeoutNow } from "./types.ts";

export function stepFollower(node: Node, message: Message): void {
  switch (message.type) {
    case "append":
      if (acceptsLeader(node, message)) onAppend(node, message);
      else refuseLeader(node, message);
      return;
    case "snapshot":
      if (acceptsLeader(node, message)) onSnapshotChunk(node, message);
      else refuseLeader(node, message);
      return;
    case "timeoutNow":
      onTimeoutNow(node, message);
      return;
    case "probeReply":
      onProbeReply(node, message);
      return;
    case "preVote":
    case "vote":
    case "probe":
      return; // handled for every role in step.ts
    case "preVoteReply":
    case "voteReply":
    case "appendReply":
    case "snapshotReply":
      return; // for a role that is over
    default:
      assertNever(message);
  }
}

/** Takes the sender for the leader of this term, unless a newer instance of it has been heard. */
export function acceptsLeader(node: Node, message: Append | SnapshotChunkMessage): boolean {
  assert(node.leader === null || node.leader === message.from, "a term has one leader");
  if (message.incarnation < node.leaderIncarnation) return false;
  node.leader = message.from;
  node.leaderIncarnation = message.incarnation;
  node.heardFromLeader(message.incarnation);
  releaseHeld(node);
  return true;
}

/** Tells an old leader, or an old instance of the leader, that its time is over. */
export function refuseLeader(node: Node, message: Append | SnapshotChunkMessage): void {
  const { from: to, incarnation: toIncarnation, round } = message;
  if (message.type === "append") {
    replyAppend(node, message, { outcome: "stale", index: message.prevIndex });
    return;
  }
  const { stream, sequence } = message;
  const outcome = "stale";
  node.send({ type: "snapshotReply", to, toIncarnation, round, stream, sequence, outcome });
}

function replyAppend(
  node: Node,
  message: Append,
  answer: Pick<AppendReply, "outcome" | "index"> & { hintIndex?: number; hintTerm?: number },
): void {
  node.send({
    type: "appendReply",
    to: message.from,
    toIncarnation: message.incarnation,
    round: message.round,
    commit: node.log.commitIndex,
    hintIndex: 0,
    hintTerm: 0,
    ...answer,
  });
}

function onAppend(node: Node, message: Append): void {
  const { log } = node;
  if (node.installing !== null) {
    replyAppend(node, message, { outcome: "snapshot", index: 0 });
    return;
  }
  const { prevIndex, prevTerm, entries } = message;
  if (prevIndex > log.commitIndex && !log.matches(prevIndex, prevTerm)) {
    const hint = log.findAtMost(prevIndex, prevTerm);
    const hints = { hintIndex: hint.index, hintTerm: hint.term };
    replyAppend(node, message, { outcome: "conflict", index: prevIndex, ...hints });
    return;
  }
  const truncatedFrom = log.merge(entries);
  followConfiguration(node, message, truncatedFrom);
  const last = prevIndex + entries.length;
  log.commitIndex = Math.max(log.commitIndex, Math.min(message.commit, last));
  node.compactable = Math.max(node.compactable, message.compactable);
  replyAppend(node, message, { outcome: "matched", index: last });
}

/** A server uses the latest configuration in its log, committed or not (thesis §4.1). */
function followConfiguration(node: Node, message: Append, truncatedFrom: number | null): void {
  const lost = truncatedFrom !== null && node.membership.index >= truncatedFrom;
  const found = message.entries.some(
    (entry) => entry.kind === "configuration" && entry.index > node.membership.index,
  );
  if (lost || found) node.adopt(node.log.configurationAt(node.log.lastIndex));
}

function onTimeoutNow(node: Node, message: TimeoutNow): void {
  if (message.from !== node.leader || message.incarnation < node.leaderIncarnation) return;
  if (node.promotable()) stand(node, message.incarnation);
}

export function tickFollower(node: Node): void {
  if (node.electionAtMs === null || node.now < node.electionAtMs) return;
  if (node.promotable()) campaign(node);
  else node.electionAtMs = null;
}
