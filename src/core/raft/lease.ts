// Rounds and the lease that rests on them.
//
// Every batch of sends is a numbered round; a reply repeats the number. A round that a majority has
// answered proves that nobody else led when it was *sent*, so the lease counts from that moment. It
// is void after construction (there are no rounds yet), after a leadership transfer (for the rest
// of the term: the order to campaign may still be under way) and when the clock has gone back.
// Where an old instance may run on beside its successor, only rounds that followed a durable write
// count ("fenced").

interface Round {
  number: number;
  sentMs: number;
  fenced: boolean;
}

/** Rounds nobody answers are forgotten beyond this many, the oldest first. */
const roundsMax = 256;

export class Lease {
  readonly #durationMs: number;
  #rounds: Round[] = [];
  #current: number;
  /** Rounds at or below this do not count. */
  #floor = 0;
  #disabled = false;
  #startMs: number | null = null;
  #confirmedRound = 0;

  /** `lastRound`: the last one of this instance's earlier leaderships, whose answers may still be on their way. */
  constructor(durationMs: number, lastRound: number) {
    this.#durationMs = durationMs;
    this.#current = lastRound;
  }

  get currentRound(): number {
    return this.#current;
  }

  get confirmedRound(): number {
    return this.#confirmedRound;
  }

  begin(sentMs: number, fenced: boolean): number {
    this.#current += 1;
    this.#rounds.push({ number: this.#current, sentMs, fenced });
    if (this.#rounds.length > roundsMax) this.#rounds.shift();
    return this.#current;
  }

  /** A majority has answered `round`. Returns whether that is news. */
  confirm(round: number): boolean {
    if (round <= this.#confirmedRound) return false;
    this.#confirmedRound = round;
    let passed = 0;
    for (const candidate of this.#rounds) {
      if (candidate.number > round) break;
      passed += 1;
      if (candidate.fenced && candidate.number > this.#floor) this.#startMs = candidate.sentMs;
    }
    this.#rounds.splice(0, passed);
    return true;
  }

  valid(nowMs: number): boolean {
    if (this.#disabled || this.#startMs === null) return false;
    return nowMs >= this.#startMs && nowMs < this.#startMs + this.#durationMs;
  }

  /** The clock went back: what was measured with it means nothing. */
  void(): void {
    this.#floor = this.#current;
    this.#startMs = null;
  }

  disable(): void {
    this.#disabled = true;
  }
}
