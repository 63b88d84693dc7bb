// Agents of hosts at a deployment's Worker: whoever opens a link, or a socket to a pool, may write its own node. Asked
// of a server, because what was revoked must not come in.

import { isUnknownToken, ServiceError } from "../../src/core/model/errors.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import { refused } from "./refused.ts";

export type AgentAdmission = { refusal: Response } | { accessor: string };

/** Why an agent is not let in, in words that it logs; or whose token it showed. */
export async function admitAgent(
  { token, node, dc }: { token: string; node: string; dc: string },
  cluster: Pick<Cluster, "read">,
): Promise<AgentAdmission> {
  const refusal = (status: number, text: string): AgentAdmission => {
    return { refusal: refused(status, text, status === 503 ? { "retry-after": "5" } : {}) };
  };
  if (node === "") return refusal(400, "an agent says its node's name");
  const questions = [{ Resource: "node", Segment: node, Access: "write" }];
  const options = { token, dc, consistency: "stale" } as const;
  try {
    const [rights, self] = await Promise.all([
      cluster.read("acl.authorize", { questions }, options),
      cluster.read("acl.token.self", {}, options),
    ]);
    const [answer] = JSON.parse(rights.body ?? "[]") as { Allow: boolean }[];
    if (answer?.Allow !== true) {
      return refusal(403, `this token may not write the node ${JSON.stringify(node)}`);
    }
    const { AccessorID: accessor = "" } = JSON.parse(self.body ?? "{}") as { AccessorID?: string };
    return { accessor };
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    const text = isUnknownToken(failure) ? "this token was revoked" : failure.message;
    return refusal(failure.code === "permission-denied" ? 403 : 503, text);
  }
}

/** Where servers do not say, it counts as known. */
export async function isKnownToken(
  { token, dc }: { token: string; dc: string },
  cluster: Pick<Cluster, "read">,
): Promise<boolean> {
  try {
    const options = { token, dc, consistency: "stale" } as const;
    await cluster.read("acl.authorize", { questions: [] }, options);
    return true;
  } catch (failure) {
    return !isUnknownToken(failure);
  }
}
