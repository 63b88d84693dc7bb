// gRPC checks: the standard health service is asked, by HTTP/2 and a message of one text. SERVING passes, all else is
// critical, in the words of Go's client.

import { type ClientHttp2Session, connect, constants } from "node:http2";
import type { CheckDefinition } from "../../core/agent/definitions.ts";
import { critical, deadline, dialError, probeTimeoutMsDefault, type Probe } from "./probe.ts";

const path = "/grpc.health.v1.Health/Check";
const serving = 1;
/** A status is two bytes; whoever says more says something else. */
const answerBytesMax = 1_024;

const codes = [
  ...["OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound"],
  ...["AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted"],
  ...["OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated"],
];

export function grpcProbe(check: CheckDefinition): Probe {
  // `host:port/service`
  const slash = check.grpc.indexOf("/");
  const target = slash < 0 ? check.grpc : check.grpc.slice(0, slash);
  const service = slash < 0 ? "" : check.grpc.slice(slash + 1);
  return async (outer) => {
    if (!/^(\[.+\]|[^:]*):\d+$/.test(target)) {
      return critical(unreachable(`dial tcp: address ${target}: missing port in address`));
    }
    const limit = deadline(outer, check.timeoutMs || probeTimeoutMsDefault);
    try {
      const status = await asked(check, target, service, limit.signal);
      if (status !== serving) return critical("gRPC application didn't report service healthy");
      return { status: "passing", output: `gRPC check ${check.grpc}: success` };
    } catch (error) {
      if (limit.timedOut()) return critical(rpcError(4, "context deadline exceeded"));
      if (error instanceof RpcError) return critical(error.message);
      return critical(unreachable(dialError(error, target)));
    } finally {
      limit.done();
    }
  };
}

/** The server answered, but not with a status of health. */
class RpcError extends Error {}

function rpcError(code: number, description: string): string {
  return `rpc error: code = ${codes[code] ?? `Code(${code})`} desc = ${description}`;
}

function unreachable(reason: string): string {
  const description = `transport: Error while dialing ${reason}`;
  return rpcError(14, `connection error: desc = ${JSON.stringify(description)}`);
}

async function asked(
  check: CheckDefinition,
  target: string,
  service: string,
  signal: AbortSignal,
): Promise<number> {
  const scheme = check.grpcUseTls ? "https" : "http";
  const host = target.startsWith(":") ? `localhost${target}` : target;
  const session = connect(`${scheme}://${host}`, { rejectUnauthorized: !check.tlsSkipVerify });
  const abort = (): void => session.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      session.once("error", reject);
      session.once("close", () => reject(new RpcError(rpcError(14, "connection closed"))));
      request(session, service).then(resolve, reject);
    });
  } finally {
    signal.removeEventListener("abort", abort);
    session.destroy();
  }
}

function request(session: ClientHttp2Session, service: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    let body = Buffer.alloc(0);
    let status: string | undefined;
    let message: string | undefined;
    const note = (headers: Record<string, unknown>): void => {
      status ??= headers["grpc-status"] as string | undefined;
      message ??= headers["grpc-message"] as string | undefined;
    };
    stream.on("response", (headers) => {
      note(headers);
      const type = headers["content-type"] ?? "";
      if (headers[":status"] !== 200 || !type.startsWith("application/grpc")) {
        const what = `unexpected HTTP status code ${headers[":status"]} and content-type "${type}"`;
        reject(new RpcError(rpcError(2, what)));
      }
    });
    stream.on("trailers", note);
    stream.on("data", (chunk: Buffer) => {
      body = Buffer.concat([body, chunk]);
      if (body.length > answerBytesMax) stream.close();
    });
    stream.on("error", (failure) => reject(new RpcError(rpcError(14, failure.message))));
    stream.on("close", () => {
      const code = Number(status ?? 2);
      if (code === 0) resolve(statusIn(body));
      else reject(new RpcError(rpcError(code, decoded(message ?? "no status"))));
    });
    stream.end(framed(service));
  });
}

/** gRPC's frame around protobuf's `HealthCheckRequest { string service = 1 }`. */
function framed(service: string): Buffer {
  const text = Buffer.from(service);
  const field =
    text.length === 0 ? text : Buffer.concat([Buffer.from([10]), varint(text.length), text]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(field.length, 1);
  return Buffer.concat([head, field]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

/** `HealthCheckResponse { ServingStatus status = 1 }`; 0 (unknown) where there is none. */
function statusIn(frame: Buffer): number {
  const [tag, value = 0] = frame.subarray(5);
  return tag === 8 ? value : 0;
}

function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
