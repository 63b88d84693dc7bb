// A host joins a deployment: it shows a join token once, and gets a token of its own, for its node's name.

import { ServiceError } from "../../src/core/model/errors.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import { refused } from "./refused.ts";
import type { SealedKeys } from "./sealed-keys.ts";
import { bearerOf } from "./shown.ts";

export const joinPath = "/join";
/** What the host says of itself. */
interface Newcomer {
  node: string;
  id: string;
  /** "" for that of requests without `?dc=`. */
  datacenter: string;
}

const bodyBytesMax = 4_096;

export interface JoiningParts {
  keys: SealedKeys;
  cluster: Pick<Cluster, "write">;
  nowMs: number;
  uuid(): string;
}

/** 200 with the node's token as JSON, or a refusal in words that the agent logs. */
export async function joinHost(request: Request, parts: JoiningParts): Promise<Response> {
  if (request.method !== "POST") return refusal(405, "a host joins by POST");
  const shown = bearerOf(request) ?? "";
  const opened = await parts.keys.open("join", shown, parts.nowMs);
  if ("refused" in opened) return refusal(403, opened.refused);
  const newcomer = await newcomerIn(request);
  if (!newcomer) return refusal(400, "a host says its node's name and id");
  const { nodes, secret: join } = opened.grant;
  if (nodes.length > 0 && !nodes.some((pattern) => admits(pattern, newcomer.node))) {
    return refusal(403, `the join token is not for a node named ${JSON.stringify(newcomer.node)}`);
  }
  const { node, id: nodeId, datacenter: dc } = newcomer;
  try {
    const secret = parts.uuid();
    const command = { type: "acl.node.join", join, node, nodeId, secret } as const;
    await parts.cluster.write(command, dc === "" ? {} : { dc });
    return Response.json({ token: secret });
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    const status = statuses[failure.code] ?? 503;
    return refusal(status, failure.message.replace(/^Permission denied: /, ""));
  }
}

const statuses: Partial<Record<ServiceError["code"], number>> = {
  "permission-denied": 403,
  "bad-request": 400,
  "acl-disabled": 403,
  "no-path-to-datacenter": 404,
};

function admits(pattern: string, node: string): boolean {
  return pattern.endsWith("*") ? node.startsWith(pattern.slice(0, -1)) : node === pattern;
}

async function newcomerIn(request: Request): Promise<Newcomer | null> {
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (!(length <= bodyBytesMax)) return null;
  try {
    const said: unknown = await request.json();
    const { node, id, datacenter = "" } = said as Partial<Record<string, unknown>>;
    const isOne = [node, id, datacenter].every((each) => typeof each === "string");
    return isOne ? ({ node, id, datacenter } as Newcomer) : null;
  } catch {
    return null;
  }
}

function refusal(status: number, text: string): Response {
  return refused(status, text, { "cache-control": "no-store" });
}
