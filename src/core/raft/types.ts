// The vocabulary of consensus: log entries, hard state, configurations and the messages that peers
// exchange. Everything here is plain data: the host writes the wire codec and the storage rows.
//
// Every message carries its sender's term and incarnation. An incarnation is drawn once for each
// construction of a server (wall clock and randomness, by the host), so two instances of one server
// can be told apart; a reply repeats the incarnation it answers, so that an instance never counts
// an answer that was meant for its predecessor.

export type ServerId = string;

export type EntryKind = "command" | "noop" | "configuration";

/** One command is one entry is one index; clients see the index as ModifyIndex. */
export interface Entry {
  index: number;
  term: number;
  kind: EntryKind;
  data: Uint8Array;
}

/** What must be durable before any message of `term` leaves. The winner of an election writes
 * itself as `leader` in the same transaction as its first entry; whoever wakes with its own id
 * there resumes as leader of that term. */
export interface HardState {
  term: number;
  votedFor: ServerId | null;
  leader: ServerId | null;
}

export interface Member {
  id: ServerId;
  name: string;
  address: string;
  voter: boolean;
}

/** Who takes part. Written as JSON in the data of a "configuration" entry; see membership.ts. */
export interface Configuration {
  members: Member[];
}

/** A configuration and the log index that introduced it (0: none yet). */
export interface IndexedConfiguration {
  index: number;
  configuration: Configuration;
}

export interface Envelope {
  from: ServerId;
  to: ServerId;
  term: number;
  incarnation: number;
}

export interface Reply extends Envelope {
  /** Incarnation of the instance whose message this answers. */
  toIncarnation: number;
}

/** "Would you vote for me in `term`?" Changes nothing at the receiver. */
export interface PreVote extends Envelope {
  type: "preVote";
  lastIndex: number;
  lastTerm: number;
}

export interface PreVoteReply extends Reply {
  type: "preVoteReply";
  granted: boolean;
}

export interface Vote extends Envelope {
  type: "vote";
  lastIndex: number;
  lastTerm: number;
  /** Set when the leader itself asked for this election: the incarnation that asked. A voter
   * waives its promise to that leader only if it has heard of no newer incarnation of it. */
  transferIncarnation: number | null;
}

export interface VoteReply extends Reply {
  type: "voteReply";
  granted: boolean;
}

/** Entries after `prevIndex`; empty as a heartbeat, a probe, a commit notice or a read round. */
export interface Append extends Envelope {
  type: "append";
  prevIndex: number;
  prevTerm: number;
  entries: Entry[];
  commit: number;
  /** Numbers the leader's sends; a reply confirms its leadership at the time of that send. */
  round: number;
  /** Quiescent mode: nothing follows, the receiver may sleep. */
  standDown: boolean;
  /** Every voter has the log up to here: what the receiver may compact away. */
  compactable: number;
}

export interface AppendReply extends Reply {
  type: "appendReply";
  round: number;
  /** matched: the logs agree up to `index`. conflict: they do not at `index`; try at or before
   * (`hintIndex`, `hintTerm`). stale: sender's term or incarnation is old. snapshot: the receiver
   * has no usable log and needs a snapshot. */
  outcome: "matched" | "conflict" | "stale" | "snapshot";
  index: number;
  hintIndex: number;
  hintTerm: number;
  /** The receiver's commit index, so that a leader knows who may sleep. */
  commit: number;
}

/** The last entry of a log, which is what votes compare. */
export interface LogPosition {
  index: number;
  term: number;
}

export interface SnapshotFinal {
  index: number;
  term: number;
  configuration: IndexedConfiguration;
}

/** One chunk of a snapshot; the last carries the position that the whole stands for. */
export interface SnapshotChunkMessage extends Envelope {
  type: "snapshot";
  stream: number;
  sequence: number;
  data: Uint8Array;
  final: SnapshotFinal | null;
  /** The sender's log begins after this: whose log reaches it needs no snapshot. */
  baseIndex: number;
  baseTerm: number;
  round: number;
}

export interface SnapshotReply extends Reply {
  type: "snapshotReply";
  stream: number;
  sequence: number;
  round: number;
  /** received: durable, send the next. restart: chunks before this one are not here. */
  outcome: "received" | "restart" | "stale";
}

/** "Call an election now": the last act of a leadership transfer. */
export interface TimeoutNow extends Envelope {
  type: "timeoutNow";
}

/** Quiescent mode: "are you still leading `term`?" */
export interface Probe extends Envelope {
  type: "probe";
  /** The asker's commit index, 0 if it knows no leader: a leader that is ahead sends what is
   * missing. */
  commit: number;
}

export interface ProbeReply extends Reply {
  type: "probeReply";
  leading: boolean;
}

export type Message =
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Append
  | AppendReply
  | SnapshotChunkMessage
  | SnapshotReply
  | TimeoutNow
  | Probe
  | ProbeReply;

export type MessageType = Message["type"];

export type Role = "follower" | "preCandidate" | "candidate" | "leader";
