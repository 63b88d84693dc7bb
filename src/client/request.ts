// Requests and answers as the network has them.

import type { Meta, Refusal, Success } from "./types.ts";

export interface ClientOptions {
  /** Of an agent or a Worker, such as `http://127.0.0.1:8500`. */
  readonly baseUrl: string;
  readonly token?: string;
  /** Asked where a request names none; absent: the agent's own. */
  readonly datacenter?: string;
  /** Absent: the platform's. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

type Parameter = string | number | bigint | boolean;

/** What the types of `types.ts` come down to. */
export interface Parts {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, Parameter | readonly Parameter[] | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly token?: string;
}

/** Rejects as `fetch` does where there is no answer. */
export async function send(
  options: ClientOptions,
  method: string,
  template: string,
  parts: Parts,
): Promise<Response> {
  const { token = options.token, signal, body } = parts;
  const { fetch: ask = fetch } = options;
  const url =
    options.baseUrl.replace(/\/+$/, "") + pathOf(template, parts) + queryOf(options, parts);
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  return await ask(
    new Request(url, {
      method,
      headers: token === undefined || token === "" ? {} : { "X-Consul-Token": token },
      ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body) }),
      ...(signal && { signal }),
    }),
  );
}

export async function answerOf(response: Response): Promise<Success<unknown> | Refusal<unknown>> {
  const { status, headers } = response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const isJson = headers.get("Content-Type")?.startsWith("application/json") === true;
  const json: unknown = isJson && text !== "" ? JSON.parse(text) : undefined;
  const meta = metaOf(headers);
  if (!response.ok) return { ok: false, status, text, body: json, meta };
  return { ok: true, status, body: isJson ? json : text === "" ? undefined : text, bytes, meta };
}

function pathOf(template: string, { path = {} }: Parts): string {
  return template.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = path[name] ?? "";
    // A URL would take it for a step, whatever way it is written.
    if (value === "." || value === "..") throw new TypeError(`${name} cannot be "${value}"`);
    return encodeURIComponent(value);
  });
}

function queryOf({ datacenter }: ClientOptions, { query = {} }: Parts): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) {
      if (each !== undefined) search.append(name, String(each));
    }
  }
  if (datacenter !== undefined && !search.has("dc")) search.append("dc", datacenter);
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

function metaOf(headers: Headers): Meta {
  const known = headers.get("X-Consul-KnownLeader");
  const contact = headers.get("X-Consul-LastContact");
  return {
    index: headers.get("X-Consul-Index"),
    knownLeader: known === null ? null : known === "true",
    lastContactMs: contact === null ? null : Number(contact),
  };
}
