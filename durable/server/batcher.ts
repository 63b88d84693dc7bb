// Coalesces questions: those asked in one turn, and all asked while a call is under way, share the next call.

interface Waiting<Question, Answer> {
  question: Question;
  resolve(answer: Answer): void;
  reject(failure: unknown): void;
}

export class Batcher<Question, Answer> {
  readonly #call: (questions: Question[]) => Promise<Answer[]>;
  #waiting: Waiting<Question, Answer>[] = [];
  #calling = false;

  /** `call` answers questions in their order; when it rejects, all of them do. */
  constructor(call: (questions: Question[]) => Promise<Answer[]>) {
    this.#call = call;
  }

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      if (this.#calling) return;
      this.#calling = true;
      queueMicrotask(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const answers = await this.#call(batch.map(({ question }) => question));
        for (const [at, { resolve }] of batch.entries()) resolve(answers[at] as Answer);
      } catch (failure) {
        for (const { reject } of batch) reject(failure);
      }
    }
    this.#calling = false;
  }
}
