// `/v1/operator/cost` and `/v1/operator/reset`, beyond Consul: a deployment's objects, what they have cost this month,
// and how one that hangs is begun anew. Only a Worker has them.

import { encodeJson } from "../core/model/json.ts";
import { ServiceError } from "../core/model/errors.ts";
import {
  billedDollars,
  grossDollars,
  requestsPerMessage,
  sum,
  type Usage,
  usage,
} from "../core/model/prices.ts";
import type { Cluster } from "../ports/cluster.ts";
import type { DeploymentObjects, ObjectWork } from "../ports/deployment-objects.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { deploymentRoutes } from "./openapi/routes/deployment.ts";
import { empty, json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

export interface DeploymentParts {
  cluster: Cluster;
  objects: DeploymentObjects;
  nowMs(): number;
}

/** What answering a request takes of the Worker, ms; measured 0.5 to 1. */
const workerCpuMs = 1;

export function deploymentArea(parts: DeploymentParts): AreaOf<typeof deploymentRoutes> {
  return {
    "/v1/operator/cost": { GET: (request) => cost(parts, request) },
    "/v1/operator/reset/": { PUT: (request) => reset(parts, request) },
  };
}

async function cost(
  { cluster, objects: source, nowMs }: DeploymentParts,
  request: ApiRequest,
): Promise<Reply> {
  const now = new Date(nowMs()).toISOString().slice(0, "2026-11".length);
  const month = request.query.get("month") || now;
  if (!/^\d{4}-(?:0[1-9]|1[0-2])$/.test(month)) {
    throw new ServiceError("bad-request", `month must be as ${now}, not ${JSON.stringify(month)}`);
  }
  // Whoever may see the servers may see what they cost; a token without operator:read is refused here.
  const { token } = request;
  await cluster.servers({ ...(token !== undefined && { token }), stale: true });
  const objects = await source.work(month);
  const total = sum(...objects.map(usageOf));
  return json(
    encodeJson({
      Month: month,
      DollarsGross: rounded(grossDollars(total)),
      DollarsBilled: rounded(billedDollars(total)),
      WorkerRequests: total.workerRequests,
      ObjectRequests: total.objectRequests,
      ObjectSeconds: rounded(total.objectSeconds),
      RowsWritten: total.rowsWritten,
      Objects: objects.map((each) => ({
        Name: each.name,
        Kind: each.kind,
        Started: new Date(each.startedMs).toISOString(),
        Requests: each.requests,
        Messages: each.messages,
        BusySeconds: rounded(each.busyMs / 1_000),
        RowsWritten: each.rowsWritten,
        DollarsGross: rounded(grossDollars(usageOf(each))),
      })),
    }),
  );
}

async function reset({ cluster, objects }: DeploymentParts, request: ApiRequest): Promise<Reply> {
  if (request.rest === "") throw new ServiceError("bad-request", "Missing the name of an object");
  await requireOperatorWrite(cluster, request.token);
  await objects.reset(request.rest);
  return empty(200);
}

/** Throws ServiceError. Without ACLs everybody may do everything. */
async function requireOperatorWrite(cluster: Cluster, token: string | undefined): Promise<void> {
  const questions = [{ Resource: "operator", Segment: "", Access: "write" }];
  try {
    const options = token === undefined ? {} : { token };
    const { body } = await cluster.read("acl.authorize", { questions }, options);
    const [answer] = JSON.parse(body ?? "[]") as { Allow: boolean }[];
    if (answer?.Allow === true) return;
  } catch (failure) {
    if (failure instanceof ServiceError && failure.code === "acl-disabled") return;
    throw failure;
  }
  throw new ServiceError("permission-denied", "Permission denied");
}

function usageOf(work: ObjectWork): Usage {
  return usage({
    workerRequests: work.workerRequests,
    workerCpuMs: work.workerRequests * workerCpuMs,
    objectRequests: work.requests + work.messages * requestsPerMessage,
    objectSeconds: work.busyMs / 1_000,
    rowsWritten: work.rowsWritten,
  });
}

/** To a hundredth of a cent, or a tenth of a millisecond. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
