// Assertions stay on in production: a broken belief stops the object before it can write it down.
// Use for programmer errors only; what a user or a network can cause is a value, not an assertion.

export class AssertionError extends Error {
  override name = "AssertionError";
}

/** Throws {@link AssertionError} unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Ends an exhaustive `switch`: does not compile while a case is missing. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected value ${JSON.stringify(value)}`);
}
