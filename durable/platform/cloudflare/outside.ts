// Servers elsewhere, by the platform's fetch, which trusts whom the platform trusts.

import { withTimeout } from "../../../src/ports/timers.ts";
import type { Outside, OutsideAnswer, OutsideRequest } from "../platform.ts";
import { platformTimers } from "./timers.ts";

export const fetchOutside: Outside = {
  trustsGiven: false,
  ask: async (request) => {
    const { timeoutMs } = request;
    const late = new AbortController();
    const failure = (): Error => new Error("context deadline exceeded");
    try {
      return await withTimeout(platformTimers, ask(request, late.signal), timeoutMs, failure);
    } finally {
      late.abort();
    }
  },
};

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
