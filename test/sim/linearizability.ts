// Is a history linearizable? The search of Wing and Gong with Lowe's memory, as porcupine does it:
// repeatedly take an operation that nothing unfinished precedes, apply it to a model of one
// register, and go back when no choice fits. Histories of different keys are independent, so each
// key is searched alone, which keeps the searches small.

export interface RegisterOperation {
  call: number;
  /** Infinity: never answered; it may take effect at any time, or never. */
  return: number;
  kind: "put" | "cas" | "get";
  /** put, cas: written. */
  value: string | null;
  /** cas: what must have been there. */
  expected: string | null;
  /** get: what was read; cas: "ok" or "mismatch"; null when there was no answer. */
  result: string | null;
}

/** The register after `operation`, or undefined if its result does not fit. */
function next(state: string | null, operation: RegisterOperation): string | null | undefined {
  const unanswered = operation.return === Number.POSITIVE_INFINITY;
  if (operation.kind === "put") return operation.value;
  if (operation.kind === "get") return operation.result === state ? state : undefined;
  const fits = state === operation.expected;
  if (!unanswered && fits !== (operation.result === "ok")) return undefined;
  return fits ? operation.value : state;
}

/** A history that needs more is refused: it is wrong, or too wide to be worth having. */
const placementsMax = 100_000;

/** Returns null when the history is linearizable, else the longest prefix that could be placed. */
export function checkRegister(history: RegisterOperation[]): { placed: number } | null {
  return new Search(history).run();
}

class Search {
  readonly #operations: RegisterOperation[];
  readonly #taken: Uint8Array;
  readonly #seen = new Set<string>();
  readonly #stack: { position: number; state: string | null }[] = [];
  #state: string | null = null;
  /** The first operation not taken; everything before it is. */
  #first = 0;
  /** Answered operations not taken yet. */
  #left: number;

  constructor(history: RegisterOperation[]) {
    this.#operations = history.toSorted((left, right) => left.call - right.call);
    this.#taken = new Uint8Array(history.length);
    this.#left = history.filter((operation) => Number.isFinite(operation.return)).length;
  }

  run(): { placed: number } | null {
    const answered = this.#left;
    let fewest = answered;
    let from = 0;
    while (this.#left > 0) {
      if (this.#seen.size > placementsMax) return { placed: answered - fewest };
      const position = this.#take(from);
      if (position !== null) {
        fewest = Math.min(fewest, this.#left);
        from = 0;
        continue;
      }
      const undone = this.#undo();
      if (undone === null) return { placed: answered - fewest };
      from = undone + 1;
    }
    return null;
  }

  /** Takes the first operation at or after `from` that may come next and fits. */
  #take(from: number): number | null {
    const bound = this.#earliestReturn();
    for (let at = Math.max(from, this.#first); at < this.#operations.length; at += 1) {
      const operation = this.#operations[at] as RegisterOperation;
      if (operation.call > bound) return null;
      if (this.#taken[at] === 1) continue;
      const after = next(this.#state, operation);
      if (after === undefined) continue;
      this.#taken[at] = 1;
      const key = this.#key(after);
      if (this.#seen.has(key)) {
        this.#taken[at] = 0;
        continue;
      }
      this.#seen.add(key);
      this.#stack.push({ position: at, state: this.#state });
      this.#state = after;
      if (Number.isFinite(operation.return)) this.#left -= 1;
      while (this.#taken[this.#first] === 1) this.#first += 1;
      return at;
    }
    return null;
  }

  #undo(): number | null {
    const last = this.#stack.pop();
    if (last === undefined) return null;
    const { position, state } = last;
    this.#state = state;
    this.#taken[position] = 0;
    this.#first = Math.min(this.#first, position);
    if (Number.isFinite(this.#operations[position]?.return)) this.#left += 1;
    return position;
  }

  /** Nothing may be taken that was called after something untaken had returned. */
  #earliestReturn(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (let at = this.#first; at < this.#operations.length; at += 1) {
      const operation = this.#operations[at] as RegisterOperation;
      if (operation.call > earliest) break;
      if (this.#taken[at] === 0 && operation.return < earliest) earliest = operation.return;
    }
    return earliest;
  }

  /** Which operations are taken, and the state they lead to. */
  #key(state: string | null): string {
    let first = this.#first;
    while (this.#taken[first] === 1) first += 1;
    let bits = "";
    let end = first;
    for (let at = first; at < this.#operations.length; at += 1) {
      if (this.#taken[at] === 0) continue;
      bits += `${at - end},`;
      end = at;
    }
    return `${first}:${bits}:${state}`;
  }
}
