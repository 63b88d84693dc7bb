// Who may talk to this Worker at all. A deployment knows one secret; without it everything is 403, answered here,
// before any object is touched. On one's own machine the agent that started it stands before it.

import type { HostSettings, Settings } from "../platform/settings.ts";
import { browserRefusal } from "../../src/core/model/browser-guard.ts";
import { agentKeyHeader, deploySecretHeader } from "../../src/link/protocol.ts";

const tokenHeader = "x-consul-token";

/**
 * The refusal, or the request as it may go on: without the deployment's secret, which is nobody's token, tells no
 * client from another, and belongs into no object and no log. `url` is the request's.
 */
export function admit(request: Request, url: URL, env: Settings): Response | Request {
  return env.HOST ? (hosted(request, url, env, env.HOST) ?? request) : deployed(request, url, env);
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

function deployed(request: Request, url: URL, env: Settings): Response | Request {
  const [, first = ""] = url.pathname.split("/");
  // Servers of a deployment reach each other by stubs, never through the Worker.
  if (first === "rpc") return forbidden("no such path");
  if (env.DEPLOY_SECRET === undefined || env.DEPLOY_SECRET === "") {
    return forbidden("set the secret DEPLOY_SECRET to open this deployment to those who know it");
  }
  return withoutSecret(request, env.DEPLOY_SECRET) ?? forbidden("this deployment needs its secret");
}

/** The request without the secret, wherever it was shown; null when it was not. */
function withoutSecret(request: Request, secret: string): Request | null {
  const headers = new Headers(request.headers);
  const url = new URL(request.url);
  const [scheme = "", bearer = ""] = (headers.get("authorization") ?? "").split(" ");
  const [, first, inPath = ""] = url.pathname.split("/");
  const places: readonly [offered: string, remove: () => void][] = [
    [headers.get(tokenHeader) ?? "", () => headers.delete(tokenHeader)],
    [headers.get(deploySecretHeader) ?? "", () => undefined],
    [scheme.toLowerCase() === "bearer" ? bearer : "", () => headers.delete("authorization")],
    [url.searchParams.get("token") ?? "", () => url.searchParams.delete("token")],
    [
      first === "dns-query" ? decodedOr("", inPath) : "",
      () => {
        url.pathname = "/dns-query";
      },
    ],
  ];
  const shown = places.filter(([offered]) => same(offered, secret));
  for (const [, remove] of shown) remove();
  headers.delete(deploySecretHeader);
  return shown.length === 0 ? null : new Request(url, new Request(request, { headers }));
}

/** What a segment of a path stands for; `otherwise` when it stands for nothing. */
function decodedOr(otherwise: string, segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return otherwise;
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
  return new Response(text, {
    status: 403,
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}
