// `/v1/agent`: the agent that serves the request, its services and checks, its membership. Answered
// from local state and never forwarded, so `?dc=` means nothing here.

import { parseDurationMs } from "../core/model/duration.ts";
import { ServiceError } from "../core/model/errors.ts";
import { compileFilter } from "../core/model/filter/filter.ts";
import { encodeString, sortedKeys } from "../core/model/json.ts";
import { limits } from "../core/model/limits.ts";
import { encode } from "../core/model/schema.ts";
import { healthCheckSchema, nodeServiceSchema } from "../core/model/schemas.ts";
import type {
  LocalAgent,
  LogLevel,
  MaintenanceRequest,
  ServiceHealth,
} from "../ports/local-agent.ts";
import { consulVersion } from "../core/model/version.ts";
import { zeroTime } from "../core/model/time.ts";
import { agentService, serviceHealth, worstStatus } from "./agent-json.ts";
import { encodeOrdered } from "./ordered-json.ts";
import { malformed } from "./errors.ts";
import { eventListArea } from "./event.ts";
import { keyringArea } from "./keyring.ts";
import { empty, json, text, type Reply } from "./reply.ts";
import { parseBoolean, type ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import { type agentRoutes, checkUpdateSchema } from "./openapi/routes/agent.ts";

type CheckStatus = "passing" | "warning" | "critical";

/** Most actions have nothing to say. */
async function run(action: Promise<void>): Promise<Reply> {
  await action;
  return empty();
}

/** Endpoints in the order in which they are matched: a tree comes after what stands inside it. */
export function agentArea(agent: LocalAgent): AreaOf<typeof agentRoutes> {
  const mark = (status: CheckStatus) => ({
    PUT: (request: ApiRequest) =>
      run(agent.updateCheck(request.rest, status, request.query.get("note"))),
  });
  return {
    ...eventListArea(agent),
    ...keyringArea(agent),
    "/v1/agent/self": { GET: async () => json(encodeOrdered(await agent.self())) },
    "/v1/agent/version": { GET: () => json(encodeOrdered(version)) },
    "/v1/agent/host": { GET: async () => json(encodeOrdered(await agent.host())) },
    "/v1/agent/metrics": { GET: (request) => metrics(agent, request) },
    "/v1/agent/monitor": { GET: (request) => monitor(agent, request) },
    "/v1/agent/members": { GET: (request) => members(agent, request) },
    "/v1/agent/join/": {
      PUT: (request) => run(agent.join(request.rest, { wan: request.query.get("wan") !== "" })),
    },
    "/v1/agent/leave": { PUT: () => run(agent.leave()) },
    "/v1/agent/force-leave/": {
      PUT: (request) => {
        const prune = request.query.has("prune");
        return run(agent.forceLeave(request.rest, { prune, ...tokenOf(request) }));
      },
    },
    "/v1/agent/reload": { PUT: () => run(agent.reload()) },
    "/v1/agent/maintenance": {
      PUT: (request) => run(agent.nodeMaintenance(maintenanceRequest(request))),
    },
    "/v1/agent/token/": {
      PUT: async (request) => run(agent.setToken(request.rest, await request.text())),
    },
    "/v1/agent/services": { GET: (request) => services(agent, request) },
    "/v1/agent/service/register": { PUT: (request) => registerService(agent, request) },
    "/v1/agent/service/deregister/": {
      PUT: (request) => run(agent.deregisterService(request.rest)),
    },
    "/v1/agent/service/maintenance/": { PUT: (request) => serviceMaintenance(agent, request) },
    "/v1/agent/service/": { GET: (request) => service(agent, request) },
    "/v1/agent/health/service/id/": { GET: (request) => healthById(agent, request) },
    "/v1/agent/health/service/name/": { GET: (request) => healthByName(agent, request) },
    "/v1/agent/checks": { GET: (request) => checks(agent, request) },
    "/v1/agent/check/register": { PUT: (request) => registerCheck(agent, request) },
    "/v1/agent/check/deregister/": { PUT: (request) => run(agent.deregisterCheck(request.rest)) },
    "/v1/agent/check/pass/": mark("passing"),
    "/v1/agent/check/warn/": mark("warning"),
    "/v1/agent/check/fail/": mark("critical"),
    "/v1/agent/check/update/": { PUT: (request) => updateCheck(agent, request) },
  };
}

/** What later Consuls say: nobody knows here of which commit this is, nor when it was built. */
const version = { SHA: "", BuildDate: zeroTime, HumanVersion: consulVersion, FIPS: "" };

async function members(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  const { query } = request;
  const wan = query.get("wan") !== "";
  const segment = query.get("segment");
  if (wan && segment !== "" && segment !== "_all")
    throw malformed("Cannot provide a segment with wan=true");
  if (segment !== "" && segment !== "_all") {
    const reason = "Network segments are not supported in this version of Consul";
    throw new ServiceError("invalid", reason);
  }
  const listed = await agent.members({ wan, ...tokenOf(request) });
  return json(wan && listed.length === 0 ? "null" : encodeOrdered(listed));
}

async function metrics(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  const accept = request.header("Accept").replaceAll(" ", "");
  const prometheus =
    request.query.get("format") === "prometheus" ||
    accept.includes("application/openmetrics-text") ||
    accept.includes("text/plain;version=0.4.0");
  if (!prometheus) return json(encodeOrdered(await agent.metrics()));
  const lines = await agent.prometheusMetrics();
  if (lines === null) {
    return text(415, "Prometheus is not enabled since its retention time is not positive");
  }
  return text(200, lines, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
}

const logLevels: Record<string, LogLevel> = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warn: "warn",
  err: "err",
  error: "err",
};

function monitor(agent: LocalAgent, { query, raw }: ApiRequest): Reply {
  const wanted = query.get("loglevel") || "info";
  const folded = wanted.toLowerCase();
  const level = Object.hasOwn(logLevels, folded) ? logLevels[folded] : undefined;
  if (level === undefined) throw new ServiceError("bad-request", `Unknown log level: ${wanted}`);
  const json = parseBoolean(query.get("logjson")) ?? query.has("logjson");
  const stop = new AbortController();
  raw.signal.addEventListener("abort", () => stop.abort(), { once: true });
  const lines = agent.logs({ level, json, signal: stop.signal });
  return { status: 200, headers: {}, body: lineStream(lines, stop), isJson: false };
}

function lineStream(
  lines: AsyncIterable<string>,
  stop: AbortController,
): ReadableStream<Uint8Array> {
  const iterator = lines[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(`${value}\n`));
    },
    cancel() {
      stop.abort();
    },
  });
}

