// How a server reaches its peers. Best effort: a call may be lost, may arrive twice, may be overtaken; Raft expects
// nothing better. A peer is an object of this deployment or, on several hosts, a URL; the caller need not know.

import { isSuccess, type ObjectAddress, type Objects, textOf } from "../platform/platform.ts";
import type { PeerAddress } from "../platform/topology.ts";
import { serverKeyHeader } from "../../src/link/protocol.ts";

/** One call to a peer: `op` is the last part of the path `/rpc/<op>`. */
export interface PeerTransport {
  /**
   * Posts `body` and gives the answer's body. Rejects when the peer cannot be reached, refuses, or takes longer
   * than `timeoutMs`; the request may have been handled all the same.
   */
  call(
    peer: PeerAddress,
    op: string,
    body: Uint8Array | string,
    timeoutMs: number,
  ): Promise<Uint8Array>;
}

export class PeerUnreachable extends Error {
  override name = "PeerUnreachable";
}

const encoder = new TextEncoder();

export class ObjectTransport implements PeerTransport {
  readonly #objects: Objects;
  readonly #objectOf: (peer: PeerAddress) => ObjectAddress | null;
  readonly #headers: Record<string, string>;

  /** `objectOf`: the object that is this peer, or null when it lives on another host. */
  constructor(
    objects: Objects,
    objectOf: (peer: PeerAddress) => ObjectAddress | null,
    serverKey: string | undefined,
  ) {
    this.#objects = objects;
    this.#objectOf = objectOf;
    this.#headers = serverKey === undefined ? {} : { [serverKeyHeader]: serverKey };
  }

  async call(
    peer: PeerAddress,
    op: string,
    body: Uint8Array | string,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    const object = this.#objectOf(peer);
    const answer = object
      ? await this.#objects.call(object, `/rpc/${op}`, body, timeoutMs)
      : await this.#objects.post(
          `http://${peer.address}/rpc/${op}`,
          this.#headers,
          body,
          timeoutMs,
        );
    if (!isSuccess(answer)) {
      throw new PeerUnreachable(`peer answered ${answer.status}: ${textOf(answer.body)}`);
    }
    return typeof answer.body === "string" ? encoder.encode(answer.body) : answer.body;
  }
}
