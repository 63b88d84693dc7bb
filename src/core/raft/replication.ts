// The leader's replication: what goes to each peer, and what its answers mean.
//
// Sending happens in one place, when a Ready is taken, so that everything queued since the last one
// travels together; appends leave after the leader's own write is durable. Answers only move marks.

import { assert } from "../lib/assert.ts";
import { acknowledged, advanceCommit, confirmRounds, markSent } from "./acknowledgement.ts";
import { RoundOfReady, scheduleRetry } from "./acknowledgement.ts";
import type { Leadership } from "./leadership.ts";
import type { Node } from "./node.ts";
import type { Progress } from "./progress.ts";
import { pumpSnapshot, startSnapshot } from "./snapshot-sender.ts";
import type { AppendReply } from "./types.ts";

/** An AppendEntries, like a packed row of storage, holds at most this much. */
export const appendBytesMax = 1024 * 1024;

/** Queues all that peers should get now. `writes`: the Ready being taken writes something anyway.
 * Returns whether it must write in any case, to prove this instance the newest. */
export function fanOut(node: Node, leading: Leadership, writes: boolean): boolean {
  const { reads, timing } = node;
  const wantsRound = reads.needsRound(leading.lease.confirmedRound);
  const fence = wantsRound && timing.fenced;
  const round = new RoundOfReady(node, leading, !timing.fenced || writes || fence);
  if (wantsRound) {
    for (const peer of leading.progress.values()) peer.pingDue = true;
    leading.broadcastRound = round.number();
    reads.assign(leading.broadcastRound);
  }
  if (node.log.hasUnhanded() && node.quiescent) nudgeSilent(node, leading);
  for (const peer of leading.progress.values()) sendTo(node, leading, peer, round);
  noteBusy(node, leading);
  if (round.begun) confirmRounds(node, leading);
  return fence;
}

/** A peer that does not answer is retried rarely; while there is traffic, try it along with it. */
function nudgeSilent(node: Node, leading: Leadership): void {
  for (const peer of leading.progress.values()) {
    const silent = peer.retryAtMs !== null && peer.retryDelayMs > node.timing.retryMinMs;
    if (silent && node.now - peer.lastSentMs >= node.timing.retryMinMs) peer.pingDue = true;
  }
}

function sendTo(node: Node, leading: Leadership, peer: Progress, round: RoundOfReady): void {
  if (peer.state === "snapshot") {
    pumpSnapshot(node, leading, peer, round);
    return;
  }
  if (node.log.term(peer.next - 1) === undefined) {
    startSnapshot(node, leading, peer);
    pumpSnapshot(node, leading, peer, round);
    return;
  }
  if (peer.state === "probe") {
    const news = peer.next <= node.log.lastIndex || !node.quiescent;
    if (peer.pingDue) sendAppend(node, leading, peer, round, peer.next);
    else if (!peer.probing && news) sendEntries(node, leading, peer, round);
    else return;
    peer.probing = true;
    return;
  }
  const before = peer.next;
  while (!peer.windowFull && peer.next <= node.log.lastIndex) {
    sendEntries(node, leading, peer, round);
  }
  const owesCommit = peer.match === node.log.lastIndex && peer.sentCommit < node.log.commitIndex;
  if (peer.next === before && (peer.pingDue || owesCommit)) {
    sendAppend(node, leading, peer, round, peer.next);
  }
}

function sendEntries(node: Node, leading: Leadership, peer: Progress, round: RoundOfReady): void {
  sendAppend(node, leading, peer, round, node.log.lastIndex + 1);
}

