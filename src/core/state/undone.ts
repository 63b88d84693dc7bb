// The answer of a guarded handler that wants nothing of what it did to remain.

/** Thrown by a guarded handler; `value` is the command's result. */
export class UndoneResult {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}
