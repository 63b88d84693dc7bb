// Lines that would come again and again, as often as a stranger asks or a server stays away: each once in a while.

import type { AgentLog } from "./log.ts";

type Warns = Pick<AgentLog, "warn">;

class RareLog {
  readonly #log: Warns;
  readonly #logger: string;
  readonly #line: string;
  readonly #limits: { againMs: number; keysMax: number };
  readonly #saidMs = new Map<string, number>();

  constructor(
    log: Warns,
    logger: string,
    line: string,
    limits: { againMs: number; keysMax: number },
  ) {
    this.#log = log;
    this.#logger = logger;
    this.#line = line;
    this.#limits = limits;
  }

  /** Unless it was said with the same key a short while ago. */
  say(key: string, facts: Record<string, string>): void {
    const { againMs, keysMax } = this.#limits;
    const nowMs = performance.now();
    if (nowMs - (this.#saidMs.get(key) ?? -Infinity) < againMs) return;
    if (this.#saidMs.size >= keysMax) this.#saidMs.clear();
    this.#saidMs.set(key, nowMs);
    this.#log.warn(this.#logger, this.#line, facts);
  }
}

/** Says each reason for the same trouble once in ten minutes, or in `againMs`. */
export class TroubleLog {
  readonly #lines: RareLog;

  /** `line`: such as "cannot open the link to a server". */
  constructor(log: Warns, line: string, againMs = 600_000) {
    this.#lines = new RareLog(log, "agent", line, { againMs, keysMax: 64 });
  }

  say(facts: Record<string, string>): void {
    this.#lines.say(JSON.stringify(facts), facts);
  }
}

/** Refusals at a port: one line a minute of each address, however often it comes. */
export class RefusalLog {
  readonly #lines: RareLog;

  constructor(log: Warns, logger: string, line: string) {
    this.#lines = new RareLog(log, logger, line, { againMs: 60_000, keysMax: 1_024 });
  }

  note(from: string, reason: string): void {
    this.#lines.say(from, { from, reason });
  }
}
