// Servers elsewhere, by node:http and node:https, which may trust authorities that a request names. What goes wrong is
// said in Go's words, which operators know from Consul.

import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { connect } from "node:net";

import { joinHostPort } from "../../../src/core/lib/host-port.ts";
import type {
  Outside,
  OutsideAnswer,
  OutsideRequest,
  ProbeAnswer,
  ProbeRequest,
} from "../platform.ts";

export const nodeOutside: Outside = {
  ...{ trustsGiven: true, skipsVerification: true },
  ask,
  probe,
  dial,
};

function probe(asked: ProbeRequest): Promise<ProbeAnswer> {
  const { method, url, body, skipsVerification, timeoutMs, bytesMax } = asked;
  const headers = Object.groupBy(asked.headers, ([name]) => name);
  const values = Object.entries(headers).map(([name, pairs = []]) => {
    return [name, name === "host" ? pairs[0]?.[1] : pairs.map(([, value]) => value)] as const;
  });
  const length = body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const options = {
    method,
    rejectUnauthorized: !skipsVerification,
    headers: { ...Object.fromEntries(values), ...length },
  };
  return exchange({ url, body, timeoutMs, options }, (response) => startOf(response, bytesMax));
}

function ask(asked: OutsideRequest): Promise<OutsideAnswer> {
  const { method, url, headers, body = "", ca, timeoutMs, bytesMax } = asked;
  const options = {
    method,
    headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
    ...(ca !== undefined && { ca }),
  };
  return exchange({ url, body, timeoutMs, options }, (response) => read(response, bytesMax));
}

interface Exchange {
  url: string;
  body: string;
  timeoutMs: number;
  options: RequestOptions;
}

function exchange<Answer>(
  { url, body, timeoutMs, options }: Exchange,
  read: (response: IncomingMessage) => Promise<Answer>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = new URL(url).protocol === "https:" ? httpsRequest : httpRequest;
    // Each asks anew: what one trusts, another may not.
    const outgoing = send(url, { ...options, agent: false }, (response) => {
      read(response).then(resolve, (failure: unknown) => {
        outgoing.destroy();
        fail(failure);
      });
    });
    const fail = (failure: unknown): void => reject(new Error(textOf(failure, url)));
    const timer = setTimeout(() => {
      outgoing.destroy(new Error("context deadline exceeded"));
    }, timeoutMs);
    outgoing.on("close", () => clearTimeout(timer));
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}

async function startOf(response: IncomingMessage, bytesMax: number): Promise<ProbeAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= bytesMax) break;
  }
  return {
    status: response.statusCode ?? 502,
    statusText: response.statusMessage ?? "",
    location: response.headers.location ?? "",
    body: Buffer.concat(chunks).subarray(0, bytesMax).toString("utf8"),
  };
}

function dial({ host, port, timeoutMs }: Parameters<Outside["dial"]>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => {
      socket.destroy(new Error(`dial tcp ${joinHostPort(host, port)}: i/o timeout`));
    }, timeoutMs);
    socket.on("close", () => clearTimeout(timer));
    socket.on("error", (failure) => reject(new Error(textOf(failure, `http://${host}`))));
    socket.on("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

async function read(response: IncomingMessage, bytesMax: number): Promise<OutsideAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`the answer is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 502,
    contentType: response.headers["content-type"] ?? "",
    location: response.headers.location ?? "",
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

const untrusted: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
]);

function textOf(failure: unknown, url: string): string {
  if (!(failure instanceof Error)) return String(failure);
  const {
    code = "",
    address = "",
    port = 0,
  } = failure as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (code === "ECONNREFUSED")
    return `dial tcp ${joinHostPort(address, port)}: connect: connection refused`;
  if (code === "ENOTFOUND") return `dial tcp: lookup ${new URL(url).hostname}: no such host`;
  if (untrusted.has(code)) return "x509: certificate signed by unknown authority";
  return failure.message === "" ? code : failure.message;
}
