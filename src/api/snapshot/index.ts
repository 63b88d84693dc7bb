// `/v1/snapshot`: the whole state as one of Consul's archives, out and in (semantics §18).

import { gunzip } from "../../archive-file/gunzip.ts";
import { readArchive } from "../../archive-file/read.ts";
import { ServiceError } from "../../core/model/errors.ts";
import { leaderHeaders, parseReadOptions, type ReadParts } from "../consistency.ts";
import type { AreaOf } from "../openapi/operation.ts";
import type { snapshotRoutes } from "../openapi/routes/snapshot.ts";
import { empty, type Reply } from "../reply.ts";
import type { ApiRequest } from "../request.ts";
import { Restore } from "./restore.ts";
import { archiveOf } from "./save.ts";

export interface SnapshotParts extends ReadParts {
  nowMs(): number;
  /** A random UUID in lower case. */
  uuid(): string;
  /** Larger archives are refused; absent: any size. */
  snapshotBytesMax?: number;
}

/** The version of archives. */
const version = 1;

export function snapshotArea(parts: SnapshotParts): AreaOf<typeof snapshotRoutes> {
  return {
    "/v1/snapshot": {
      GET: (request) => save(parts, request),
      PUT: (request) => restore(parts, request),
    },
  };
}

async function save(parts: SnapshotParts, request: ApiRequest): Promise<Reply> {
  const { token, dc, consistency } = parseReadOptions(parts, request, { kind: "plain" });
  const state = await parts.cluster.saveState({
    ...(token !== undefined && { token }),
    ...(dc !== undefined && { dc }),
    ...(consistency && { consistency }),
  });
  const { index, knownLeader, lastContactMs } = state;
  return {
    status: 200,
    headers: {
      "Content-Type": "application/x-gzip",
      "X-Consul-Index": String(index),
      ...leaderHeaders({ index, knownLeader, lastContactMs, body: null }),
    },
    body: archiveOf(state, parts.nowMs()),
    isJson: false,
  };
}

async function restore(parts: SnapshotParts, request: ApiRequest): Promise<Reply> {
  const { cluster, uuid, snapshotBytesMax = Number.POSITIVE_INFINITY } = parts;
  const tooLarge = (bytes: number): ServiceError => {
    const sizes = `Snapshot(${bytes} bytes) too large, max size: ${snapshotBytesMax} bytes`;
    return new ServiceError(
      "too-large",
      `${sizes}. Send it to an agent on a host of this datacenter instead, which takes any size.`,
    );
  };
  const declared = Number(request.header("Content-Length"));
  if (declared > snapshotBytesMax) throw tooLarge(declared);
  await cluster.permitRestore(request.writeOptions);
  const loading = new Restore(cluster, uuid(), request.writeOptions);
  const archive = await gunzip(request.raw.body, snapshotBytesMax, tooLarge);
  try {
    const meta = await readArchive(archive, (piece) => loading.take(piece));
    requireRestorable(meta, loading.bytes);
    await loading.finish();
  } catch (failure) {
    await Promise.all([archive.cancel(), loading.abandon()]);
    throw failure;
  }
  return empty(200);
}

function requireRestorable(meta: { Version: number; Size: number }, bytes: number): void {
  const prefix = "Raft error when restoring snapshot: ";
  if (meta.Version !== version) {
    const reason = `failed to create snapshot: unsupported snapshot version ${meta.Version}`;
    throw new ServiceError("invalid", prefix + reason);
  }
  if (meta.Size === bytes) return;
  const sizes = `size didn't match (${bytes} != ${meta.Size})`;
  throw new ServiceError("invalid", `${prefix}failed to write snapshot, ${sizes}`);
}
