// `/v1/acl/replication`: how far a secondary datacenter has copied the primary.

import type { PlainRead } from "../../read.ts";
import { copiedIndex, lastTimes } from "./rows.ts";

const never = "0001-01-01T00:00:00Z";

function timeOf(ms: number): string {
  return ms === 0 ? never : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** In a primary, or without ACLs, nothing is copied. */
const status: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    const { enabled, primary = "" } = view.acl;
    const isCopying = enabled && primary !== "";
    const { successMs, failureMs } = isCopying ? lastTimes(view) : { successMs: 0, failureMs: 0 };
    const body = JSON.stringify({
      Enabled: isCopying,
      Running: isCopying,
      SourceDatacenter: isCopying ? primary : "",
      ReplicationType: isCopying ? "tokens" : "",
      ReplicatedIndex: isCopying ? copiedIndex(view, "policies") : 0,
      ReplicatedRoleIndex: isCopying ? copiedIndex(view, "roles") : 0,
      ReplicatedTokenIndex: isCopying ? copiedIndex(view, "tokens") : 0,
      LastSuccess: timeOf(successMs),
      LastError: timeOf(failureMs),
    });
    return { index: 1, body, topics: [] };
  },
};

export const replicationReads = { "acl.replication": status };
