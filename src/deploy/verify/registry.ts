// A registry as a client sees it: its address and a token.

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  ms: number;
  /** The body as JSON. Throws SyntaxError. */
  json<Value>(): Value;
}

export interface Ask {
  method?: string;
  body?: string | object | Uint8Array;
  headers?: Record<string, string>;
  /** Null: none; absent: the registry's. */
  token?: string | null;
  timeoutMs?: number;
}

const defaultTimeoutMs = 20_000;

export class Registry {
  readonly url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  async ask(path: string, { body, headers, token, timeoutMs, ...rest }: Ask = {}): Promise<Reply> {
    const shown = token === undefined ? this.#token : token;
    const startMs = performance.now();
    const response = await fetch(this.url + path, {
      ...rest,
      headers: { ...headers, ...(shown !== null && { "X-Consul-Token": shown }) },
      ...(body !== undefined && { body: bodyOf(body) }),
      signal: AbortSignal.timeout(timeoutMs ?? defaultTimeoutMs),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      ms: performance.now() - startMs,
      json: <Value>() => JSON.parse(text) as Value,
    };
  }

  /** Throws unless it is answered with 200. */
  async get(path: string, ask: Ask = {}): Promise<Reply> {
    const reply = await this.ask(path, ask);
    if (reply.status === 200) return reply;
    const [plain] = path.split("?");
    throw new Failed(
      `${ask.method ?? "GET"} ${plain}: ${reply.status} ${reply.text.slice(0, 200)}`,
    );
  }

  put(path: string, body: string | object = "", ask: Ask = {}): Promise<Reply> {
    return this.get(path, { method: "PUT", body, ...ask });
  }
}

/** What was expected is not so. */
export class Failed extends Error {
  override name = "Failed";
}

export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Failed(otherwise);
}

/** Asks until it holds. Throws Failed after `limitMs`. */
export async function until(
  what: string,
  limitMs: number,
  holds: () => Promise<boolean>,
): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    if (await holds()) return performance.now() - startMs;
    if (performance.now() - startMs > limitMs) {
      throw new Failed(`${what}: not within ${limitMs / 1_000} s`);
    }
    await pause(Math.min(250, limitMs / 10));
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function bodyOf(body: string | object | Uint8Array): string | Uint8Array<ArrayBuffer> {
  if (body instanceof Uint8Array) return new Uint8Array(body);
  return typeof body === "string" ? body : JSON.stringify(body);
}