/** JSON text of an object from id to already encoded row. */
function encodeById(rows: Record<string, string>): string {
  return `{${sortedKeys(rows)
    .map((id) => `${encodeString(id)}:${rows[id]}`)
    .join(",")}}`;
}

async function services(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  request.refuseNamespaces();
  const filter = request.query.get("filter");
  const wanted = filter === "" ? () => true : compileFilter(filter, nodeServiceSchema);
  const rows = (await agent.services()).filter(wanted);
  return json(encodeById(Object.fromEntries(rows.map((row) => [row.ID, agentService(row)]))));
}

async function checks(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  request.refuseNamespaces();
  const wanted = checkFilter(request.query.get("filter"));
  const rows = (await agent.checks()).filter(wanted);
  const encoded = rows.map((row) => [row.CheckID, encode(healthCheckSchema, row)]);
  return json(encodeById(Object.fromEntries(encoded) as Record<string, string>));
}

/** Here Consul looks at selectors only while it judges a row, and says less about them. */
function checkFilter(filter: string): (row: unknown) => boolean {
  if (filter === "") return () => true;
  try {
    return compileFilter(filter, healthCheckSchema);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new ServiceError(error.code, error.message.replace(/^.*?: (?=Selector ")/, ""));
  }
}

async function service(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  request.refuseNamespaces();
  const { rest: id, query, raw } = request;
  const waitMs = parseWait(query.get("wait"));
  const hash = query.get("hash");
  const found = await agent.service(
    id,
    hash === "" ? undefined : { hash, waitMs, signal: raw.signal },
  );
  if (found === null) throw new ServiceError("not-found", `unknown service ID: ${id}`);
  const headers = { "X-Consul-Contenthash": found.hash };
  return json(agentService(found.service, found.hash), headers);
}

function parseWait(given: string): number {
  if (given === "") return limits.blockingQueryWaitMsMax;
  try {
    const waitMs = parseDurationMs(given);
    return waitMs > 0
      ? Math.min(waitMs, limits.blockingQueryWaitMsMax)
      : limits.blockingQueryWaitMsMax;
  } catch {
    throw malformed("Invalid wait time");
  }
}

async function registerService(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  request.refuseNamespaces();
  const { query } = request;
  const given = query.get("replace-existing-checks");
  // Bare, or a true boolean; anything else leaves the checks alone.
  const replaceExistingChecks =
    query.has("replace-existing-checks") && (given === "" || parseBoolean(given) === true);
  const body = await request.text();
  await agent.registerService(body, { ...tokenOf(request), replaceExistingChecks });
  return empty();
}

async function registerCheck(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  request.refuseNamespaces();
  await agent.registerCheck(await request.text(), tokenOf(request));
  return empty();
}

function tokenOf({ token }: ApiRequest): { token?: string } {
  return token === undefined ? {} : { token };
}

async function updateCheck(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  const { Status, Output } = (await request.decode(
    checkUpdateSchema,
    "refuse",
    "Request decode failed: ",
  )) as { Status: string; Output: string };
  if (Status !== "passing" && Status !== "warning" && Status !== "critical") {
    throw malformed(`Invalid check status: '${Status}'`);
  }
  await agent.updateCheck(request.rest, Status, Output);
  return empty();
}

async function serviceMaintenance(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  const id = request.require("Missing service ID");
  await agent.serviceMaintenance(id, maintenanceRequest(request));
  return empty();
}

function maintenanceRequest(request: ApiRequest): MaintenanceRequest {
  const { query } = request;
  if (!query.has("enable")) throw malformed("Missing value for enable");
  const given = query.get("enable");
  const enable = parseBoolean(given);
  if (enable === undefined) throw malformed(`Invalid value for enable: ${encodeString(given)}`);
  return { enable, reason: query.get("reason"), ...tokenOf(request) };
}

const healthStatuses: Record<ServiceHealth["status"], number> = {
  passing: 200,
  warning: 429,
  critical: 503,
  maintenance: 503,
};

async function healthById(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  const { rest: id } = request;
  if (id === "") throw new ServiceError("invalid", "Bad request: Missing serviceID");
  const health = await agent.serviceHealth(id);
  if (health !== null) return healthReply(request, health.status, serviceHealth(health));
  const reason = `ServiceId ${id} not found`;
  // With ?format=text Consul writes the reason, but as a JSON string.
  const body = wantsText(request)
    ? encodeString(reason)
    : '{"AggregatedStatus":"critical","Service":null,"Checks":null}';
  return json(body, { "X-Consul-Reason": reason }, 404);
}

async function healthByName(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  const { rest: name } = request;
  if (name === "") throw new ServiceError("invalid", "Bad request: Missing service Name");
  const healths = await agent.serviceHealthByName(name);
  if (healths.length > 0) {
    const body = `[${healths.map(serviceHealth).join(",")}]`;
    return healthReply(request, worstStatus(healths), body);
  }
  const reason = `ServiceName ${name} Not Found`;
  const headers = { "X-Consul-Reason": reason };
  if (wantsText(request)) return text(404, reason, { ...headers, ...plainText });
  return json("[]", headers, 404);
}

const plainText = { "Content-Type": "text/plain" };

function healthReply(request: ApiRequest, status: ServiceHealth["status"], body: string): Reply {
  const headers = { "X-Consul-Reason": status };
  const code = healthStatuses[status];
  if (wantsText(request)) return text(code, status, { ...headers, ...plainText });
  return json(body, headers, code);
}

function wantsText(request: ApiRequest): boolean {
  return request.query.get("format") === "text" || request.header("Accept") === "text/plain";
}
