// The Worker: entry of every deployment, and of the workerd that a host agent starts. The only file that sees both
// sides. A deployment is closed: whoever shows no token gets 403 before any object is touched.

import { Hono } from "hono";

import { admit } from "../durable/edge/access.ts";
import { tokenOf } from "../durable/edge/shown.ts";
import { admitAgent, isKnownToken } from "../durable/edge/agent-door.ts";
import { asBearer } from "../durable/edge/bearers.ts";
import { joinHost, joinPath } from "../durable/edge/joining.ts";
import { SealedKeys } from "../durable/edge/sealed-keys.ts";
import { EdgeLeaves } from "../durable/edge/edge-leaves.ts";
import { EdgeAgentStub } from "../durable/edge/agent-stub.ts";
import { StubDeploymentObjects } from "../durable/edge/deployment-objects.ts";
import type { ClusterAccess } from "../durable/datacenters/server-calls.ts";
import { homeServer, StubCluster } from "../durable/edge/cluster-stub.ts";
import type { Env } from "../durable/platform/cloudflare/env.ts";
import { StubObjects } from "../durable/platform/cloudflare/objects.ts";
import { platformTimers } from "../durable/platform/cloudflare/timers.ts";
import { isForPool } from "../durable/presence/pool-peers.ts";
import { bearerParameter } from "../durable/presence/pool-member.ts";
import { answerLease, leasePath } from "../durable/edge/lease-door.ts";
import { publicStatus } from "../durable/edge/public-status.ts";
import {
  edgeNode,
  lanPoolObject,
  lanPoolOf,
  serverCount,
  serverObject,
} from "../durable/platform/topology.ts";
import { createEdgeDns } from "../edge-dns/index.ts";
import { HttpsRecursors } from "../edge-dns/recursors.ts";
import { agentArea } from "./api/agent.ts";
import { deploymentArea } from "./api/deployment.ts";
import { deploymentKeyArea } from "./api/deployment-keys.ts";
import { aclOf } from "../durable/platform/settings.ts";
import { restrictedAgentArea } from "./api/agent-acl.ts";
import type { Area } from "./api/endpoint.ts";
import { Permissions } from "./api/permissions.ts";
import { createApi } from "./api/index.ts";
import { limits } from "./core/model/limits.ts";
import { installScript } from "./install/script.ts";
import { uiAbsent, uiAbsentHeaders, uiFile, uiHeaders, uiPath } from "./ui-files.ts";
import { edgeDnsSettings } from "./core/dns/given-settings.ts";

export {
  Checker,
  EdgeAgent,
  LanPool,
  Server,
} from "../durable/platform/cloudflare/objects-host.ts";

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

/** As whoever sent the request reaches it: the same client keeps to the same server. */
function clusterFor(request: Request, env: Env): StubCluster {
  return new StubCluster(accessTo(env), affinityOf(request));
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const [, first = ""] = url.pathname.split("/");
    if (first === "install.sh" && env.INSTALL_KEY !== undefined) {
      // A registry is reached by TLS, whatever stands between its front and this Worker.
      const script = installScript({ registry: `https://${url.host}`, key: env.INSTALL_KEY });
      return new Response(script, { headers: scriptHeaders });
    }
    const shown = await webUi(request, url, env);
    if (shown) return shown;
    const keys = keysOf(env);
    const nowMs = Date.now();
    if (url.pathname === joinPath && !env.HOST) {
      const cluster = clusterFor(request, env);
      return await joinHost(request, { keys, cluster, nowMs, uuid: () => crypto.randomUUID() });
    }
    const admitted = await admit({ request, keys, nowMs }, url, env);
    if (admitted instanceof Response) {
      const status = await publicStatus(request, new StubCluster(accessTo(env), ""), nowMs);
      return status ?? admitted;
    }
    if (env.HOST) return await answer(admitted, env);
    const dc = datacenterOf(request, env);
    const bearer = { token: tokenOf(admitted), address: clientAddressOf(request), dc, nowMs };
    return await asBearer(admitted, bearer, {
      answer: () => answer(admitted, env),
      isKnown: (token) => isKnownToken({ token, dc }, clusterFor(request, env)),
    });
  },
};

/**
 * The page of the web UI, which holds no data, for whichever of its routes is asked for; null for everything else. Its
 * files are static ones, which reach no Worker.
 */
async function webUi({ method }: Request, url: URL, env: Env): Promise<Response | null> {
  const { pathname } = url;
  const isBelow = pathname.startsWith(uiPath);
  if (!isBelow && pathname !== "/" && pathname !== "/ui") return null;
  if (method !== "GET" && method !== "HEAD") return null;
  if (!env.ASSETS) {
    return env.HOST && isBelow ? new Response(uiElsewhere, { status: 404 }) : null;
  }
  if (!isBelow) return new Response(null, { status: 301, headers: { Location: uiPath } });
  const file = uiFile(pathname.slice(uiPath.length));
  if (file.kind === "asset") {
    return new Response(uiAbsent, { status: 404, headers: uiAbsentHeaders });
  }
  const page = await env.ASSETS.fetch(new URL(uiPath, url));
  return new Response(method === "HEAD" ? null : page.body, { headers: uiHeaders(file) });
}

const uiElsewhere = "The web UI is at the agent, on its HTTP port: /ui/\n";

const scriptHeaders = {
  "content-type": "text/x-shellscript; charset=utf-8",
  "cache-control": "no-cache",
};

