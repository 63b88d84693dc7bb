// §5.4.1, §9.6 and leases: the conditions under which a voter grants, without the waiting.
//
// A voter that heard from its leader within the smallest election timeout, or that may have done so
// before it was constructed, refuses: leases rest on this promise. Only an election that the very
// leader has asked for (transfer) is exempt.

import type { Node } from "./node.ts";
import type { PreVote, Vote } from "./types.ts";

/** §5.4.1: the candidate's log is at least as good as ours. */
export function logPermits(node: Node, { lastIndex, lastTerm }: PreVote | Vote): boolean {
  const { index, term } = node.lastPosition();
  return lastTerm > term || (lastTerm === term && lastIndex >= index);
}

export function replyPreVote(node: Node, request: PreVote, granted: boolean): void {
  // A grant speaks of the term asked for, a refusal of the term that stands.
  const term = granted ? request.term : node.term;
  const to = request.from;
  node.send({ type: "preVoteReply", to, term, toIncarnation: request.incarnation, granted });
}

/** Whether a pre-vote would be granted now, silence of the leader taken as proof. */
export function wouldVote(node: Node, request: PreVote): boolean {
  return request.term > node.term && !node.promised() && logPermits(node, request);
}

/** Whether this voter is free to vote, or even to hear of an election: its promise has run out, or
 * the very leader it was given to has asked for this election. */
export function mayVote(node: Node, request: Vote): boolean {
  if (!node.promised()) return true;
  if (node.now < node.silentUntilMs) return false;
  const asked = request.transferIncarnation;
  if (node.role === "leader") return asked === node.incarnation;
  // A newer incarnation of the leader may hold a lease that the order to campaign knew nothing of.
  return asked !== null && node.promisedIncarnation <= asked;
}
