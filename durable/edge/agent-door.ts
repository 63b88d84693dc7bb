// Agents of hosts at a deployment's Worker: whoever opens a link, or a socket to a pool, may write its own node. Asked
// of a server, because what was revoked must not come in.

import { ServiceError } from "../../src/core/model/errors.ts";
import type { Cluster } from "../../src/ports/cluster.ts";

/** Why an agent is not let in, in words that it logs; null: it is. */
export async function agentRefusal(
  { token, node, dc }: { token: string; node: string; dc: string },
  cluster: Pick<Cluster, "read">,
): Promise<Response | null> {
  if (node === "") return refused(400, "an agent says its node's name");
  const questions = [{ Resource: "node", Segment: node, Access: "write" }];
  try {
    const { body } = await cluster.read(
      "acl.authorize",
      { questions },
      { token, consistency: "stale", dc },
    );
    const [answer] = JSON.parse(body ?? "[]") as { Allow: boolean }[];
    const isAllowed = answer?.Allow === true;
    return isAllowed
      ? null
      : refused(403, `this token may not write the node ${JSON.stringify(node)}`);
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    const text = failure.message === "ACL not found" ? "this token was revoked" : failure.message;
    return refused(failure.code === "permission-denied" ? 403 : 503, text);
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
    return !(failure instanceof ServiceError && failure.message === "ACL not found");
  }
}

function refused(status: number, text: string): Response {
  const headers: Record<string, string> = { "content-type": "text/plain; charset=utf-8" };
  if (status === 503) headers["retry-after"] = "5";
  return new Response(text, { status, headers });
}
