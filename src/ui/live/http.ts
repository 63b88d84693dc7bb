// Requests of the live queries, as the network has them.

import type { Answered } from "./resource.ts";
import type { Asked } from "./scheduler.ts";

/** Beyond what the API was told to wait, and a sixteenth of it that it may add. */
const deadlineMs = 15_000;

/** Rejects where there is no answer. A token goes to the API's own root and nowhere else. */
export async function get(asked: Asked, signal: AbortSignal): Promise<Answered> {
  const { root, path, token, index, waitMs } = asked;
  const url = new URL(path, root);
  if (index !== null) {
    url.searchParams.set("index", index);
    url.searchParams.set("wait", `${Math.round(waitMs / 1_000)}s`);
  }
  const limitMs = deadlineMs + (index === null ? 0 : waitMs * 1.0625);
  const response = await fetch(url, {
    headers: token === "" ? {} : { "X-Consul-Token": token },
    signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
  });
  const text = await response.text();
  return {
    status: response.status,
    index: response.headers.get("X-Consul-Index"),
    text,
    ...bodyOf(response, text),
    isFiltered: response.headers.get("X-Consul-Results-Filtered-By-ACLs") === "true",
    retryAfterMs: retryAfterMs(response.headers.get("Retry-After")),
  };
}

/** Rejects where an answer was cut off, so that it counts as none. */
function bodyOf({ ok }: Response, text: string): { body: unknown } {
  return { body: ok && text !== "" ? (JSON.parse(exact(text)) as unknown) : null };
}

function retryAfterMs(header: string | null): number | null {
  const seconds = Number(header ?? "");
  return header === null || !Number.isFinite(seconds) ? null : Math.min(seconds, 300) * 1_000;
}

/** Flags of keys may be larger than numbers are exact: such become text. */
function exact(text: string): string {
  return text.replaceAll(/(?<!\\)"Flags":\s*(\d{16,})/g, '"Flags":"$1"');
}
