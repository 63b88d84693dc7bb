// The voter's side of elections, the same in every role. Whether it may grant is in vote-rules.ts; in
// quiescent mode silence proves nothing, so a pre-vote is first held while the voter asks the leader
// itself (quiescence.ts).

import type { Node } from "./node.ts";
import { holdPreVote, tellLeadership } from "./quiescence.ts";
import type { PreVote, Vote } from "./types.ts";
import { logPermits, mayVote, replyPreVote, wouldVote } from "./vote-rules.ts";

export function onPreVote(node: Node, request: PreVote): void {
  tellLeadership(node, request.from);
  const hopeless = request.term <= node.term || !logPermits(node, request);
  if (hopeless || node.role === "leader" || !node.quiescent) {
    replyPreVote(node, request, wouldVote(node, request));
    return;
  }
  const recent = node.now - node.lastContactMs < node.timing.electionMinMs;
  if (recent) replyPreVote(node, request, false);
  else if (!holdPreVote(node, request)) replyPreVote(node, request, true);
}

export function onVote(node: Node, request: Vote): void {
  const again = node.votedFor === request.from;
  const free = node.votedFor === null && node.leader === null;
  const granted = (again || free) && mayVote(node, request) && logPermits(node, request);
  if (granted) {
    node.votedFor = request.from;
    if (node.role === "follower") node.armElection();
  }
  const to = request.from;
  node.send({ type: "voteReply", to, toIncarnation: request.incarnation, granted });
}
