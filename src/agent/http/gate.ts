// What keeps a request from the API before anybody looks at what it asks: browsers that were lured here, endpoints
// that the configuration blocks, and writes from networks that may only read.

import type { IncomingMessage } from "node:http";
import type { BlockList } from "node:net";

import { splitTarget } from "../../api/paths.ts";
import { decodePercent } from "../../core/lib/percent.ts";
import { browserRefusal, type GuardedListener } from "../../core/model/browser-guard.ts";
import { networkList, within } from "../config/networks.ts";
import type { HttpConfig } from "../config/types.ts";

export interface GateParts {
  config: HttpConfig;
  nodeName: string;
  /** Without dots at the ends. */
  domain: string;
  /** Only this machine reaches the listener. */
  loopbackOnly: boolean;
}

type GatedRequest = Pick<IncomingMessage, "method" | "url" | "headers"> & {
  socket: { remoteAddress?: string | undefined };
};

const reading = new Set(["GET", "HEAD", "OPTIONS"]);

export class Gate {
  readonly #listener: GuardedListener;
  readonly #blocked: readonly string[];
  readonly #writers: BlockList | null;

  constructor({ config, nodeName, domain, loopbackOnly }: GateParts) {
    const { allowedHosts, blockEndpoints, allowWriteHttpFrom } = config;
    this.#listener = { loopbackOnly, nodeName, domain, allowedHosts };
    this.#blocked = blockEndpoints;
    this.#writers = allowWriteHttpFrom.length > 0 ? networkList(allowWriteHttpFrom) : null;
  }

  /** Why a request must not reach the API, in Consul's words where it has some; null when it may. */
  refusal({ method = "", url = "/", headers, socket }: GatedRequest): string | null {
    const refused = browserRefusal((name) => textOf(headers[name]), this.#listener);
    if (refused !== null) return refused;
    if (this.#blocked.length > 0) {
      const { path } = splitTarget(url);
      const decoded = path.includes("%") ? decodePercent(path) : path;
      if (this.#blocked.some((prefix) => decoded.startsWith(prefix))) {
        return "Endpoint is blocked by agent configuration";
      }
    }
    if (!this.#writers || reading.has(method)) return null;
    return within(this.#writers, socket.remoteAddress ?? "") ? null : "Access is restricted";
  }
}

function textOf(value: string | string[] | undefined): string | null {
  return value === undefined ? null : String(value);
}
