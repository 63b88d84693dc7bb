// When questions that wait are evaluated anew: after the turn that touched them, never inside it, and each once
// however often it was touched meanwhile, so that no commit waits for an answer to be written.
//
// Two lanes. Light questions go at once, some in each turn. Heavy ones, whose answer is long, go one by one, and
// between two of them the lane rests for a time that their length decides: whoever watches 10 MB that change all the
// time gets as many answers as leave most of the server's time to everybody else. Lengths are known where clocks stand
// still (workerd's do within a turn).

import type { TimerHandle, Timers } from "../../src/ports/timers.ts";

/** An answer of more UTF-16 units than this is heavy. */
const heavyAnswerLength = 65_536;
/** What the heavy lane may write, in UTF-16 units per ms. */
const heavyRate = 10_000;
/** A turn of the light lane ends after so many questions, or so many UTF-16 units of answers. */
const lightQuestionsMax = 64;
const lightLengthMax = 1_000_000;

export interface Weighed {
  /** Length of its last answer, in UTF-16 units. */
  answerLength: number;
}

export function isHeavy({ answerLength }: Weighed): boolean {
  return answerLength > heavyAnswerLength;
}

export interface EvaluationQueueParts<Question> {
  timers: Timers;
  /** Evaluates, answers, and tells how many UTF-16 units were written. It may be added again. */
  evaluate(question: Question): number;
  /** The heavy lane has rested. */
  rested(): void;
}

export class EvaluationQueue<Question extends Weighed> {
  readonly #parts: EvaluationQueueParts<Question>;
  readonly #light = new Set<Question>();
  readonly #heavy = new Set<Question>();
  #lightTimer: TimerHandle = null;
  #heavyTimer: TimerHandle = null;
  #resting = false;

  constructor(parts: EvaluationQueueParts<Question>) {
    this.#parts = parts;
  }

  /** Whether heavy questions wait for their turn now. */
  get resting(): boolean {
    return this.#resting;
  }

  add(question: Question): void {
    (isHeavy(question) ? this.#heavy : this.#light).add(question);
    this.#arm();
  }

  #arm(): void {
    const { timers } = this.#parts;
    if (this.#light.size > 0) this.#lightTimer ??= timers.set(() => this.#runLight(), 0);
    if (this.#heavy.size > 0) this.#heavyTimer ??= timers.set(() => this.#runHeavy(), 0);
  }

  /** So many UTF-16 units were written for a heavy question, here or elsewhere. */
  rest(length: number): void {
    if (this.#resting) return;
    const { timers, rested } = this.#parts;
    timers.clear(this.#heavyTimer);
    this.#resting = true;
    this.#heavyTimer = timers.set(
      () => {
        this.#heavyTimer = null;
        this.#resting = false;
        rested();
        this.#arm();
      },
      Math.ceil(length / heavyRate),
    );
  }

  #runLight(): void {
    this.#lightTimer = null;
    let length = 0;
    let count = 0;
    // Not the set itself: what is added again belongs to the next turn.
    for (const question of [...this.#light]) {
      if (count >= lightQuestionsMax || length >= lightLengthMax) break;
      this.#light.delete(question);
      const written = this.#parts.evaluate(question);
      length += written;
      count += 1;
      if (isHeavy(question)) this.rest(written);
    }
    this.#arm();
  }

  #runHeavy(): void {
    this.#heavyTimer = null;
    const [question] = this.#heavy;
    if (!question) return;
    this.#heavy.delete(question);
    this.rest(this.#parts.evaluate(question));
    this.#arm();
  }
}
