// HTTP over node:http, because an agent may be behind a Unix socket or a certificate of its own.

import { readFileSync, readdirSync } from "node:fs";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { rootCertificates } from "node:tls";

import { tlsFailure } from "../agent/tls/failures.ts";
import { openError } from "../agent/go-reasons.ts";
import type { Connection, TlsFiles } from "./http-flags.ts";

export interface HttpRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Whoever may have to wait for an answer says by this when not to; without it an agent that hangs is given up. */
  signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  status: number;
  /** Null when absent. */
  header(name: string): string | null;
  body: AsyncIterable<Uint8Array>;
}

/** Rejects with Go's words when nobody answers. */
export type Transport = (connection: Connection, request: HttpRequest) => Promise<HttpResponse>;

export const overSockets: Transport = (connection, request) =>
  exchange(connection, request, 60_000);

/** `silenceMs`: how long an agent may say nothing. */
export async function exchange(
  connection: Connection,
  request: HttpRequest,
  silenceMs: number,
): Promise<HttpResponse> {
  const url = new URL(connection.socketPath === undefined ? connection.origin : "http://socket");
  const isSecure = connection.origin.startsWith("https:");
  const { method, headers, signal } = request;
  const options = {
    method,
    headers,
    path: request.path,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port,
    socketPath: connection.socketPath,
    agent: false as const,
    ...(signal ? { signal } : { timeout: silenceMs }),
    ...(isSecure && tlsOptions(connection.tls)),
  };
  return await new Promise((resolve, reject) => {
    const call = (isSecure ? secureRequest : plainRequest)(options, (answer) =>
      resolve(responseOf(answer)),
    );
    call.on("timeout", () => call.destroy(new Error("i/o timeout")));
    call.on("error", (failure) => reject(dialError(connection, request, failure)));
    const { body } = request;
    if (body === undefined || body instanceof Uint8Array) call.end(body);
    else pipeline(Readable.from(body), call).catch((failure: Error) => call.destroy(failure));
  });
}

function responseOf(message: IncomingMessage): HttpResponse {
  return {
    status: message.statusCode ?? 0,
    header: (name) => {
      const value = message.headers[name.toLowerCase()];
      return value === undefined ? null : String(value);
    },
    body: message,
  };
}

function tlsOptions(files: TlsFiles): Record<string, unknown> {
  const trusted = [
    ...(files.caFile === "" ? [] : [certificatesIn(files.caFile)]),
    ...(files.caFile !== "" || files.caPath === ""
      ? []
      : readdirSync(files.caPath).map((name) => certificatesIn(join(files.caPath, name)))),
  ];
  return {
    ca: trusted.length === 0 ? rootCertificates : trusted,
    rejectUnauthorized: files.verify,
    ...(files.certificate !== "" && { cert: readFileSync(files.certificate) }),
    ...(files.key !== "" && { key: readFileSync(files.key) }),
    ...(files.serverName !== "" && { servername: files.serverName }),
  };
}

function certificatesIn(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (failure) {
    throw new Error(`Error loading CA File: ${openError(path, failure)}`, { cause: failure });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  ETIMEDOUT: "connection timed out",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
};

function dialError(connection: Connection, { method, path }: HttpRequest, failure: Error): Error {
  const { code = "", syscall } = failure as NodeJS.ErrnoException;
  const host = connection.origin.replace(/^https?:\/\//, "");
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const place = connection.socketPath ? `unix ${connection.socketPath}` : `tcp ${host}`;
  let reason = failure.message;
  if (syscall === "getaddrinfo")
    reason = `dial tcp: lookup ${host.replace(/:\d+$/, "")}: no such host`;
  else if (reasons[code]) reason = `dial ${place}: connect: ${reasons[code]}`;
  else if (code === "ECONNRESET") reason = "EOF";
  else if (code === "EPROTO") reason = "http: server gave HTTP response to HTTPS client";
  else reason = tlsFailure(failure) ?? reason;
  return new Error(`${verb} "${connection.origin}${path}": ${reason}`, { cause: failure });
}
