// Raft's own five guarantees (figure 3 of the paper), checked while the world runs. Only durable
// facts are judged: what an instance believes but cannot tell anyone does not exist.

import type { Raft } from "../../src/core/raft/raft.ts";
import type { Entry } from "../../src/core/raft/types.ts";
import type { DiskImage, Transaction } from "./disk.ts";
import { Violation } from "./violation.ts";

interface Committed {
  entry: Entry;
  /** At most the term of whoever first said so: the commit is not of a later term. */
  term: number;
}

export class SafetyChecker {
  #leaders = new Map<number, string>();
  #written = new Map<string, { data: Uint8Array; previousTerm: number }>();
  /** Index 0 stands for the empty log. */
  readonly committed: (Committed | null)[] = [null];
  elections = 0;

  /** Election safety and leader completeness; called whenever an instance leads. */
  leads(server: string, raft: Raft): void {
    const known = this.#leaders.get(raft.term);
    if (known === server) return;
    if (known !== undefined) {
      throw new Violation(`election safety: ${known} and ${server} both lead term ${raft.term}`);
    }
    this.#leaders.set(raft.term, server);
    this.elections += 1;
    this.#complete(server, raft);
  }

  /** A leader has every entry that was committed in an earlier term. */
  #complete(server: string, raft: Raft): void {
    for (let index = this.committed.length - 1; index > 0; index -= 1) {
      const committed = this.committed[index];
      if (committed === null || committed === undefined || committed.term >= raft.term) continue;
      const { log } = raft.node;
      const term = log.term(index);
      const compacted = index < log.firstIndex() - 1;
      if (!compacted && term !== committed.entry.term) {
        const has = term === undefined ? "nothing" : `an entry of term ${term}`;
        throw new Violation(
          `leader completeness: ${server}, leader of term ${raft.term}, has ${has} at ${index}, ` +
            `where an entry of term ${committed.entry.term} is committed`,
        );
      }
      return; // by log matching the entries before it agree too
    }
  }

  /** Log matching and state-machine safety; called when a transaction has become durable. */
  durable(server: string, image: DiskImage, transaction: Transaction): void {
    if (transaction.type === "compact") return;
    const { ready, appliedIndex } = transaction;
    for (const entry of ready.entries) this.#wrote(server, image, entry);
    for (const entry of ready.committed) {
      if (entry.index <= appliedIndex) this.#applied(server, entry, image.hardState.term);
    }
  }

  #wrote(server: string, image: DiskImage, entry: Entry): void {
    const key = `${entry.term}/${entry.index}`;
    const previousTerm = image.term(entry.index - 1);
    if (previousTerm === undefined) return; // truncated again within one Ready
    const known = this.#written.get(key);
    if (known === undefined) {
      this.#written.set(key, { data: entry.data, previousTerm });
    } else if (known.previousTerm !== previousTerm || !same(known.data, entry.data)) {
      throw new Violation(`log matching: ${server} has another entry at ${key} than its peers`);
    }
  }

  #applied(server: string, entry: Entry, term: number): void {
    const known = this.committed[entry.index];
    if (known === undefined || known === null) {
      if (entry.index !== this.committed.length) {
        throw new Violation(`${server} applied ${entry.index} before ${this.committed.length}`);
      }
      this.committed.push({ entry, term });
      return;
    }
    known.term = Math.min(known.term, term);
    if (known.entry.term !== entry.term || !same(known.entry.data, entry.data)) {
      throw new Violation(
        `state machine safety: ${server} applied an entry of term ${entry.term} at ` +
          `${entry.index}, others one of term ${known.entry.term}`,
      );
    }
  }
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  if (left === right) return true;
  return left.length === right.length && left.every((byte, position) => byte === right[position]);
}
