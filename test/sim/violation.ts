// A broken guarantee. The runner adds the seed and how to replay it.

export class Violation extends Error {
  override name = "Violation";
}

/** Thrown by a driver step on purpose: the instance aborts, as it would on a storage fault. */
export class InjectedFault extends Error {
  override name = "InjectedFault";
}
