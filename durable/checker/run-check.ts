// One run of an HTTP or TCP check from the edge. Each host is judged before it is asked, that of every redirect, too;
// what is said of a result is said as a host agent says it.

import type { CheckStatus } from "../../src/core/agent/definitions.ts";
import { splitHostPort } from "../../src/core/lib/host-port.ts";
import type { Outside, ProbeRequest } from "../platform/platform.ts";
import type { EdgeCheck } from "./edge-check.ts";

const timeoutMsDefault = 10_000;
const timeoutMsMax = 30_000;
const redirectsMax = 10;
const outputBytesMax = 4_096;
const tooManyRequests = 429;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const defaultHeaders = { accept: "text/plain, text/*, */*", "user-agent": "Consul Health Check" };
/** Not to be told to another host. */
const credentialHeaders: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "www-authenticate",
]);

export interface Result {
  status: CheckStatus;
  output: string;
}

export interface RunParts {
  outside: Pick<Outside, "probe" | "dial" | "skipsVerification">;
  nowMs(): number;
  /** Where a host leads; throws an Error when it must not be asked. */
  addresses(host: string): Promise<readonly string[]>;
}

/** Never rejects. */
export async function runCheck(check: EdgeCheck, parts: RunParts): Promise<Result> {
  const timeoutMs = Math.min(check.timeoutMs || timeoutMsDefault, timeoutMsMax);
  const endMs = parts.nowMs() + timeoutMs;
  try {
    return await (check.http === "" ? runTcp(check, parts, endMs) : runHttp(check, parts, endMs));
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    const method = check.method || "GET";
    const shown = method.slice(0, 1).toUpperCase() + method.slice(1).toLowerCase();
    return {
      status: "critical",
      output: check.http === "" ? why : `${shown} "${check.http}": ${why}`,
    };
  }
}

async function runTcp({ tcp }: EdgeCheck, parts: RunParts, endMs: number): Promise<Result> {
  const target = splitHostPort(tcp);
  if (target === null) throw new Error(`dial tcp: address ${tcp}: missing port in address`);
  // The very address that was judged: no second look at the name can lead elsewhere.
  const [address = ""] = await parts.addresses(target.host);
  const timeoutMs = endMs - parts.nowMs();
  await parts.outside.dial({ host: address, port: target.port, timeoutMs });
  return { status: "passing", output: `TCP connect ${tcp}: Success` };
}

async function runHttp(check: EdgeCheck, parts: RunParts, endMs: number): Promise<Result> {
  if (check.tlsSkipVerify && !parts.outside.skipsVerification) {
    throw new Error("TLSSkipVerify: the edge verifies every certificate");
  }
  const bytesMax = Math.min(check.outputBytesMax || outputBytesMax, outputBytesMax);
  const { tlsSkipVerify: skipsVerification } = check;
  let request = firstRequest(check);
  for (let hops = 0; ; hops++) {
    await parts.addresses(request.url.hostname);
    const { url, ...rest } = request;
    const timeoutMs = Math.max(endMs - parts.nowMs(), 1);
    const asked: ProbeRequest = { ...rest, url: url.href, skipsVerification, timeoutMs, bytesMax };
    const answer = await parts.outside.probe(asked);
    const { status, statusText, location, body } = answer;
    const next =
      redirects.has(status) && location !== "" ? nextRequest(request, status, location) : null;
    if (next === null) {
      const said = `HTTP ${check.method || request.method} ${check.http}: ${status} ${statusText}`;
      return { status: statusOf(status), output: `${said} Output: ${body}` };
    }
    if (hops >= redirectsMax) throw new Error(`stopped after ${redirectsMax} redirects`);
    request = next;
  }
}

function statusOf(code: number): CheckStatus {
  if (code >= 200 && code <= 299) return "passing";
  return code === tooManyRequests ? "warning" : "critical";
}

interface HttpRequest {
  url: URL;
  method: string;
  headers: [name: string, value: string][];
  body: string;
}

function firstRequest({ http, method, header, body }: EdgeCheck): HttpRequest {
  const given = Object.entries(header).flatMap(([name, values]) =>
    values.map((value): [string, string] => [name.toLowerCase(), value]),
  );
  const named = new Set(given.map(([name]) => name));
  const defaults = Object.entries(defaultHeaders).filter(([name]) => !named.has(name));
  return { url: parsedUrl(http), method: method || "GET", headers: [...defaults, ...given], body };
}

/** As Go follows a redirect. */
function nextRequest(request: HttpRequest, status: number, location: string): HttpRequest {
  if (!URL.canParse(location, request.url.href)) throw new Error(`bad redirect to ${location}`);
  const url = parsedUrl(new URL(location, request.url.href).href);
  const isElsewhere = url.host !== request.url.host;
  const headers = request.headers.filter(
    ([name]) => name !== "host" && !(isElsewhere && credentialHeaders.has(name)),
  );
  if (status === 307 || status === 308) return { ...request, url, headers };
  return { url, method: request.method === "HEAD" ? "HEAD" : "GET", headers, body: "" };
}

function parsedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const scheme = url?.protocol.replace(":", "") ?? "";
  if (url === null || (scheme !== "http" && scheme !== "https")) {
    throw new Error(`unsupported protocol scheme "${scheme}"`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new Error("a URL with credentials: put them into a header");
  }
  return url;
}
