// A typed client of the HTTP API, over fetch: what the command line says to an agent.

export interface ClientOptions {
  /** `host:port` or a URL. */
  address: string;
  /** "" for none. */
  token: string;
}

/** The agent refused; `message` is its text. */
export class ResponseError extends Error {
  override name = "ResponseError";
  readonly status: number;

  constructor(status: number, text: string) {
    super(`Unexpected response code: ${status} (${text})`);
    this.status = status;
  }
}

export class Client {
  readonly #base: string;
  readonly #token: string;

  constructor({ address, token }: ClientOptions) {
    this.#base = /^https?:\/\//.test(address) ? address.replace(/\/+$/, "") : `http://${address}`;
    this.#token = token;
  }

  /** Makes the agent leave the datacenter and end. */
  async leave(): Promise<void> {
    await this.#request("PUT", "/v1/agent/leave");
  }

  /** Rejects with ResponseError, or with Go's words when nobody answers. */
  async #request(method: string, path: string): Promise<string> {
    const headers: Record<string, string> =
      this.#token === "" ? {} : { "X-Consul-Token": this.#token };
    let response: Response;
    try {
      response = await fetch(this.#base + path, { method, headers });
    } catch (failure) {
      throw new Error(dialError(method, this.#base, path, failure), { cause: failure });
    }
    const text = await response.text();
    if (!response.ok) throw new ResponseError(response.status, text);
    return text;
  }
}

function dialError(method: string, base: string, path: string, failure: unknown): string {
  const { host } = new URL(base);
  const cause = (failure as { cause?: { code?: string; message?: string } }).cause;
  const refused = cause?.code === "ECONNREFUSED";
  const reason = refused ? "connect: connection refused" : (cause?.message ?? String(failure));
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  return `${verb} "${base}${path}": dial tcp ${host}: ${reason}`;
}
