// How an endpoint is mounted, and everything that Consul does alike for all of them: paths matched on their
// decoded form, 405 with Allow, OPTIONS, redirects to clean paths, indentation, compression, error texts.

import type { Context, Hono } from "hono";
import { prettyJson } from "../core/model/json.ts";
import { errorReply } from "./errors.ts";
import { cleanPath, isUnclean, locationOf, moved, plainPath } from "./paths.ts";
import { decodePercent } from "../core/lib/percent.ts";
import { Query, QueryFault } from "./query.ts";
import type { Reply } from "./reply.ts";
import { ApiRequest } from "./request.ts";

export type Handler = (request: ApiRequest) => Reply | Promise<Reply>;

export type Method = "GET" | "PUT" | "POST" | "DELETE";

/** Handlers by method, in the order in which `Allow` lists them. */
export type Endpoint = Readonly<Partial<Record<Method, Handler>>> & {
  readonly [otherMethods]?: (method: string, rest: string) => Reply;
};

/** What an endpoint answers to every other method; absent: what Consul answers nearly everywhere. */
export const otherMethods = Symbol("other methods");

/** What whoever passes a request to the app knows about it. */
export interface Surroundings {
  /** The other end of the connection. */
  peer?: { readonly remoteAddress?: string | undefined };
}

/** Endpoints by path. A path that ends with `/` takes everything below it, as `request.rest`. */
export type Area = Readonly<Record<string, Endpoint>>;

/** What all endpoints of an app share. */
export interface EndpointOptions {
  /** Paths with characters that cannot be printed are refused; the default. */
  refusesUnprintable?: boolean;
  /** Indent every JSON answer, as `-dev` does. */
  pretty: boolean;
  /** Compresses a body for a client that accepts it. */
  gzip(body: string | Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Told of every answer that stays right for a while, as it goes out, and of the endpoint that gave it. */
  keep?(request: Request, reply: Reply, path: string): void;
  /** Told of every request that an endpoint takes; what it gives back is called when the answer is there. */
  timed?(method: string, path: string): (status: number) => void;
  /** Called with what should never have been thrown; the client gets 500 and no details. */
  onError(error: unknown): void;
}

/** Registers every endpoint of an area. */
export function mount(app: Hono, area: Area, options: EndpointOptions): void {
  for (const [path, endpoint] of Object.entries(area)) {
    const isTree = path.endsWith("/");
    // Go sends whoever forgot the slash to the tree. Hono's `/*` would match here too.
    if (isTree) app.all(path.slice(0, -1), (context) => redirect(context, path));
    app.all(isTree ? `${path}*` : path, (context) => serve(context, path, endpoint, options));
  }
}

/** Answers what no endpoint took. */
export function notFound(context: Context): Response {
  return pathRefusal(context) ?? new Response(null, { status: 404 });
}

/** The path that endpoints are matched on. */
export function decodedPath(request: Request): string {
  const raw = rawPath(request.url);
  return raw.includes("%") ? decodePercent(raw) : raw;
}

async function serve(
  context: Context,
  path: string,
  endpoint: Endpoint,
  options: EndpointOptions,
): Promise<Response> {
  const refusal = pathRefusal(context, options.refusesUnprintable);
  if (refusal) return refusal;
  const { raw } = context.req;
  const { peer } = (context.env ?? {}) as Surroundings;
  const done = options.timed?.(raw.method, path);
  const reply = await answer({ raw, path: context.req.path, peer }, path, endpoint, options);
  done?.(reply.status);
  return await send(raw, reply, path, options);
}

async function answer(
  { raw, path, peer }: { raw: Request; path: string; peer: Surroundings["peer"] },
  endpointPath: string,
  endpoint: Endpoint,
  options: EndpointOptions,
): Promise<Reply> {
  const method = raw.method as Exclude<keyof Endpoint, symbol>;
  const handler = Object.hasOwn(endpoint, method) ? endpoint[method] : undefined;
  try {
    const query = new Query(rawQuery(raw.url));
    const rest = path.slice(endpointPath.length);
    const reply = handler
      ? await handler(new ApiRequest({ raw, path, rest, query, peer }))
      : (endpoint[otherMethods]?.(method, rest) ?? withoutHandler(method, Object.keys(endpoint)));
    return reply.isJson && (options.pretty || query.has("pretty")) ? indented(reply) : reply;
  } catch (error) {
    if (error instanceof QueryFault) return { status: 500, headers: {}, body: null, isJson: false };
    try {
      return errorReply(error);
    } catch (unexpected) {
      options.onError(unexpected);
      return { status: 500, headers: plainText, body: "internal error", isJson: false };
    }
  }
}

const plainText = { "Content-Type": "text/plain; charset=utf-8" };

function withoutHandler(method: string, methods: readonly string[]): Reply {
  const allowed = ["OPTIONS", ...methods];
  if (method !== "OPTIONS") return notAllowed(method, allowed);
  const headers = { Allow: allowed.join(",") };
  return { status: 200, headers, body: null, isJson: false };
}

/** 405. */
export function notAllowed(method: string, allowed: readonly string[]): Reply {
  const body = method === "HEAD" ? null : `method ${method} not allowed`;
  const headers = { ...plainText, Allow: allowed.join(",") };
  return { status: 405, headers, body, isJson: false };
}

function indented(reply: Reply): Reply {
  return typeof reply.body === "string" ? { ...reply, body: prettyJson(reply.body) } : reply;
}

async function send(
  raw: Request,
  reply: Reply,
  path: string,
  options: EndpointOptions,
): Promise<Response> {
  const { status, headers, body } = reply;
  headers.Vary = "Accept-Encoding";
  const compresses = body !== null && body !== "" && !(body instanceof ReadableStream);
  const sent = compresses && acceptsGzip(raw) ? await compressed(reply, body, options) : reply;
  if (sent.isCurrent) options.keep?.(raw, sent, path);
  return new Response(sent.body as string | null, { status, headers });
}

async function compressed(
  reply: Reply,
  body: string | Uint8Array,
  { gzip }: EndpointOptions,
): Promise<Reply> {
  reply.headers["Content-Encoding"] = "gzip";
  return { ...reply, body: await gzip(body) };
}

export function acceptsGzip(raw: Request): boolean {
  const accepted = raw.headers.get("Accept-Encoding");
  return accepted !== null && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s*,|\s*$))/.test(accepted);
}

/** Compression with what every runtime has. */
export async function gzipStream(body: string | Uint8Array): Promise<Uint8Array> {
  const source = new Blob([body]).stream();
  const compressed = source.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(compressed).arrayBuffer());
}

// Paths

const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
/** The answer to a path that no endpoint should see; null when it is fine. */
function pathRefusal(context: Context, refusesUnprintable = true): Response | null {
  const { path } = context.req;
  if (plainPath.test(path) && !isUnclean(path)) return null;
  if (/%(?![\da-fA-F]{2})/.test(rawPath(context.req.raw.url))) {
    return new Response("400 Bad Request", { status: 400, headers: plainText });
  }
  if (isUnclean(path)) return redirect(context, cleanPath(path));
  return refusesUnprintable && unprintable.test(path) ? new Response(null, { status: 400 }) : null;
}

/** 301 to a decoded path, keeping the query. */
export function redirect(context: Context, path: string): Response {
  const location = locationOf(path, rawQuery(context.req.raw.url));
  const { headers, body } = moved(context.req.method, location);
  return new Response(body, { status: 301, headers });
}

function rawPath(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (start < 0) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}

function rawQuery(url: string): string {
  const start = url.indexOf("?");
  return start < 0 ? "" : url.slice(start + 1);
}
