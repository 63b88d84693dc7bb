// Servers that applied the same entries must hold the same state; a cosmic ray or a bug may still part them. Every
// 1,024 applied entries the leader asks all voters for their digests (src/core/state/digest.ts). Where a majority
// agrees, a server that differs discards its state and takes a snapshot. Among two voters nobody can say who is wrong.

import { type DigestMark, digestWindow } from "../../src/core/state/digest.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import type { Raft } from "../../src/core/raft/raft.ts";
import type { Member, ServerId } from "../../src/core/raft/types.ts";
import type { RaftStorage } from "../raft/storage.ts";
import type { RaftDriver } from "../raft/driver.ts";
import { discardState } from "../raft/removal.ts";
import type { PeerTransport } from "../raft/transport.ts";

const askTimeoutMs = 5_000;
/** A follower that is asked may be this far behind. */
const applyWaitMs = 2_000;
const decoder = new TextDecoder();

export interface DivergenceParts {
  raft: Raft;
  driver: RaftDriver;
  machine: Pick<StateMachine, "digestMarks" | "clear">;
  storage: Pick<RaftStorage, "beginInstalling">;
  sql: Sql;
  transport: PeerTransport;
  nowMs(): number;
  warn(line: string): void;
  /** Ends this instance, and keeps what it has written. Never returns normally. */
  restart(reason: string): never;
}

/** The leader's word to a server that differs from a majority. */
export interface Verdict {
  term: number;
  mark: DigestMark;
}

interface Vote {
  id: ServerId;
  digest: number;
}

export class Divergence {
  readonly #parts: DivergenceParts;
  #comparedIndex = 0;
  /** This server was found to differ while it led. */
  #condemned: DigestMark | null = null;

  constructor(parts: DivergenceParts) {
    this.#parts = parts;
  }

  /** Marks to compare that were passed since the last call. */
  passed(): DigestMark[] {
    const { machine, raft } = this.#parts;
    const marks = machine.digestMarks.filter(({ index }) => index > this.#comparedIndex);
    this.#comparedIndex = marks.at(-1)?.index ?? this.#comparedIndex;
    return raft.role === "leader" ? marks : [];
  }

  /** Compares this leader's digests with all voters', and has who differs from a majority start anew. */
  async compare(marks: readonly DigestMark[]): Promise<void> {
    for (const mark of marks) await this.#compareOne(mark);
  }

  async #compareOne(mark: DigestMark): Promise<void> {
    const { raft } = this.#parts;
    const { term } = raft;
    const voters = raft.configuration.members.filter(({ voter }) => voter);
    const votes = (await Promise.all(voters.map((voter) => this.#ask(voter, mark)))).flat();
    if (raft.role !== "leader" || raft.term !== term) return;
    const agreed = agreedDigest(votes, voters.length);
    const differing = votes.filter(({ digest }) => digest !== (agreed ?? mark.digest));
    if (differing.length === 0) return;
    const verdict = { term, mark: { ...mark, digest: agreed ?? Number.NaN } };
    const sound = votes.filter(({ digest }) => digest === agreed).map(({ id }) => id);
    for (const { id } of differing) {
      const voter = voters.find((member) => member.id === id);
      if (voter) await this.#condemn(voter, verdict, sound);
    }
  }

  /** What this server's digest was at the leader's mark, as soon as it got there; null when it cannot say. */
  async markAt(index: number): Promise<DigestMark | null> {
    const { driver, machine } = this.#parts;
    await driver.waitApplied(index, applyWaitMs);
    return markAt(machine, index);
  }

  /** The leader says that this server differs from a majority. */
  judged({ term, mark }: Verdict): void {
    const { raft, machine } = this.#parts;
    const own = markAt(machine, mark.index);
    if (term !== raft.term || raft.role !== "follower") return;
    if (own?.version !== mark.version || own.digest === mark.digest) return;
    this.#discard(mark);
  }

  leadershipChanged(): void {
    const condemned = this.#condemned;
    if (this.#parts.raft.role === "leader" || condemned === null) return;
    this.#condemned = null;
    this.#discard(condemned);
  }

  #discard({ index }: DigestMark): never {
    const window = `${digestWindow} entries up to ${index}`;
    return discardState(this.#parts, `the state differs from a majority's in the ${window}`);
  }

  async #ask(voter: Member, mark: DigestMark): Promise<Vote[]> {
    const { raft, transport } = this.#parts;
    if (voter.id === raft.leader) return [{ id: voter.id, digest: mark.digest }];
    try {
      const body = JSON.stringify({ index: mark.index });
      const answer = await transport.call(voter, "digest", body, askTimeoutMs);
      const other = JSON.parse(decoder.decode(answer)) as DigestMark | null;
      return other?.version === mark.version ? [{ id: voter.id, digest: other.digest }] : [];
    } catch {
      // Away, or older than the question: the next mark is another chance.
      return [];
    }
  }

  async #condemn(voter: Member, verdict: Verdict, sound: readonly ServerId[]): Promise<void> {
    const { raft, driver, transport, nowMs, warn } = this.#parts;
    const { index, digest } = verdict.mark;
    const differs = `the state of ${voter.name} differs in the ${digestWindow} entries up to ${index}`;
    if (Number.isNaN(digest)) return warn(`${differs}, and no majority can say whose is right`);
    warn(`${differs} from a majority's`);
    if (voter.id !== raft.leader) {
      await transport
        .call(voter, "diverged", JSON.stringify(verdict), askTimeoutMs)
        // It ends in the middle of the call.
        .catch(() => undefined);
      return;
    }
    this.#condemned = verdict.mark;
    sound.find((id) => raft.transferLeadership(id, nowMs()));
    driver.schedule();
  }
}

function markAt({ digestMarks }: DivergenceParts["machine"], index: number): DigestMark | null {
  return digestMarks.find((mark) => mark.index === index) ?? null;
}

/** The digest that more than half of all voters have. */
function agreedDigest(votes: readonly Vote[], voters: number): number | null {
  const counts = new Map<number, number>();
  for (const { digest } of votes) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  for (const [digest, count] of counts) if (count > voters / 2) return digest;
  return null;
}
