// Reads of another datacenter that wait: who waits on which socket. The other datacenter is asked by this server, so
// none of it is kept when this server's memory is lost; sockets with such a read are greeted then, and ask again.

import { ServiceError } from "../../src/core/model/errors.ts";
import { limits } from "../../src/core/model/limits.ts";
import type { ReadAnswer, ReadRequest } from "../../src/link/protocol.ts";
import type { Abroad, OtherDatacenters } from "../datacenters/other-datacenters.ts";
import type { ObjectSocket } from "../platform/platform.ts";

export interface WaitsAbroadParts {
  datacenters: Pick<OtherDatacenters, "wait">;
  answer(socket: ObjectSocket, answer: ReadAnswer): void;
  fail(socket: ObjectSocket, id: number, failure: unknown): void;
  /** Whether something waits on a socket that is not kept with it. */
  holds(socket: ObjectSocket, isHeld: boolean): void;
}

export class WaitsAbroad {
  readonly #parts: WaitsAbroadParts;
  /** What ends a wait, by its id. */
  readonly #sockets = new Map<ObjectSocket, Map<number, () => void>>();

  constructor(parts: WaitsAbroadParts) {
    this.#parts = parts;
  }

  /** Throws ServiceError. */
  begin(socket: ObjectSocket, request: Abroad<ReadRequest> & { minIndex: number }): void {
    const { datacenters, answer: give, fail } = this.#parts;
    const { id } = request;
    const waits = this.#sockets.get(socket) ?? new Map<number, () => void>();
    if (waits.size >= limits.waitingReadsPerLinkMax) {
      throw new ServiceError("too-many-requests", "too many blocking queries");
    }
    this.cancel(socket, id);
    const { answer, cancel } = datacenters.wait(request);
    waits.set(id, cancel);
    this.#sockets.set(socket, waits);
    this.#parts.holds(socket, true);
    const isStill = (): boolean => this.#sockets.get(socket)?.get(id) === cancel;
    answer.then(
      (given) => {
        if (!isStill()) return;
        this.#forget(socket, id);
        give(socket, given);
      },
      (failure: unknown) => {
        if (!isStill()) return;
        this.#forget(socket, id);
        fail(socket, id, failure);
      },
    );
  }

  cancel(socket: ObjectSocket, id: number): void {
    const cancel = this.#sockets.get(socket)?.get(id);
    if (!cancel) return;
    this.#forget(socket, id);
    cancel();
  }

  closed(socket: ObjectSocket): void {
    const waits = this.#sockets.get(socket);
    this.#sockets.delete(socket);
    for (const cancel of waits?.values() ?? []) cancel();
  }

  #forget(socket: ObjectSocket, id: number): void {
    const waits = this.#sockets.get(socket);
    waits?.delete(id);
    if (!waits || waits.size > 0) return;
    this.#sockets.delete(socket);
    this.#parts.holds(socket, false);
  }
}
