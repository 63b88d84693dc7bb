// How a server reaches its peers. Best effort: a call may be lost, may arrive twice, may be overtaken; Raft expects
// nothing better. Two implementations behind one port: stubs (one process, Cloudflare) and URLs (several hosts).

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

export interface PeerAddress {
  id: string;
  name: string;
  /** `ip:port` */
  address: string;
}

export class PeerUnreachable extends Error {
  override name = "PeerUnreachable";
}

/** Gives the stub of a peer that is an object of this Worker, or null when it lives elsewhere. */
export type StubOf = (peer: PeerAddress) => Fetcher | null;

export const serverKeyHeader = "x-proconsul-server-key";

export class FetchTransport implements PeerTransport {
  readonly #stubOf: StubOf;
  readonly #serverKey: string | undefined;

  constructor(stubOf: StubOf, serverKey: string | undefined) {
    this.#stubOf = stubOf;
    this.#serverKey = serverKey;
  }

  async call(
    peer: PeerAddress,
    op: string,
    body: Uint8Array<ArrayBuffer> | string,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    // A fresh stub for each attempt: one that has failed stays broken.
    const stub = this.#stubOf(peer);
    const request = stub
      ? stub.fetch(`http://server/rpc/${op}`, { method: "POST", body })
      : fetch(`http://${peer.address}/rpc/${op}`, {
          method: "POST",
          body,
          headers: this.#serverKey === undefined ? {} : { [serverKeyHeader]: this.#serverKey },
        });
    return await withTimeout(answerOf(request), timeoutMs);
  }
}

async function answerOf(request: Promise<Response>): Promise<Uint8Array> {
  const response = await request;
  if (!response.ok) {
    throw new PeerUnreachable(`peer answered ${response.status}: ${await response.text()}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** The late answer of a call that timed out is dropped; its rejection must not become an unhandled one. */
async function withTimeout<Value>(promise: Promise<Value>, timeoutMs: number): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new PeerUnreachable(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
}
