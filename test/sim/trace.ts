// A readable trace of one run; empty unless somebody asks for it.

import type { Message } from "../../src/core/raft/types.ts";

export interface Trace {
  readonly enabled: boolean;
  line(realMs: number, who: string, text: () => string): void;
}

export const silent: Trace = { enabled: false, line: () => undefined };

export function printing(write: (line: string) => void): Trace {
  return {
    enabled: true,
    line: (realMs, who, text) => {
      write(`${(realMs / 1000).toFixed(3).padStart(8)}  ${who.padEnd(6)} ${text()}`);
    },
  };
}

/** One message in one line. */
export function describe(message: Message): string {
  const { from, to, term, type } = message;
  const head = `${from}→${to} t${term} ${type}`;
  switch (message.type) {
    case "preVote":
    case "vote":
      return `${head} last ${message.lastTerm}/${message.lastIndex}`;
    case "preVoteReply":
    case "voteReply":
      return `${head} ${message.granted ? "granted" : "refused"}`;
    case "append": {
      const { prevIndex, prevTerm, entries, commit, round, standDown } = message;
      const what = `prev ${prevTerm}/${prevIndex} +${entries.length} commit ${commit}`;
      return `${head} ${what} round ${round}${standDown ? " stand down" : ""}`;
    }
    case "appendReply": {
      const { outcome, index, round, commit } = message;
      const hint = outcome === "conflict" ? ` try ${message.hintTerm}/${message.hintIndex}` : "";
      return `${head} ${outcome} ${index}${hint} commit ${commit} round ${round}`;
    }
    case "snapshot": {
      const { stream, sequence, final } = message;
      const end = final === null ? "" : ` final ${final.term}/${final.index}`;
      return `${head} stream ${stream} chunk ${sequence}${end}`;
    }
    case "snapshotReply":
      return `${head} stream ${message.stream} chunk ${message.sequence} ${message.outcome}`;
    case "probeReply":
      return `${head} ${message.leading ? "leading" : "not leading"}`;
    case "probe":
    case "timeoutNow":
      return head;
    default:
      return message satisfies never;
  }
}
