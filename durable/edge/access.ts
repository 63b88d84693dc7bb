// Who may talk to this Worker at all. A deployment knows one secret; without it everything is 403, answered here,
// before any object is touched. On one's own machine the listener is what protects, as in Consul, and the servers' own
// conversation needs a key besides.

import type { Settings } from "../platform/settings.ts";
import { agentKeyHeader, gossipKeyHeader } from "../../src/link/protocol.ts";
import { serverKeyHeader } from "../raft/transport.ts";

const secretHeaders = ["x-consul-token", "x-proconsul-secret"] as const;

/** The refusal, or null when the request may go on. `first` is the first segment of its path. */
export function access(request: Request, env: Settings, first: string): Response | null {
  if (!env.HOST) return deployed(request, env, first);
  if (first === "rpc" && !hostedRpc(request, env)) return forbidden("this is for servers only");
  const forAgents = first === "link" || first === "gossip";
  if (forAgents && !hostedLink(request, env)) return forbidden("the gossip key is wrong");
  return null;
}

/** Peers show the server key, and the agent that started this process its own. */
function hostedRpc({ headers }: Request, env: Settings): boolean {
  const agentKey = headers.get(agentKeyHeader);
  if (agentKey !== null && env.AGENT_KEY !== undefined) return same(agentKey, env.AGENT_KEY);
  // Servers of several hosts have a server key unless they all are on loopback (src/agent/config/rules.ts).
  return env.SERVER_KEY === undefined || same(headers.get(serverKeyHeader) ?? "", env.SERVER_KEY);
}

function hostedLink({ headers }: Request, env: Settings): boolean {
  return env.GOSSIP_KEY === undefined || same(headers.get(gossipKeyHeader) ?? "", env.GOSSIP_KEY);
}

function deployed(request: Request, env: Settings, first: string): Response | null {
  // Servers of a deployment reach each other by stubs, never through the Worker.
  if (first === "rpc") return forbidden("no such path");
  if (env.DEPLOY_SECRET === undefined || env.DEPLOY_SECRET === "") {
    return forbidden("set the secret DEPLOY_SECRET to open this deployment to those who know it");
  }
  const secret = env.DEPLOY_SECRET;
  return offered(request).some((text) => same(text, secret))
    ? null
    : forbidden("this deployment needs its secret");
}

function offered({ headers, url }: Request): string[] {
  const { searchParams, pathname } = new URL(url);
  const [scheme = "", bearer = ""] = (headers.get("authorization") ?? "").split(" ");
  const [, dnsQuery, inPath = ""] = pathname.split("/");
  return [
    ...secretHeaders.map((name) => headers.get(name) ?? ""),
    scheme.toLowerCase() === "bearer" ? bearer : "",
    searchParams.get("token") ?? "",
    dnsQuery === "dns-query" ? decodedOr("", inPath) : "",
  ];
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
