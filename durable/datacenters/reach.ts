// How servers of any datacenter are reached: objects of this deployment by the platform, those of other hosts by the
// network, with the key that servers share.

import { type CallAbroad, linkAbroad } from "../../src/link/peer-tls.ts";
import type { LinkSocket } from "../../src/link/client.ts";
import { serverKeyHeader } from "../../src/link/protocol.ts";
import type { Answer, Objects } from "../platform/platform.ts";
import type { ServerTarget } from "./directory.ts";

/** Where an object has no patience of its own, a call over the network has this. */
const networkTimeoutMs = 30_000;
/** What a connection that was never made fails with. */
const unconnected: ReadonlySet<unknown> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"]);

/** A server of another host gave no answer. */
export class ServerUnreachable extends Error {
  override name = "ServerUnreachable";
  /** It certainly did not hear of the request. */
  readonly isUnheard: boolean;

  constructor(address: string, failure: unknown) {
    const { message, code } = failure as { message: string; code?: unknown };
    super(`${address}: ${message}`);
    this.isUnheard = unconnected.has(code);
  }
}

export class Reach {
  readonly #objects: Objects;
  readonly #headers: Record<string, string>;

  constructor(objects: Objects, serverKey: string | undefined) {
    this.#objects = objects;
    this.#headers = serverKey === undefined ? {} : { [serverKeyHeader]: serverKey };
  }

  /** Rejects as {@link Objects.call}, or with {@link ServerUnreachable}. */
  async call(target: ServerTarget, path: CallAbroad, body: string): Promise<Answer> {
    if ("object" in target) return await this.#objects.call(target.object, path, body, null);
    const url = `http://${target.address}${path}`;
    const asked = this.#objects.post(url, this.#headers, body, networkTimeoutMs);
    return await asked.catch((failure: unknown) => {
      throw new ServerUnreachable(target.address, failure);
    });
  }

  /** A link, not accepted yet. Rejects when the server refuses. */
  async link(target: ServerTarget): Promise<LinkSocket> {
    if ("object" in target) return await this.#objects.connect(target.object, "/link");
    return await this.#objects.dial(`ws://${target.address}${linkAbroad}`, this.#headers);
  }
}
