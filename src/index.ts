// The Worker: entry of every deployment, and of the workerd that a host agent starts. The only file that sees both
// sides. A deployment is closed by default: whoever does not know its secret gets 403 before any object is touched.

import { Hono } from "hono";

import { admit } from "../durable/edge/access.ts";
import { EdgeLeaves } from "../durable/edge/edge-leaves.ts";
import { EdgeAgentStub } from "../durable/edge/agent-stub.ts";
import type { ClusterAccess } from "../durable/datacenters/server-calls.ts";
import { homeServer, StubCluster } from "../durable/edge/cluster-stub.ts";
import type { Env } from "../durable/platform/cloudflare/env.ts";
import { StubObjects } from "../durable/platform/cloudflare/objects.ts";
import { platformTimers } from "../durable/platform/cloudflare/timers.ts";
import { isForPool } from "../durable/presence/pool-peers.ts";
import { publicStatus } from "../durable/edge/public-status.ts";
import {
  edgeNode,
  lanPoolObject,
  lanPoolOf,
  serverCount,
  serverObject,
} from "../durable/platform/topology.ts";
import { createEdgeDns } from "../edge-dns/index.ts";
import { agentArea } from "./api/agent.ts";
import { restrictedAgentArea } from "./api/agent-acl.ts";
import type { Area } from "./api/endpoint.ts";
import { Permissions } from "./api/permissions.ts";
import { createApi } from "./api/index.ts";
import { limits } from "./core/model/limits.ts";
import { defaultDnsSettings } from "./core/dns/settings.ts";

export { EdgeAgent, LanPool, Server } from "../durable/platform/cloudflare/objects-host.ts";

type Route = (request: Request, env: Env) => Response | Promise<Response>;

/** What only servers, agents and Workers of the same deployment say to objects. */
const internalRoutes: Record<string, Route> = {
  link: (request, env) => {
    const dc = datacenterOf(request, env);
    const servers = serverCount(env, dc);
    // Agents of a deployment name none: each attempt may find another one, so that one that hangs does not hold them.
    const any = env.HOST ? 0 : Math.floor(Math.random() * servers);
    const n = Number(new URL(request.url).searchParams.get("server") ?? any);
    // Naming an object creates it: only those that there are may be named.
    const exists = Number.isInteger(n) && n >= 0 && n < servers;
    if (!exists) return new Response("no such server", { status: 404 });
    return new StubObjects(env).stub(serverObject(dc, n)).fetch(request);
  },
  gossip: (request, env) => {
    const dc = datacenterOf(request, env);
    const member = new URL(request.url).searchParams.get("member");
    const pool = lanPoolOf(nodeOf(member), env, dc);
    return new StubObjects(env).stub(pool).fetch(request);
  },
  rpc: (request, env) => {
    const forPool = isForPool(new URL(request.url).pathname);
    const object = forPool ? lanPoolObject(env.DEFAULT_DC) : serverObject(env.DEFAULT_DC, 0);
    return new StubObjects(env).stub(object).fetch(request);
  },
};

/** The agent's, which names it where it may not be the deployment's default. */
function datacenterOf(request: Request, env: Env): string {
  return new URL(request.url).searchParams.get("dc") ?? env.DEFAULT_DC;
}

/** Name of the node that a member says it is; "" for what the pool will refuse. */
function nodeOf(member: string | null): string {
  try {
    const { name } = JSON.parse(member ?? "") as { name?: unknown };
    return typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}

function accessTo(env: Env): ClusterAccess {
  return {
    objects: new StubObjects(env),
    timers: platformTimers,
    nowMs: Date.now,
    random: Math.random,
    settings: env,
  };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const [, first = ""] = url.pathname.split("/");
    const admitted = admit(request, url, env);
    if (admitted instanceof Response) {
      const status = await publicStatus(request, new StubCluster(accessTo(env), ""), Date.now());
      return status ?? admitted;
    }
    const opens = first === "link" || first === "gossip";
    if (opens && serverCount(env, datacenterOf(request, env)) === 0) {
      return new Response("this deployment does not have the agent's datacenter", { status: 404 });
    }
    if (opens && admitted.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response("expected a WebSocket", { status: 426 });
    }
    const internal = Object.hasOwn(internalRoutes, first) ? internalRoutes[first] : undefined;
    if (internal) return await internal(admitted, env);
    // On a host all servers are in one process: whichever is asked, the work is the same.
    const home = env.HOST ? 0 : homeServer(env, affinityOf(request));
    const { api, dns } = publicApps(env, home);
    const peer = { remoteAddress: clientAddressOf(request) };
    return await (first === "dns-query" ? dns : api).fetch(admitted, { peer });
  },
};

interface Apps {
  api: Hono;
  dns: Hono;
}

/** Building them takes longer than most requests, and they keep nothing of one: this isolate's requests share them. */
const appsOf = new WeakMap<Env, Map<number, Apps>>();

function publicApps(env: Env, home: number): Apps {
  const known = appsOf.get(env) ?? new Map<number, Apps>();
  appsOf.set(env, known);
  const apps = known.get(home) ?? createApps(env, home);
  known.set(home, apps);
  return apps;
}

/** For the clients that keep to server `home`. */
function createApps(env: Env, home: number): Apps {
  const access = accessTo(env);
  const cluster = new StubCluster(access, home);
  const settings = { ...defaultDnsSettings, datacenter: env.DEFAULT_DC };
  const { name: nodeName } = edgeNode(access.objects, env.DEFAULT_DC);
  const dns = createEdgeDns((request) => ({
    cluster,
    settings,
    agent: nodeName,
    clientAddress: clientAddressOf(request),
    nowMs: Date.now,
  }));
  const api = createApi({
    cluster,
    nodeName,
    areas: [agentAreaOf(env, cluster, new EdgeAgentStub(access, cluster), nodeName)],
    settings: {
      aclEnabled: env.ACL !== undefined,
      snapshotBytesMax: limits.edgeSnapshotBytesMax,
    },
    leaves: new EdgeLeaves(access, cluster),
    // The runtime compresses whatever says that it is.
    gzip: (body) => (typeof body === "string" ? new TextEncoder().encode(body) : body),
    random: Math.random,
    uuid: () => crypto.randomUUID(),
    onError: (failure) => console.error(failure),
  });
  return { api, dns: new Hono().route("/dns-query", dns) };
}

/** Where ACLs are on, each request meets the agent as its token may use it: the servers are asked, each time. */
function agentAreaOf(env: Env, cluster: StubCluster, agent: EdgeAgentStub, nodeName: string): Area {
  if (!env.ACL) return agentArea(agent);
  const permissions = new Permissions({ cluster, nowMs: Date.now, downPolicy: "deny", ttlMs: 0 });
  const authorizer = (token: string | undefined) => permissions.of(token);
  return restrictedAgentArea({ agent, nodeName, authorizer });
}

/** As Cloudflare tells it; "" elsewhere. */
function clientAddressOf({ headers }: Request): string {
  return headers.get("cf-connecting-ip") ?? "";
}

/** What tells clients apart, so that each keeps to one server, and all of them together use every server. */
function affinityOf({ headers, cf }: Request): string {
  const colo = typeof cf?.colo === "string" ? cf.colo : "";
  return `${colo} ${headers.get("cf-connecting-ip") ?? headers.get("x-consul-token") ?? ""}`;
}
