// All that commands know of HTTP: requests of an agent, its answers, and refusals as errors with the words of Consul.

import type { JsonValue } from "../core/model/json.ts";
import type { Connection } from "./http-flags.ts";
import type { HttpResponse, Transport } from "./transport.ts";

/** Of an answer that cannot be read. */
const shownCharacters = 100;

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Answer {
  status: number;
  text: string;
  header(name: string): string | null;
  /** The body as JSON; integers that no double holds are bigints. */
  json<Value = JsonValue>(): Value;
}

/** The agent refused; `message` is what Consul prints. */
export class ResponseError extends Error {
  override name = "ResponseError";
  readonly status: number;
  readonly text: string;

  constructor(status: number, text: string) {
    super(`Unexpected response code: ${status} (${text})`);
    this.status = status;
    this.text = text;
  }
}

/** What answers is no agent, or was cut off. */
export class AnswerError extends Error {
  override name = "AnswerError";
}

/** What is too much to be held. */
export class FileBody {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly length: number;

  constructor(bytes: AsyncIterable<Uint8Array>, length: number) {
    this.bytes = bytes;
    this.length = length;
  }
}

export interface RequestOptions {
  query?: Query;
  body?: string | Uint8Array | FileBody | object;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  /** What counts as success besides 200. */
  accept?: readonly number[];
}

export class Api {
  readonly #connection: Connection;
  readonly #transport: Transport;

  constructor(connection: Connection, transport: Transport) {
    this.#connection = connection;
    this.#transport = transport;
  }

  get token(): string {
    return this.#connection.token;
  }

  async get(path: string, options: RequestOptions = {}): Promise<Answer> {
    return await this.#ask("GET", path, options);
  }

  /** Null when there is no such thing. */
  async find(path: string, options: RequestOptions = {}): Promise<Answer | null> {
    const answer = await this.#ask("GET", path, { ...options, accept: [404] });
    return answer.status === 404 ? null : answer;
  }

  async put(path: string, options: RequestOptions = {}): Promise<Answer> {
    return await this.#ask("PUT", path, options);
  }

  async post(path: string, options: RequestOptions = {}): Promise<Answer> {
    return await this.#ask("POST", path, options);
  }

  async delete(path: string, options: RequestOptions = {}): Promise<Answer> {
    return await this.#ask("DELETE", path, options);
  }

  /** The body as it comes. */
  async stream(method: string, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
    const { query = {}, body, headers = {}, signal, accept = [] } = options;
    const { token, credentials } = this.#connection;
    const bytes = body instanceof FileBody ? body : bodyBytes(body);
    const response = await this.#transport(this.#connection, {
      method,
      path: path + queryText({ ...this.#connection.query, ...query }),
      headers: {
        ...(token !== "" && { "X-Consul-Token": token }),
        ...(credentials !== "" && {
          Authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
        }),
        // Without it Node sends no body with DELETE.
        ...(bytes && { "Content-Length": String(bytes.length) }),
        ...headers,
      },
      body: bytes instanceof FileBody ? bytes.bytes : bytes,
      signal,
    });
    if (response.status !== 200 && !accept.includes(response.status)) {
      throw new ResponseError(response.status, (await bytesOf(response.body)).toString());
    }
    return response;
  }

  async #ask(method: string, path: string, options: RequestOptions): Promise<Answer> {
    const response = await this.stream(method, path, options);
    const text = (await bytesOf(response.body)).toString();
    return {
      status: response.status,
      text,
      header: response.header,
      json: <Value>() => understood(text) as Value,
    };
  }
}

function bodyBytes(body: RequestOptions["body"]): Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === "string" ? body : jsonText(body));
}

/** JSON in which bigints are numbers. */
export function jsonText(value: unknown, indent = ""): string {
  const replacer = (_key: string, inner: unknown): unknown =>
    typeof inner === "bigint" ? (JSON as unknown as RawJsonMaker).rawJSON(String(inner)) : inner;
  return JSON.stringify(value, replacer, indent);
}

interface RawJsonMaker {
  rawJSON(text: string): unknown;
}

function understood(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    const begin = text.trim().slice(0, shownCharacters);
    throw new AnswerError(`the answer is no JSON: ${JSON.stringify(begin)}`);
  }
}

function parseJson(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context?.source ?? "";
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, exact);
}

export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch (failure) {
    throw new AnswerError("unexpected EOF", { cause: failure });
  }
  return Buffer.concat(chunks);
}

/** As Go writes it: by name, with `+` for a space. */
function queryText(query: Query): string {
  const pairs = Object.entries(query)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => {
      if (value === undefined) return [];
      const values = typeof value === "string" ? [value] : value;
      return values.map((one) => `${queryEscape(name)}=${queryEscape(one)}`);
    });
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A name as one part of a path, with what Go leaves as it is. */
export function pathEscape(text: string): string {
  return encodeURIComponent(text).replace(/%(?:2B|40|24|26|3A|3D)/g, decodeURIComponent);
}

/** A path whose slashes stay. */
export function pathOf(text: string): string {
  return text.split("/").map(pathEscape).join("/");
}
