// Receiving a snapshot: chunks in sequence, each durable before it is answered.
//
// From the first chunk to the last the server is `installing`: it has thrown its log and its state
// away, so it neither serves, nor campaigns, nor counts as match. It still votes, by the position
// its log had reached: the proof of §5.4.3 needs that position, not the entries. A crash in between
// starts it again from nothing. Chunks that come twice or late change nothing.

import { assert } from "../lib/assert.ts";
import type { Node } from "./node.ts";
import type { SnapshotChunkMessage, SnapshotFinal, SnapshotReply } from "./types.ts";

const nothing: SnapshotFinal = {
  index: 0,
  term: 0,
  configuration: { index: 0, configuration: { members: [] } },
};

export function onSnapshotChunk(node: Node, message: SnapshotChunkMessage): void {
  const current = currentStream(node, message);
  if (current === "older") return;
  if (current === "newer") {
    if (message.sequence !== 0) {
      reply(node, message, "restart");
      return;
    }
    if (declined(node, message)) return;
    begin(node, message);
  }
  const { receiving } = node;
  assert(receiving !== null, "a stream has begun");
  if (message.sequence > receiving.next) {
    reply(node, message, "restart");
    return;
  }
  if (message.sequence === receiving.next) take(node, message);
  reply(node, message, "received");
}

/** Late, or sent in error: a log that reaches the sender's base needs entries only, and what it has
 * acknowledged must not be thrown away. */
function declined(node: Node, message: SnapshotChunkMessage): boolean {
  const { log } = node;
  if (node.installing !== null) return false;
  const reaches = log.matches(message.baseIndex, message.baseTerm);
  if (!reaches && log.commitIndex < message.baseIndex) return false;
  const index = Math.max(log.commitIndex, reaches ? message.baseIndex : 0);
  node.send({
    type: "appendReply",
    to: message.from,
    toIncarnation: message.incarnation,
    round: message.round,
    outcome: "matched",
    index,
    hintIndex: 0,
    hintTerm: 0,
    commit: log.commitIndex,
  });
  return true;
}

function currentStream(node: Node, message: SnapshotChunkMessage): "same" | "newer" | "older" {
  const { receiving } = node;
  if (receiving === null || receiving.from !== message.from) return "newer";
  if (receiving.incarnation !== message.incarnation) return "newer";
  if (receiving.stream === message.stream) return "same";
  return message.stream > receiving.stream ? "newer" : "older";
}

function begin(node: Node, message: SnapshotChunkMessage): void {
  const { from, incarnation, stream } = message;
  node.receiving = { from, incarnation, stream, next: 0 };
  const floor = node.lastPosition();
  node.installing = floor;
  node.compactable = 0;
  node.log.reset(nothing);
  node.adopt(nothing.configuration);
  node.snapshotEvents = [{ kind: "begin", floor }];
}

function take(node: Node, message: SnapshotChunkMessage): void {
  assert(node.receiving !== null && node.installing !== null, "chunks belong to an installation");
  node.receiving.next += 1;
  if (message.data.length > 0) node.snapshotEvents.push({ kind: "chunk", data: message.data });
  const { final } = message;
  if (final === null) return;
  node.installing = null;
  node.log.reset(final);
  node.adopt(final.configuration);
  const { index, term, configuration } = final;
  node.snapshotEvents.push({ kind: "finish", index, term, configuration });
}

function reply(node: Node, message: SnapshotChunkMessage, outcome: SnapshotReply["outcome"]): void {
  const { from: to, incarnation: toIncarnation, stream, sequence, round } = message;
  node.send({ type: "snapshotReply", to, toIncarnation, stream, sequence, round, outcome });
}
