// What a server does with a request for another datacenter: it asks a server there, as Consul's do for their agents.
// What waits there waits on one socket for each datacenter, which is open while anybody waits.

import type { LinkClient } from "../../src/link/client.ts";
import type { LinkReply, LinkRequest, ReadAnswer, ReadRequest } from "../../src/link/protocol.ts";
import type { Distances } from "./distances.ts";
import { fromAbroad, type ServerCalls } from "./server-calls.ts";

/** A request for another datacenter. */
export type Abroad<Request extends LinkRequest = LinkRequest> = Request & { dc: string };

export interface OtherDatacentersParts {
  calls: Pick<ServerCalls, "ask" | "link" | "requirePath">;
  /** The server's own. */
  datacenter: string;
  /** Whether a token is one of this datacenter's alone: it means nothing elsewhere, and is not shown there. */
  isLocalToken(secret: string): boolean;
  distances: Pick<Distances, "order">;
}

interface Waiting {
  link: LinkClient;
  waits: number;
}

export class OtherDatacenters {
  readonly #parts: OtherDatacentersParts;
  readonly #waiting = new Map<string, Waiting>();

  constructor(parts: OtherDatacentersParts) {
    this.#parts = parts;
  }

  isAbroad<Request extends LinkRequest>(request: Request): request is Abroad<Request> {
    const { dc = "" } = request as { dc?: string };
    return dc !== "" && dc !== this.#parts.datacenter;
  }

  /** All of them, the own one first, then by distance. Never rejects. */
  async names(): Promise<string[]> {
    return await this.#parts.distances.order();
  }

  /** Rejects with ServiceError. */
  async ask(request: Abroad): Promise<LinkReply> {
    const { calls } = this.#parts;
    const { dc } = request;
    calls.requirePath(dc);
    try {
      return { ...(await calls.ask(dc, this.#asShown(request))), id: request.id };
    } catch (failure) {
      throw fromAbroad(failure, request);
    }
  }

  /**
   * A read that waits for its index to move, however long that takes; until `cancel`, after which nothing settles.
   * Throws ServiceError.
   */
  wait(request: Abroad<ReadRequest> & { minIndex: number }): {
    answer: Promise<ReadAnswer>;
    cancel(): void;
  } {
    const { dc, id, minIndex } = request;
    this.#parts.calls.requirePath(dc);
    const waiting = this.#waiting.get(dc) ?? this.#open(dc);
    waiting.waits += 1;
    const { id: _id, ...asked } = this.#asShown(request);
    const { reply, cancel } = waiting.link.askBlocking({ ...asked, minIndex });
    let open = true;
    const done = (): void => {
      if (open) this.#left(dc, waiting);
      open = false;
    };
    const answer = reply
      .then(
        (given) => ({ ...given, id }) as ReadAnswer,
        (failure: unknown) => Promise.reject(fromAbroad(failure, request) as Error),
      )
      .finally(done);
    return { answer, cancel: () => (cancel(), done()) };
  }

  #open(dc: string): Waiting {
    const waiting: Waiting = { link: this.#parts.calls.link(dc), waits: 0 };
    this.#waiting.set(dc, waiting);
    void waiting.link.start();
    return waiting;
  }

  #left(dc: string, waiting: Waiting): void {
    waiting.waits -= 1;
    if (waiting.waits > 0) return;
    this.#waiting.delete(dc);
    waiting.link.stop();
  }

  /** As a server of the other datacenter is asked. */
  #asShown<Request extends LinkRequest>({ dc: _dc, ...request }: Abroad<Request>): Request {
    const { token = "" } = request as { token?: string };
    const shown =
      token === "" || !this.#parts.isLocalToken(token) ? request : { ...request, token: "" };
    return shown as unknown as Request;
  }
}
