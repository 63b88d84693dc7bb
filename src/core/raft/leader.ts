// Leaders: take proposals, count answers, keep or give up leadership.
//
// Check-quorum (thesis §6.2): a leader that no majority has answered for an election timeout gives
// up, so that clients stop waiting for it and reads that it cannot confirm fail. In quiescent mode
// this applies only while something waits for an answer.

import { assert, assertNever } from "../lib/assert.ts";
import type { Leadership } from "./leadership.ts";
import { changed, encodeConfiguration, promotionLagEntriesMax } from "./membership.ts";
import type { ChangeRefusal, ConfigurationChange } from "./membership.ts";
import type { Node } from "./node.ts";
import { onAppendReply, retry } from "./replication.ts";
import { onSnapshotReply } from "./snapshot-sender.ts";
import type { Message, ServerId } from "./types.ts";

function leadership(node: Node): Leadership {
  assert(node.leading !== null, "a leader has its state");
  return node.leading;
}

export function stepLeader(node: Node, message: Message): void {
  const leading = leadership(node);
  switch (message.type) {
    case "appendReply":
      onAppendReply(node, leading, message);
      if (node.leading !== null) orderTransfer(node, leading);
      return;
    case "snapshotReply":
      onSnapshotReply(node, leading, message);
      return;
    case "append":
    case "snapshot":
    case "preVote":
    case "vote":
    case "probe":
      return; // handled for every role in step.ts
    case "preVoteReply":
    case "voteReply":
    case "probeReply":
    case "timeoutNow":
      return; // for a role that is over
    default:
      assertNever(message);
  }
}

export function tickLeader(node: Node): void {
  const leading = leadership(node);
  const { now, timing } = node;
  if (leading.transfer !== null && now >= leading.transfer.giveUpAtMs) leading.transfer = null;
  if (now >= (quorumLostAtMs(node, leading) ?? Number.POSITIVE_INFINITY)) {
    node.becomeFollower(node.term, null);
    return;
  }
  if (leading.heartbeatAtMs !== null && now >= leading.heartbeatAtMs) {
    leading.heartbeatAtMs = now + (timing.heartbeatMs ?? 0);
    for (const peer of leading.progress.values()) peer.pingDue = true;
  }
  for (const peer of leading.progress.values()) {
    if (peer.retryAtMs !== null && now >= peer.retryAtMs) retry(node, peer);
  }
}

/** When this leader gives up unless a majority answers before. */
export function quorumLostAtMs(node: Node, leading: Leadership): number | null {
  const { timing } = node;
  const heardMs = leading.heardMs(node);
  if (!node.quiescent) return heardMs + timing.electionMaxMs;
  if (leading.busySinceMs === null) return null;
  return Math.max(heardMs, leading.busySinceMs) + timing.electionMaxMs;
}

/** Refuses what cannot be changed now; otherwise appends the new configuration and uses it. */
export function proposeConfiguration(
  node: Node,
  change: ConfigurationChange,
): number | ChangeRefusal {
  const leading = leadership(node);
  const { log, membership } = node;
  if (leading.transfer !== null) return "transfer";
  if (!mayChange(node, leading)) return "pending";
  if (change.type === "promote" && lags(node, leading, change.id)) return "behind";
  const next = changed(membership.configuration, change);
  if (typeof next === "string") return next;
  const entry = node.append("configuration", encodeConfiguration(next));
  assert(entry.index === log.lastIndex, "the configuration is the last entry");
  node.adopt({ index: entry.index, configuration: next });
  return entry.index;
}

/** One change at a time, and none before this leader's own beginning is committed. */
function mayChange(node: Node, leading: Leadership): boolean {
  const { commitIndex } = node.log;
  return commitIndex >= leading.termStartIndex && node.membership.index <= commitIndex;
}

function lags(node: Node, leading: Leadership, id: ServerId): boolean {
  const peer = leading.progress.get(id);
  if (peer === undefined) return false; // unknown: said by `changed`
  return peer.match === 0 || node.log.lastIndex - peer.match > promotionLagEntriesMax;
}

/** Begins to hand leadership over; proposals are refused meanwhile. The lease ends for good: an
 * order to campaign may arrive late, after the transfer was given up. */
export function transferLeadership(node: Node, to: ServerId): boolean {
  const leading = leadership(node);
  const peer = leading.progress.get(to);
  if (peer?.voter !== true || leading.transfer !== null) return false;
  leading.lease.disable();
  leading.transfer = { to, giveUpAtMs: node.now + node.timing.electionMaxMs, ordered: false };
  peer.pingDue = true;
  orderTransfer(node, leading);
  return true;
}

/** The chosen peer has the whole log: it may call its election now. */
function orderTransfer(node: Node, leading: Leadership): void {
  const { transfer } = leading;
  if (transfer === null || transfer.ordered) return;
  const peer = leading.progress.get(transfer.to);
  if (peer === undefined || peer.match < node.log.lastIndex) return;
  transfer.ordered = true;
  node.send({ type: "timeoutNow", to: transfer.to });
}
