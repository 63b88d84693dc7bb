// Sending a snapshot: for a peer that lacks entries which are compacted away.
//
// One chunk is in flight at a time and is kept until it is confirmed; the host cuts the next one
// only then, so a pre-copy sees every apply in between. When the last chunk is confirmed the peer
// holds everything up to the index that chunk names, and appends go on from there.

import { assert } from "../lib/assert.ts";
import { acknowledged, advanceCommit, confirmRounds, markSent } from "./acknowledgement.ts";
import { type RoundOfReady, scheduleRetry } from "./acknowledgement.ts";
import type { Leadership } from "./leadership.ts";
import type { Node } from "./node.ts";
import type { Progress } from "./progress.ts";
import type { SnapshotReply } from "./types.ts";

export function startSnapshot(node: Node, leading: Leadership, peer: Progress): void {
  leading.closeStream(node, peer);
  node.lastStream += 1;
  const stream = node.lastStream;
  node.snapshots.open(stream, peer.id);
  const chunk = { ...node.snapshots.next(stream), sequence: 0 };
  peer.becomeSnapshot({ stream, chunk, sent: false });
}

export function pumpSnapshot(
  node: Node,
  leading: Leadership,
  peer: Progress,
  round: RoundOfReady,
): void {
  const { snapshot } = peer;
  assert(snapshot !== null, "a peer in this state has a stream");
  if (!snapshot.sent) {
    const { stream, chunk } = snapshot;
    const baseIndex = node.log.firstIndex() - 1;
    const baseTerm = node.log.term(baseIndex);
    assert(baseTerm !== undefined, "the base's term is known");
    node.send({
      type: "snapshot",
      to: peer.id,
      stream,
      ...chunk,
      baseIndex,
      baseTerm,
      round: round.number(),
    });
    snapshot.sent = true;
    markSent(node, peer);
  } else if (peer.pingDue) {
    ping(node, leading, peer, round);
  }
}

/** A heartbeat for a peer that cannot take entries yet. It answers that it wants a snapshot, which
 * it is getting, and so confirms the round; one that has become whole says so. */
function ping(node: Node, leading: Leadership, peer: Progress, round: RoundOfReady): void {
  const { log } = node;
  const prevTerm = log.term(log.lastIndex);
  assert(prevTerm !== undefined, "the last term is known");
  node.send({
    type: "append",
    to: peer.id,
    prevIndex: log.lastIndex,
    prevTerm,
    entries: [],
    commit: 0,
    round: round.number(),
    standDown: false,
    compactable: leading.compactable(node),
  });
  markSent(node, peer);
}

export function onSnapshotReply(node: Node, leading: Leadership, reply: SnapshotReply): void {
  const peer = leading.progress.get(reply.from);
  if (peer === undefined || reply.round <= leading.lastRoundBefore) return;
  if (reply.outcome === "stale") {
    node.becomeFollower(node.term, null);
    return;
  }
  acknowledged(node, leading, peer, reply.round);
  confirmRounds(node, leading);
  const { snapshot } = peer;
  if (snapshot === null || snapshot.stream !== reply.stream) return;
  if (reply.outcome === "restart") {
    startSnapshot(node, leading, peer);
    return;
  }
  if (reply.sequence !== snapshot.chunk.sequence) return;
  const { final, sequence } = snapshot.chunk;
  if (final === null) {
    const next = node.snapshots.next(snapshot.stream);
    snapshot.chunk = { ...next, sequence: sequence + 1 };
    snapshot.sent = false;
    peer.retryAtMs = null;
    return;
  }
  leading.closeStream(node, peer);
  peer.validRound = reply.round;
  peer.matched(final.index);
  peer.becomeReplicate();
  scheduleRetry(node, leading, peer);
  advanceCommit(node, leading);
}
