// Calls and sockets from servers of this process to those of other hosts: in clear text, or by TLS, whose certificates
// may change while they go on.

import { Agent, type ClientRequest, request as httpRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";

import type { LinkSocket } from "../../../src/link/client.ts";
import {
  connectionOptions,
  isFromAbroad,
  linkAbroad,
  type PeerTls,
} from "../../../src/link/peer-tls.ts";
import type { Answer, Objects } from "../platform.ts";
import { dial } from "./dial.ts";

const pool = { keepAlive: true, maxSockets: 16 };

interface Secured {
  tls: PeerTls;
  /** Apart, because not the same certificates will do. */
  own: SecureAgent;
  abroad: SecureAgent;
}

export class PeerWire {
  readonly #plain = new Agent(pool);
  #secured: Secured | null = null;

  constructor(tls: PeerTls | null) {
    this.use(tls);
  }

  /** From now on; what is on its way goes on as it began. */
  use(tls: PeerTls | null): void {
    this.#secured = tls && {
      tls,
      own: new SecureAgent({ ...pool, ...connectionOptions(tls, "") }),
      abroad: new SecureAgent({ ...pool, ...connectionOptions(tls, linkAbroad) }),
    };
  }

  /** By node:http, whose requests cost a fraction of what `fetch` costs here. */
  post(
    url: string,
    headers: Record<string, string>,
    body: Parameters<Objects["post"]>[2],
    timeoutMs: number,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#request(url, {
        ...headers,
        "content-length": String(Buffer.byteLength(body)),
      });
      outgoing.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 502, body: Buffer.concat(chunks) });
        });
      });
      const timer = setTimeout(() => {
        outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      outgoing.on("error", (failure) => {
        clearTimeout(timer);
        reject(failure);
      });
      outgoing.end(body);
    });
  }

  /** Rejects when the other end refuses, or is silent. */
  async dial(url: string, headers: Record<string, string>): Promise<LinkSocket> {
    if (!this.#secured) return await dial(url, headers);
    const options = connectionOptions(this.#secured.tls, new URL(url).pathname);
    return await dial(url.replace(/^ws:/, "wss:"), headers, options);
  }

  close(): void {
    this.#plain.destroy();
    this.#secured?.own.destroy();
    this.#secured?.abroad.destroy();
  }

  #request(url: string, headers: Record<string, string>): ClientRequest {
    const secured = this.#secured;
    if (!secured) return httpRequest(url, { method: "POST", agent: this.#plain, headers });
    const agent = isFromAbroad(new URL(url).pathname) ? secured.abroad : secured.own;
    return secureRequest(url.replace(/^http:/, "https:"), { method: "POST", agent, headers });
  }
}
