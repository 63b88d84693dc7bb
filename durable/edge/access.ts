// Who may talk to this Worker at all, answered here, before any object is touched: clients show a token, DNS clients
// may have a key in their address, and the deployer's secret opens nothing but the making of the first token. On one's
// own machine the agent that started it stands before it.

import type { HostSettings, Settings } from "../platform/settings.ts";
import { browserRefusal } from "../../src/core/model/browser-guard.ts";
import { agentKeyHeader, deploySecretHeader } from "../../src/link/protocol.ts";
import { refused } from "./refused.ts";
import { SealedKeys } from "./sealed-keys.ts";
import { bearerOf, tokenHeader, tokenOf } from "./shown.ts";

export interface Asked {
  request: Request;
  keys: SealedKeys;
  nowMs: number;
}

/**
 * The refusal, or the request as it may go on: without the deployment's secret, which is nobody's token and belongs
 * into no object, and with the token that a key stands for. `url` is the request's.
 */
export async function admit(asked: Asked, url: URL, env: Settings): Promise<Response | Request> {
  const { request } = asked;
  return env.HOST
    ? (hosted(request, url, env, env.HOST) ?? request)
    : await deployed(asked, url, env);
}

const internalPaths = new Set(["link", "gossip", "rpc"]);

/**
 * On a host this Worker listens on loopback only, and the agent that started it judges who comes from elsewhere
 * (src/agent/servers/trust.ts): servers and links are for those that it lets through. The rest is the Worker's own
 * API, if the agent was told to have one, and there is nobody else to guard it against browsers.
 */
function hosted(
  request: Request,
  url: URL,
  env: Settings,
  { servers, edge = false }: HostSettings,
): Response | null {
  const [, first = ""] = url.pathname.split("/");
  if (internalPaths.has(first)) {
    const key = env.AGENT_KEY ?? "";
    const ofAgent = key !== "" && same(request.headers.get(agentKeyHeader) ?? "", key);
    return ofAgent ? null : forbidden("this is for servers only");
  }
  if (!edge) return new Response("not found", { status: 404 });
  const header = (name: string): string | null =>
    name === "host" ? url.host : request.headers.get(name);
  const refusal = browserRefusal(header, {
    loopbackOnly: true,
    nodeName: servers[0]?.name ?? "",
    domain: "consul",
    allowedHosts: [],
  });
  return refusal === null ? null : forbidden(refusal);
}

/** What a deployment, which is closed, admits. */
async function deployed(asked: Asked, url: URL, env: Settings): Promise<Response | Request> {
  const [, first = ""] = url.pathname.split("/");
  // Servers of a deployment reach each other by stubs, never through the Worker.
  if (first === "rpc") return forbidden("no such path");
  const { request } = asked;
  const shown = request.headers.get(deploySecretHeader);
  if (shown !== null) {
    const problem = secretProblem(shown, env);
    if (problem !== null) return forbidden(problem);
    if (isBootstrap(request, url)) return without(request, deploySecretHeader);
  }
  if (isBootstrap(request, url))
    return forbidden(
      "Permission denied: the first token is for who knows this deployment's secret",
    );
  const known = first === "dns-query" ? await withDnsKey(asked, url) : request;
  if (known instanceof Response) return known;
  const plain = shown === null ? known : without(known, deploySecretHeader);
  if (tokenOf(plain) !== null) return plain;
  if (first === "link" || first === "gossip") return forbidden(joinText);
  // A browser asks first whether a page may ask, and shows nothing yet; nobody but the Worker answers it.
  const isPreflight = first === "dns-query" && request.method === "OPTIONS";
  const isOpen = env.ANONYMOUS === true || url.pathname === loginPath || isPreflight;
  return isOpen ? plain : forbidden("Permission denied: show a token, this registry is closed");
}

const joinText = "an agent joins with a join token, and shows its own token later";
const bootstrapPath = "/v1/acl/bootstrap";
/** Where a token comes from, for who has none. */
const loginPath = "/v1/acl/login";

function isBootstrap({ method }: Request, { pathname }: URL): boolean {
  return pathname === bootstrapPath && (method === "PUT" || method === "POST");
}

/** Why a secret does not open what is the deployer's alone; null: it does. */
function secretProblem(shown: string, { DEPLOY_SECRET: secret = "" }: Settings): string | null {
  if (secret === "") return "set the secret DEPLOY_SECRET to make the first token";
  return same(shown, secret) ? null : "this is not this deployment's secret";
}

/** A key in the path, or as a bearer, becomes the token that it stands for. */
async function withDnsKey({ request, keys, nowMs }: Asked, url: URL): Promise<Response | Request> {
  const [, , inPath = "", ...more] = url.pathname.split("/");
  const bearer = bearerOf(request);
  const isBearer = bearer !== null && SealedKeys.claims("dns", bearer);
  if (inPath === "" && !isBearer) return request;
  const shown = inPath === "" ? (bearer ?? "") : (decoded(inPath) ?? "");
  const opened = more.length > 0 ? null : await keys.open("dns", shown, nowMs);
  if (!opened || "refused" in opened) return forbidden(opened?.refused ?? "no such path");
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  headers.set(tokenHeader, opened.grant.secret);
  const plain = new URL(url);
  plain.pathname = "/dns-query";
  plain.searchParams.delete("token");
  return new Request(plain, new Request(request, { headers }));
}

function without(request: Request, header: string): Request {
  const headers = new Headers(request.headers);
  headers.delete(header);
  return new Request(request, { headers });
}

/** What a segment of a path stands for; null when it stands for nothing. */
function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** Takes the same time whatever the difference. */
function same(left: string, right: string): boolean {
  const encoder = new TextEncoder();
  const a = encoder.encode(left);
  const b = encoder.encode(right);
  return a.length === b.length ? crypto.subtle.timingSafeEqual(a, b) : false;
}

function forbidden(text: string): Response {
  return refused(403, text);
}
