// Servers elsewhere, by the platform's fetch, which trusts whom the platform trusts.

import { connect } from "cloudflare:sockets";

import { withTimeout } from "../../../src/ports/timers.ts";
import { joinBytes } from "../../../src/core/lib/bytes.ts";
import type {
  Outside,
  OutsideAnswer,
  OutsideRequest,
  ProbeAnswer,
  ProbeRequest,
} from "../platform.ts";
import { platformTimers } from "./timers.ts";

export const fetchOutside: Outside = {
  trustsGiven: false,
  skipsVerification: false,
  ask: (request) => inTime(request.timeoutMs, (signal) => ask(request, signal)),
  probe: (request) => inTime(request.timeoutMs, (signal) => probe(request, signal)),
  dial: ({ host, port, timeoutMs }) => inTime(timeoutMs, (signal) => dial(host, port, signal)),
};

async function inTime<Value>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const late = new AbortController();
  const failure = (): Error => {
    late.abort();
    return new Error("context deadline exceeded");
  };
  return await withTimeout(platformTimers, work(late.signal), timeoutMs, failure);
}

async function probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer> {
  const { method, url, headers, body, bytesMax } = request;
  const given = headers.map(([name, value]): [string, string] => [name, value]);
  const content = body === "" ? {} : { body };
  const init = { method, headers: given, signal, redirect: "manual", ...content } as const;
  const response = await fetch(url, init);
  return {
    status: response.status,
    statusText: response.statusText,
    location: response.headers.get("location") ?? "",
    body: await startOf(response, bytesMax),
  };
}

async function startOf({ body }: Response, bytesMax: number): Promise<string> {
  if (!body) return "";
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes >= bytesMax) break;
  }
  return new TextDecoder().decode(joinBytes(parts).subarray(0, bytesMax));
}

async function dial(hostname: string, port: number, late: AbortSignal): Promise<void> {
  const socket = connect({ hostname, port });
  // Told by `opened`, too, which is what is waited for.
  socket.closed.catch(() => undefined);
  const close = (): Promise<void> => socket.close().catch(() => undefined);
  late.addEventListener("abort", () => void close());
  await socket.opened;
  await close();
}

async function ask(request: OutsideRequest, signal: AbortSignal): Promise<OutsideAnswer> {
  const { method, url, headers, body, bytesMax, ca } = request;
  if (ca !== undefined) throw new Error("this platform trusts no authorities but its own");
  const response = await fetch(url, {
    method,
    headers,
    signal,
    redirect: "manual",
    ...(body !== undefined && { body }),
  });
  return {
    status: response.status,
    contentType: response.headers.get("content-type") ?? "",
    location: response.headers.get("location") ?? "",
    body: await textUpTo(response, bytesMax),
  };
}

async function textUpTo({ body }: Response, bytesMax: number): Promise<string> {
  if (!body) return "";
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`the answer is longer than ${bytesMax} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