/** Sends entries from `peer.next` up to `toExclusive`, as many as one append holds. */
function sendAppend(
  node: Node,
  leading: Leadership,
  peer: Progress,
  round: RoundOfReady,
  toExclusive: number,
): void {
  const { log } = node;
  const prevIndex = peer.next - 1;
  const prevTerm = log.term(prevIndex);
  assert(prevTerm !== undefined, "the entry before an append is known");
  const entries = log.slice(peer.next, toExclusive, appendBytesMax);
  const done = prevIndex + entries.length === log.lastIndex && log.commitIndex === log.lastIndex;
  node.send({
    type: "append",
    to: peer.id,
    prevIndex,
    prevTerm,
    entries,
    commit: log.commitIndex,
    round: round.number(),
    standDown: node.quiescent && done,
    compactable: leading.compactable(node),
  });
  if (entries.length > 0 && peer.state === "replicate") peer.sent(prevIndex + entries.length);
  peer.sentCommit = log.commitIndex;
  markSent(node, peer);
}

/** Since when work waits for a majority. */
function noteBusy(node: Node, leading: Leadership): void {
  const busy = node.log.commitIndex < node.log.lastIndex || node.reads.waiting;
  leading.busySinceMs = busy ? (leading.busySinceMs ?? node.now) : null;
}

export function onAppendReply(node: Node, leading: Leadership, reply: AppendReply): void {
  const peer = leading.progress.get(reply.from);
  if (peer === undefined || reply.round <= leading.lastRoundBefore) return;
  const knowsMore = reply.outcome === "matched" && reply.index > node.log.lastIndex;
  if (reply.outcome === "stale" || knowsMore) {
    // A newer instance of this server leads, or its incarnation does not sort: let go either way.
    // Whoever has more of this term than its leader heard it from that instance, and forgot it.
    node.becomeFollower(node.term, null);
    return;
  }
  if (reply.round < peer.validRound) return;
  const newest = reply.round >= peer.round;
  acknowledged(node, leading, peer, reply.round);
  peer.commit = Math.max(peer.commit, reply.commit);
  if (reply.outcome === "matched") onMatched(node, leading, peer, reply);
  else if (reply.outcome === "conflict") onConflict(node, peer, reply);
  else if (newest && peer.state !== "snapshot") onSnapshotWanted(node, leading, peer, reply);
  scheduleRetry(node, leading, peer);
  confirmRounds(node, leading);
}

function onMatched(node: Node, leading: Leadership, peer: Progress, reply: AppendReply): void {
  assert(reply.index <= node.log.lastIndex, "a peer matches only what we have");
  const news = peer.matched(reply.index);
  if (peer.state === "probe") peer.becomeReplicate();
  else if (peer.state === "snapshot" && peer.match + 1 >= node.log.firstIndex()) {
    leading.closeStream(node, peer);
    peer.becomeReplicate();
  }
  if (news) advanceCommit(node, leading);
}

/** The logs part at or before `reply.index`; answers to older appends are ignored. */
function onConflict(node: Node, peer: Progress, reply: AppendReply): void {
  if (peer.state === "snapshot" || reply.index <= peer.match) return;
  if (peer.state === "probe" && reply.index !== peer.next - 1) return;
  const common = node.log.findAtMost(reply.hintIndex, reply.hintTerm);
  peer.becomeProbe(Math.min(common.index + 1, reply.index));
}

function onSnapshotWanted(
  node: Node,
  leading: Leadership,
  peer: Progress,
  reply: AppendReply,
): void {
  peer.match = 0;
  peer.commit = -1;
  peer.validRound = reply.round;
  startSnapshot(node, leading, peer);
}

/** A peer has not answered in time: find out where it stands, and wait longer next time. */
export function retry(node: Node, peer: Progress): void {
  peer.retryDelayMs = Math.min(peer.retryDelayMs * 2, node.timing.retryMaxMs);
  peer.retryAtMs = null;
  if (peer.state === "snapshot" && peer.snapshot !== null) {
    peer.snapshot.sent = false;
    return;
  }
  // What was sent ahead may be lost; what is being searched for is still where it was.
  peer.becomeProbe(peer.state === "replicate" ? peer.match + 1 : peer.next);
  peer.pingDue = true;
}
