// HTTP checks: 2xx passes, 429 warns, everything else is critical. A new connection each time,
// redirects followed as Go does, and no more of the body read than is shown.

import * as http from "node:http";
import * as https from "node:https";
import type { CheckDefinition, CheckStatus } from "../../core/agent/definitions.ts";
import { joinHostPort } from "../../core/lib/host-port.ts";
import type { CheckTls } from "../tls/options.ts";
import {
  critical,
  deadline,
  dialError,
  probeTimeoutMsDefault,
  type Probe,
  type ProbeResult,
} from "./probe.ts";

const redirectsMax = 10;
const tooManyRequests = 429;
const defaultHeaders = { accept: "text/plain, text/*, */*", "user-agent": "Consul Health Check" };
/** Not to be told to another host. */
const credentialHeaders = ["authorization", "cookie", "www-authenticate"];

export function httpProbe(
  check: CheckDefinition,
  outputBytesMax: number,
  tls: () => CheckTls | null = () => null,
): Probe {
  return async (outer) => {
    const limit = deadline(outer, check.timeoutMs || probeTimeoutMsDefault);
    try {
      return await fetchResult(check, { outputBytesMax, tls: tls(), signal: limit.signal });
    } catch (error) {
      const reason = limit.timedOut() ? timeoutReason : (error as Error).message;
      return critical(`${goMethod(check.method || "GET")} "${check.http}": ${reason}`);
    } finally {
      limit.done();
    }
  };
}

const timeoutReason = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";

/** Go names the method in its errors as a word: `Get`. */
function goMethod(method: string): string {
  return method.slice(0, 1).toUpperCase() + method.slice(1).toLowerCase();
}

interface Request {
  url: URL;
  method: string;
  headers: Record<string, string | string[]>;
  body: string;
}

async function fetchResult(
  check: CheckDefinition,
  run: { outputBytesMax: number; tls: CheckTls | null; signal: AbortSignal },
): Promise<ProbeResult> {
  const { outputBytesMax, tls, signal } = run;
  const trust = { ...tls, rejectUnauthorized: !check.tlsSkipVerify };
  let request: Request = {
    url: parsedUrl(check.http),
    method: check.method || "GET",
    headers: headersOf(check),
    body: check.body,
  };
  for (let redirects = 0; ; redirects++) {
    const response = await send(request, trust, signal);
    const next = redirected(request, response);
    if (next === null) return await read(check, request, response, outputBytesMax);
    response.destroy();
    if (redirects >= redirectsMax) throw new Error(`stopped after ${redirectsMax} redirects`);
    request = next;
  }
}

/** `http://[127.0.0.1]:80`: Go dials what stands in brackets, whatever it is; the URL standard wants IPv6 there. */
const bracketedIpv4 = /^(https?:\/\/(?:[^/?#@]*@)?)\[(\d+\.\d+\.\d+\.\d+)\](?=[:/?#]|$)/i;

function parsedUrl(given: string): URL {
  const text = given.replace(bracketedIpv4, "$1$2");
  const url = URL.canParse(text) ? new URL(text) : null;
  const scheme = url?.protocol.replace(":", "") ?? "";
  if (url === null || (scheme !== "http" && scheme !== "https")) {
    throw new Error(`unsupported protocol scheme "${scheme}"`);
  }
  return url;
}

function headersOf(check: CheckDefinition): Request["headers"] {
  const given = Object.entries(check.header).map(([name, values]) => [name.toLowerCase(), values]);
  const headers: Request["headers"] = { ...defaultHeaders, ...Object.fromEntries(given) };
  // The one header that must not be a list.
  const { host } = headers;
  if (Array.isArray(host)) headers["host"] = host[0] ?? "";
  return headers;
}

function send(
  request: Request,
  trust: https.RequestOptions,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const { url, method, headers, body } = request;
  const module = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const length = body === "" ? {} : { "content-length": Buffer.byteLength(body) };
    const options = {
      method,
      headers: { ...headers, ...length },
      // Every run must find out anew whether the service accepts connections.
      agent: false,
      ...trust,
      signal,
    };
    const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
    const target = joinHostPort(url.hostname.replace(/^\[|\]$/g, ""), port);
    module
      .request(url, options, resolve)
      .on("error", (error) => reject(new Error(dialError(error, target))))
      .end(body);
  });
}

/** The request that a redirect asks for, or null when the answer is none. */
function redirected(request: Request, response: http.IncomingMessage): Request | null {
  const { statusCode: status = 0 } = response;
  const { location } = response.headers;
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return null;
  const url = parsedUrl(new URL(location, request.url).href);
  const headers = { ...request.headers };
  delete headers["host"];
  if (url.host !== request.url.host) for (const name of credentialHeaders) delete headers[name];
  if (status === 307 || status === 308) return { ...request, url, headers };
  const method = request.method === "HEAD" ? "HEAD" : "GET";
  return { url, method, headers, body: "" };
}

async function read(
  check: CheckDefinition,
  request: Request,
  response: http.IncomingMessage,
  outputBytesMax: number,
): Promise<ProbeResult> {
  const { statusCode = 0, statusMessage = "" } = response;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    // Leaving the loop closes the connection.
    if (bytes >= outputBytesMax) break;
  }
  const body = Buffer.concat(chunks).subarray(0, outputBytesMax).toString("utf8");
  const status = `${statusCode} ${statusMessage}`;
  const method = check.method || request.method;
  const output = `HTTP ${method} ${check.http}: ${status} Output: ${body}`;
  return { status: statusOf(statusCode), output };
}

function statusOf(code: number): CheckStatus {
  if (code >= 200 && code <= 299) return "passing";
  return code === tooManyRequests ? "warning" : "critical";
}