async function answer(request: Request, env: Env): Promise<Response> {
  const { pathname } = new URL(request.url);
  const [, first = ""] = pathname.split("/");
  const opens = first === "link" || first === "gossip";
  if (opens && serverCount(env, datacenterOf(request, env)) === 0) {
    return new Response("this deployment does not have the agent's datacenter", { status: 404 });
  }
  if (opens && request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response("expected a WebSocket", { status: 426 });
  }
  if (opens && !env.HOST) {
    const dc = datacenterOf(request, env);
    const who = { token: tokenOf(request) ?? "", node: nodeIn(request), dc };
    const cluster = clusterFor(request, env);
    const admission = await admitAgent(who, cluster);
    if ("refusal" in admission) return admission.refusal;
    return (await internalRoutes[first]?.(
      asBearerOf(admission.accessor, request),
      env,
    )) as Response;
  }
  const internal = Object.hasOwn(internalRoutes, first) ? internalRoutes[first] : undefined;
  if (internal) return await internal(request, env);
  if (pathname.startsWith(leasePath)) return await lease(request, env);
  // On a host all servers are in one process: whichever is asked, the work is the same.
  const home = env.HOST ? 0 : homeServer(env, affinityOf(request));
  const { api, dns } = publicApps(env, home);
  const peer = { remoteAddress: clientAddressOf(request) };
  return await (first === "dns-query" ? dns : api).fetch(request, { peer });
}

/** Says whose socket it is, whatever the request said. */
function asBearerOf(accessor: string, request: Request): Request {
  const url = new URL(request.url);
  url.searchParams.delete(bearerParameter);
  if (accessor !== "") url.searchParams.set(bearerParameter, accessor);
  return new Request(url, request);
}

/** Of the agent that opens a socket; "" when it does not say. */
function nodeIn({ url }: Request): string {
  const { searchParams } = new URL(url);
  return searchParams.get("node") ?? nodeOf(searchParams.get("member"));
}

/** Importing the secret takes longer than opening a key. */
const keysByEnv = new WeakMap<Env, SealedKeys>();

function keysOf(env: Env): SealedKeys {
  const keys = keysByEnv.get(env) ?? new SealedKeys(env.KEY_SECRET);
  keysByEnv.set(env, keys);
  return keys;
}

async function lease(request: Request, env: Env): Promise<Response> {
  const access = accessTo(env);
  const token = tokenOf(request) ?? undefined;
  return await answerLease(request, {
    access,
    mayWrite: async (service) => {
      if (!aclOf(env)) return true;
      const authorizer = await permissionsOf(new StubCluster(access, "")).of(token);
      return authorizer.allows("service", service, "write");
    },
    forward: (to, pathAndQuery) =>
      new StubObjects(env).stub(to).fetch(`http://object${pathAndQuery}`, request),
  });
}

function permissionsOf(cluster: StubCluster): Permissions {
  return new Permissions({ cluster, nowMs: Date.now, downPolicy: "extend-cache", ttlMs: 0 });
}

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
  const { name: nodeName } = edgeNode(access.objects, env.DEFAULT_DC);
  const api = createApi({
    cluster,
    nodeName,
    areas: [
      agentAreaOf(env, cluster, new EdgeAgentStub(access, cluster), nodeName),
      ...(env.HOST ? [] : deploymentAreas(env, access, cluster)),
    ],
    settings: {
      aclEnabled: aclOf(env) !== undefined,
      snapshotBytesMax: limits.edgeSnapshotBytesMax,
    },
    leaves: new EdgeLeaves(access, cluster),
    // The runtime compresses whatever says that it is.
    gzip: (body) => (typeof body === "string" ? new TextEncoder().encode(body) : body),
    random: Math.random,
    uuid: () => crypto.randomUUID(),
    onError: (failure) => console.error(failure),
  });
  return { api, dns: new Hono().route("/dns-query", dnsApp(env, cluster, nodeName)) };
}

function dnsApp(env: Env, cluster: StubCluster, agent: string): Hono {
  const {
    settings,
    recursors: urls,
    recursorTimeoutMs,
  } = edgeDnsSettings(env.DNS ?? {}, env.DEFAULT_DC);
  const recursors = new HttpsRecursors({
    urls,
    timeoutMs: recursorTimeoutMs,
    fetch: (request) => fetch(request),
    log: (line) => console.warn(line),
  });
  return createEdgeDns((request) => {
    const token = tokenOf(request);
    return {
      ...{ cluster, settings, agent, nowMs: Date.now },
      recursors: urls.length > 0 ? recursors : null,
      clientAddress: clientAddressOf(request),
      ...(token !== null && { token }),
      // Whoever gets this far in a deployment showed a key, in the path or in a header that caches do not look at.
      isPrivate: env.HOST === undefined || token !== null,
    };
  });
}

/** What only a deployment has. */
function deploymentAreas(env: Env, access: ClusterAccess, cluster: StubCluster): Area[] {
  const { nowMs } = access;
  const uuid = (): string => crypto.randomUUID();
  return [
    deploymentArea({ cluster, objects: objectsOf(access), nowMs }),
    deploymentKeyArea({ cluster, keys: keysOf(env), nowMs, uuid }),
  ];
}

function objectsOf({ objects, settings }: ClusterAccess): StubDeploymentObjects {
  const log = (level: "info" | "warn" | "error", line: string): void => console[level](line);
  return new StubDeploymentObjects({ objects, settings, log });
}

/** Where ACLs are on, each request meets the agent as its token may use it: the servers are asked, each time. */
function agentAreaOf(env: Env, cluster: StubCluster, agent: EdgeAgentStub, nodeName: string): Area {
  if (!aclOf(env)) return agentArea(agent);
  const permissions = permissionsOf(cluster);
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
