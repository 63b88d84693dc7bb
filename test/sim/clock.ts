// A server's clock: runs at its own rate and may be stepped. Real time is the event queue's.

export class Clock {
  #rate: number;
  #realBase: number;
  #localBase: number;

  constructor(options: { rate: number; localMs: number }) {
    this.#rate = options.rate;
    this.#realBase = 0;
    this.#localBase = options.localMs;
  }

  local(realMs: number): number {
    return Math.floor(this.#localBase + (realMs - this.#realBase) * this.#rate);
  }

  /** The earliest real time at which the clock shows at least `localMs`. */
  real(localMs: number): number {
    return this.#realBase + (localMs - this.#localBase) / this.#rate;
  }

  step(realMs: number, byMs: number): void {
    this.#localBase = this.#localBase + (realMs - this.#realBase) * this.#rate + byMs;
    this.#realBase = realMs;
  }
}
