// Answers of local views, kept per request until the view changes: whoever asks again and again
// gets the same bytes without the API being asked. The counterpart of `dns-answers.ts`.

import type { IncomingMessage, ServerResponse } from "node:http";

import { BoundedMap, memoryOf } from "../../core/lib/bounded-map.ts";
import { limits } from "../../core/model/limits.ts";
import type { Reply } from "../../api/reply.ts";

const bodyBytesMax = 262_144;
/** All that an answer may depend on besides method and URL. */
const decisiveHeaders = [
  "accept-encoding",
  "authorization",
  "cache-control",
  "x-consul-namespace",
  "x-consul-token",
];

interface Kept {
  status: number;
  headers: Record<string, string | number>;
  body: string | Uint8Array;
  isCurrent(): boolean;
  timed(): (status: number) => void;
}

export class HttpAnswers {
  readonly #kept = new BoundedMap<Kept>(limits.httpAnswersBytesMax);

  /** Answers the request if it can; otherwise touches nothing and says false. */
  send({ method, url = "", headers }: IncomingMessage, response: ServerResponse): boolean {
    if (this.#kept.size === 0 || method !== "GET") return false;
    const key = keyOf(url, (name) => headers[name]);
    const kept = this.#kept.get(key);
    if (!kept) return false;
    if (!kept.isCurrent()) {
      this.#kept.delete(key);
      return false;
    }
    const done = kept.timed();
    response.writeHead(kept.status, kept.headers);
    response.end(kept.body);
    done(kept.status);
    return true;
  }

  /** Drops everything: what is asked without a token may have another answer now. */
  forget(): void {
    this.#kept.clear();
  }

  /** Keeps an answer that says how long it is right. `timed` is called each time that it is given. */
  keep(
    request: Request,
    { status, headers, body, isCurrent }: Reply,
    timed: Kept["timed"] = () => () => undefined,
  ): void {
    if (request.method !== "GET" || !isCurrent) return;
    if (typeof body !== "string" && !(body instanceof Uint8Array)) return;
    const bytes = Buffer.byteLength(body);
    if (bytes > bodyBytesMax) return;
    const path = request.url.slice(request.url.indexOf("/", request.url.indexOf("//") + 2));
    const key = keyOf(path, (name) => request.headers.get(name));
    const sent = { ...headers, "Content-Length": bytes };
    const kept = { status, headers: sent, body, isCurrent, timed };
    const headerBytes = memoryOf(JSON.stringify(headers));
    this.#kept.set(key, kept, headerBytes + (typeof body === "string" ? memoryOf(body) : bytes));
  }
}

function keyOf(
  path: string,
  header: (name: string) => string | string[] | null | undefined,
): string {
  let key = path;
  for (const name of decisiveHeaders) key += `\n${String(header(name) ?? "")}`;
  return key;
}
