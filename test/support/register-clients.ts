// Clients that write and read a few keys at once, through whatever agent answers, and write down what they saw, for
// the checker of test/sim: was there one order of all these operations that explains every answer?

import { checkRegister, type RegisterOperation } from "../sim/linearizability.ts";
import { type Answer, request } from "./proconsul.ts";

const clientsPerKey = 3;
/** Between two operations of a client; keeps the history short enough to be searched. */
const pauseMs = 4;
/** After an answer that says nothing. */
const failurePauseMs = 40;
const answerLimitMs = 9_000;

interface Recorded extends RegisterOperation {
  key: string;
}

export class RegisterClients {
  readonly #keys: readonly string[];
  readonly #urls: () => readonly string[];
  readonly #history: Recorded[] = [];
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();
  #values = 0;

  /** `urls`: addresses of agents; asked anew for each operation. */
  constructor(keys: readonly string[], urls: () => readonly string[]) {
    this.#keys = keys;
    this.#urls = urls;
  }

  start(): void {
    const clients = this.#keys.flatMap((key) =>
      Array.from({ length: clientsPerKey }, (_, n) => this.#run(key, n)),
    );
    this.#running = Promise.all(clients);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  get answered(): number {
    return this.#history.filter((operation) => Number.isFinite(operation.return)).length;
  }

  get unanswered(): number {
    return this.#history.length - this.answered;
  }

  /** Keys whose history no order explains, with the history. */
  violations(): { key: string; placed: number; history: RegisterOperation[] }[] {
    return this.#keys.flatMap((key) => {
      const history = withoutUnseen(this.#history.filter((operation) => operation.key === key));
      const result = checkRegister(history);
      return result === null ? [] : [{ key, placed: result.placed, history }];
    });
  }

  async #run(key: string, client: number): Promise<void> {
    for (let n = client; !this.#stopped; n++) {
      const urls = this.#urls();
      const url = `${urls[n % urls.length]}/v1/kv/${key}`;
      const answered = n % 2 === 0 ? await this.#put(key, url) : await this.#get(key, url);
      await new Promise((resolve) => setTimeout(resolve, answered ? pauseMs : failurePauseMs));
    }
  }

  async #put(key: string, url: string): Promise<boolean> {
    const value = `v${this.#values++}`;
    const call = performance.now();
    const answer = await ask(url, { method: "PUT", body: value });
    const ok = answer?.status === 200;
    this.#history.push({
      key,
      call,
      return: ok ? performance.now() : Number.POSITIVE_INFINITY,
      kind: "put",
      value,
      expected: null,
      result: ok ? "ok" : null,
    });
    return ok;
  }

  async #get(key: string, url: string): Promise<boolean> {
    const call = performance.now();
    const answer = await ask(`${url}?raw`);
    // A read without an answer saw nothing and changed nothing.
    if (answer?.status !== 200 && answer?.status !== 404) return false;
    const result = answer.status === 200 ? answer.text : null;
    const times = { call, return: performance.now() };
    this.#history.push({ key, ...times, kind: "get", value: null, expected: null, result });
    return true;
  }
}

async function ask(
  url: string,
  options: { method?: string; body?: string } = {},
): Promise<Answer | null> {
  try {
    return await request(url, { ...options, signal: AbortSignal.timeout(answerLimitMs) });
  } catch {
    return null;
  }
}

/**
 * Values are unique, so an unanswered write that nobody read explains nothing and forbids nothing: leaving it out
 * changes no verdict and keeps the search narrow.
 */
function withoutUnseen(history: readonly Recorded[]): Recorded[] {
  const seen = new Set(history.map(({ kind, result }) => (kind === "get" ? result : null)));
  return history.filter(
    (operation) => Number.isFinite(operation.return) || seen.has(operation.value),
  );
}
