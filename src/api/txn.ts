// `/v1/txn`: several operations, all or nothing. One that only reads is a read, with its consistency modes.

import { decodeBody } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { limits } from "../core/model/limits.ts";
import { isReadOperation } from "../core/model/transaction.ts";
import type { TxnOperation } from "../core/model/transaction.ts";
import { txnOperations, txnRequestSchema } from "../core/model/txn-request.ts";
import { leaderHeaders, parseReadOptions } from "./consistency.ts";
import type { ReadParts } from "./consistency.ts";
import { json } from "./reply.ts";
import type { Reply } from "./reply.ts";
import { decoding } from "./request.ts";
import type { ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import type { txnRoutes } from "./openapi/routes/txn.ts";

export interface TxnParts extends ReadParts {
  /** Longest body; absent: Consul's default. */
  txnBodyBytesMax?: number;
}

export function txnArea(parts: TxnParts): AreaOf<typeof txnRoutes> {
  return { "/v1/txn": { PUT: (request) => run(parts, request) } };
}

async function run(parts: TxnParts, request: ApiRequest): Promise<Reply> {
  const operations = await parseOperations(parts, request);
  if (operations.every(isReadOperation)) return await runReads(parts, request, operations);
  const outcome = await parts.cluster.write({ type: "txn", operations }, request.writeOptions);
  const failed = outcome.errors.length > 0;
  const errors = failed ? JSON.stringify(outcome.errors) : "null";
  return json(
    `{"Results":${outcome.results ?? "null"},"Errors":${errors}}`,
    {},
    failed ? 409 : 200,
  );
}

async function runReads(
  parts: ReadParts,
  request: ApiRequest,
  operations: TxnOperation[],
): Promise<Reply> {
  // Transactions never wait.
  const {
    minIndex: _minIndex,
    waitMs: _waitMs,
    ...options
  } = parseReadOptions(parts, request, {
    kind: "plain",
  });
  const args = { operations: operations.map((operation) => ({ ...operation })) };
  const answer = await parts.cluster.read("txn.read", args as never, options);
  const body = answer.body ?? "{}";
  const about =
    `"Index":0,"LastContact":${Math.round(answer.lastContactMs)},` +
    `"KnownLeader":${answer.knownLeader},"ConsistencyLevel":""`;
  const status = body.startsWith('{"Results":null') ? 409 : 200;
  return json(`${body.slice(0, -1)},${about}}`, leaderHeaders(answer), status);
}

async function parseOperations(
  { txnBodyBytesMax: bytesMax = limits.txnBodyBytesMax }: TxnParts,
  request: ApiRequest,
): Promise<TxnOperation[]> {
  const bytes = await request.bytes(bytesMax, (length) => bodyTooLarge(length, bytesMax));
  const body = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);
  const operations = decoding("Failed to parse body: ", () =>
    txnOperations(decodeBody(txnRequestSchema, body, "refuse")),
  );
  if (operations.length > limits.txnOperationsMax) {
    const count = `${operations.length} > ${limits.txnOperationsMax}`;
    throw new ServiceError("too-large", `Transaction contains too many operations (${count})`);
  }
  return operations;
}

function bodyTooLarge(bytes: number, bytesMax: number): string {
  return (
    `Request body(${bytes} bytes) too large, max size: ${bytesMax} bytes. ` +
    "See https://www.consul.io/docs/agent/options.html#txn_max_req_len."
  );
}
