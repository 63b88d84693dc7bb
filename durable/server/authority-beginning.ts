// Where Connect is enabled there is a certificate authority soon after there is a leader. What is asked of it before
// that waits for it, so that nobody is told that Connect is not enabled.

import type { StateMachine } from "../../src/core/state/machine.ts";
import { findCaConfiguration } from "../../src/core/state/tables/ca/authority.ts";
import { sleep, type Timers } from "../../src/ports/timers.ts";

const waitMsMax = 2_000;
const pollMs = 20;

export interface AuthorityBeginningParts {
  machine: Pick<StateMachine, "ask">;
  timers: Timers;
  enabled: boolean;
}

export class AuthorityBeginning {
  readonly #parts: AuthorityBeginningParts;
  #begun = false;

  constructor(parts: AuthorityBeginningParts) {
    this.#parts = parts;
  }

  /** Whether the read asks for what is on its way. */
  isAwaited(read: string): boolean {
    return read.startsWith("ca.") && this.#isPending();
  }

  /** Resolves when there is an authority, when none is to come, or when it takes too long. */
  async begun(): Promise<void> {
    for (let waitedMs = 0; waitedMs < waitMsMax && this.#isPending(); waitedMs += pollMs) {
      await sleep(this.#parts.timers, pollMs);
    }
  }

  #isPending(): boolean {
    const { machine, enabled } = this.#parts;
    if (!enabled || this.#begun) return false;
    this.#begun = machine.ask(findCaConfiguration) !== undefined;
    return !this.#begun;
  }
}
