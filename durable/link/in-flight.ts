// How many requests a server works on at a time. An object gets what comes, at any rate: when its leader is away, or
// writes are slow, they would pile up in its memory until that ends it, and with it everybody's. What is refused here
// certainly was not begun.

import { ServiceError } from "../../src/core/model/errors.ts";
import { limits } from "../../src/core/model/limits.ts";

export class InFlight {
  #requests = 0;
  #bytes = 0;

  /** A request of so many bytes begins; what it gives back ends it. Throws ServiceError `too-many-requests`. */
  enter(bytes: number): () => void {
    const isFull =
      this.#requests >= limits.requestsAtOnceMax ||
      // One alone is taken, however large.
      (this.#requests > 0 && this.#bytes + bytes > limits.requestBytesAtOnceMax);
    if (isFull) {
      throw new ServiceError("too-many-requests", "Too many requests at once, try again later");
    }
    this.#requests += 1;
    this.#bytes += bytes;
    return () => {
      this.#requests -= 1;
      this.#bytes -= bytes;
    };
  }
}
