// Asks one server after the other until one answers: the next one when the last one failed, or has been silent for a
// while. The silent one may still be the first to answer. Only for what may be asked twice.

import type { TimerHandle, Timers } from "../../src/ports/timers.ts";

export interface InTurn<Server, Answer> {
  timers: Timers;
  /** At least one. */
  servers: readonly Server[];
  /** How long one is waited for before the next one is asked too. */
  patienceMs: number;
  /** How long the last one is waited for; what `ask` begins needs no limit of its own. */
  timeoutMs: number;
  ask(server: Server): Promise<Answer>;
  /** Whether another server would fail alike. */
  isFinal(failure: unknown): boolean;
  /** It failed, or was silent. */
  missed(server: Server): void;
}

/** Rejects with a final failure, or with the last one when all have failed. */
export function askInTurn<Server, Answer>(parts: InTurn<Server, Answer>): Promise<Answer> {
  const { timers, servers, patienceMs, timeoutMs, ask, isFinal, missed } = parts;
  return new Promise((resolve, reject) => {
    let asked = 0;
    let failed = 0;
    let timer: TimerHandle = null;
    const askNext = (): void => {
      timers.clear(timer);
      const server = servers[asked];
      if (server === undefined) {
        const late = new Error(`no answer within ${timeoutMs} ms`);
        timer = timers.set(() => reject(late), timeoutMs - patienceMs);
        return;
      }
      asked += 1;
      timer = timers.set(() => {
        missed(server);
        askNext();
      }, patienceMs);
      ask(server).then(
        (answer) => {
          timers.clear(timer);
          resolve(answer);
        },
        (failure: Error) => {
          failed += 1;
          if (isFinal(failure) || failed === servers.length) {
            timers.clear(timer);
            reject(failure);
            return;
          }
          missed(server);
          // Its silence may have been noticed before: then the next one has been asked already.
          if (failed === asked) askNext();
        },
      );
    };
    askNext();
  });
}
