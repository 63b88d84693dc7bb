// Datacenters whose servers say nothing: whoever asks for one is told at once that there is no path, but for one asker
// every few seconds, who finds out whether that is still so.

const silentMs = 5_000;

export class Silence {
  readonly #nowMs: () => number;
  readonly #untilMs = new Map<string, number>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether not to ask. Who may ask is to tell what came of it. */
  covers(dc: string): boolean {
    const untilMs = this.#untilMs.get(dc);
    if (untilMs === undefined) return false;
    if (this.#nowMs() < untilMs) return true;
    this.#untilMs.set(dc, this.#nowMs() + silentMs);
    return false;
  }

  begins(dc: string): void {
    this.#untilMs.set(dc, this.#nowMs() + silentMs);
  }

  ends(dc: string): void {
    this.#untilMs.delete(dc);
  }
}
