// Quiescence: no heartbeats, no election timers. A leader that has told everybody the commit index
// falls silent, and so silence means nothing; failure is found by use.
//
//   leaderUnreachable  a host could not reach the leader: its server asks for pre-votes
//   held pre-vote      a voter without recent contact first calls the leader itself, for one
//                      election timeout, and refuses if it answers
//   watchdog           rarely, every follower asks its leader, which sends it what it lacks; even
//                      more rarely a leader asks some voter whether it still is one
//   left behind        whoever asks from an older term, or as if there were no leader, has missed
//                      something: the leader sends it an append, which says it all
//
// The leader's own stand-down and its retries to peers that do not confirm are in replication.ts.

import { campaign } from "./candidate.ts";
import type { Node } from "./node.ts";
import type { PreVote, Probe, ProbeReply, ServerId } from "./types.ts";
import { replyPreVote, wouldVote } from "./vote-rules.ts";

/** The leader is called this often while a pre-vote is held. */
const probesPerTimeout = 4;

/** Holds the request until the leader has had its time to answer; false if no waiting is needed. */
export function holdPreVote(node: Node, request: PreVote): boolean {
  const { electionMinMs } = node.timing;
  const askable = node.leader !== null && node.leader !== node.id && node.leader !== request.from;
  const tried = node.role !== "follower"; // a candidate has failed to reach the leader itself
  let decideAtMs = node.silentUntilMs;
  if (askable && !tried) decideAtMs = Math.max(decideAtMs, node.now + electionMinMs);
  if (decideAtMs <= node.now) return false;
  node.held = node.held.filter((held) => held.request.from !== request.from);
  node.held.push({ request, decideAtMs });
  if (askable && !tried && node.nextProbeMs === null) probeLeader(node);
  return true;
}

function probeLeader(node: Node): void {
  if (node.leader === null || node.leader === node.id) return;
  node.send({ type: "probe", to: node.leader, commit: node.log.commitIndex });
  node.nextProbeMs = node.now + node.timing.electionMinMs / probesPerTimeout;
}

/** Answered by whoever is asked: a leader says yes unless its own majority owes it an answer. */
export function onProbe(node: Node, probe: Probe): void {
  const leading = node.leading !== null && node.leading.busySinceMs === null;
  if (probe.commit < node.log.commitIndex) tellLeadership(node, probe.from);
  const confirmed = leading || (node.leading !== null && recentlyHeard(node));
  const to = probe.from;
  node.send({ type: "probeReply", to, toIncarnation: probe.incarnation, leading: confirmed });
}

/** A leader answers `id` with an append as well: it does not know what it should. */
export function tellLeadership(node: Node, id: ServerId): void {
  const peer = node.leading?.progress.get(id);
  if (peer !== undefined && node.quiescent) peer.pingDue = true;
}

function recentlyHeard(node: Node): boolean {
  const heardMs = node.leading?.heardMs(node) ?? Number.NEGATIVE_INFINITY;
  return node.now - heardMs < node.timing.electionMinMs;
}

export function onProbeReply(node: Node, reply: ProbeReply): void {
  if (reply.from !== node.leader) return;
  node.nextProbeMs = null;
  if (reply.leading) {
    node.heardFromLeader(reply.incarnation);
    for (const { request } of node.held) replyPreVote(node, request, false);
    node.held = [];
    return;
  }
  // It stands, but leads no more: there is nothing to wait for.
  for (const held of node.held) held.decideAtMs = Math.min(held.decideAtMs, node.silentUntilMs);
  if (node.reachAtMs !== null) node.reachAtMs = node.now;
}

export function leaderUnreachable(node: Node): void {
  if (!node.quiescent || node.role !== "follower") return;
  if (node.promotable()) campaign(node);
  else askForLeader(node);
}

/** Who may not campaign asks every voter: the one that leads will call. */
function askForLeader(node: Node): void {
  for (const to of node.voters()) {
    if (to !== node.id) node.send({ type: "probe", to, commit: 0 });
  }
}

/** A leader that was replaced while it slept hears nothing of it: the new one owes it no call. Any
 * voter of the majority that replaced it answers with the newer term. */
function askWhetherDeposed(node: Node): void {
  const others = node.voters().filter((id) => id !== node.id);
  const to = others[node.random.integer(0, Math.max(1, others.length))];
  if (to !== undefined) node.send({ type: "probe", to, commit: node.log.commitIndex });
}

/** Checks what silence hides. Due by timer, or because an alarm has woken the host. */
export function watchdog(node: Node): void {
  node.armWatchdog();
  if (node.leading !== null) askWhetherDeposed(node);
  if (node.role !== "follower") return;
  if (node.leader === null) {
    leaderUnreachable(node);
    return;
  }
  probeLeader(node);
  node.nextProbeMs = null;
  node.reachAtMs = node.now + node.timing.leaderReachMs;
}

export function tickQuiescence(node: Node): void {
  decideHeld(node);
  if (node.nextProbeMs !== null && node.now >= node.nextProbeMs) {
    node.nextProbeMs = null;
    if (node.held.length > 0 && node.role === "follower") probeLeader(node);
  }
  if (node.reachAtMs !== null && node.now >= node.reachAtMs) {
    node.reachAtMs = null;
    leaderUnreachable(node);
  }
  if (node.watchdogAtMs !== null && node.now >= node.watchdogAtMs) watchdog(node);
}

function decideHeld(node: Node): void {
  if (node.held.length === 0) return;
  const due = node.held.filter((held) => held.decideAtMs <= node.now);
  if (due.length === 0) return;
  node.held = node.held.filter((held) => held.decideAtMs > node.now);
  for (const { request } of due) replyPreVote(node, request, wouldVote(node, request));
}

/** A leader was heard: held requests are refused. */
export function releaseHeld(node: Node): void {
  if (node.held.length === 0) return;
  for (const { request } of node.held) replyPreVote(node, request, false);
  node.held = [];
  node.nextProbeMs = null;
}
