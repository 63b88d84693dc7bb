// Questions to servers that an auth method names, within the bounds of a login. What fails is said in Go's words.

import { limits } from "../../../src/core/model/limits.ts";
import type { Outside, OutsideAnswer } from "../../platform/platform.ts";

export interface Question {
  url: string;
  /** PEM; "" for whom the platform trusts. */
  ca: string;
}

export class OutsideFault extends Error {
  override name = "OutsideFault";
}

/** What the URL answers after redirects. Rejects with {@link OutsideFault}: `Get "…": …`. */
export async function get(outside: Outside, question: Question): Promise<OutsideAnswer> {
  let { url } = question;
  for (let redirects = 0; redirects <= limits.outsideRedirectsMax; redirects++) {
    const answer = await ask(outside, { ...question, url, method: "GET" });
    const { status, location } = answer;
    if (status < 301 || status > 308 || location === "") return answer;
    const next = URL.canParse(location, url) ? new URL(location, url).toString() : location;
    if (url.startsWith("https:") && !next.startsWith("https:")) {
      throw new OutsideFault(`Get ${JSON.stringify(next)}: redirected to where nothing is secret`);
    }
    url = next;
  }
  const count = limits.outsideRedirectsMax;
  throw new OutsideFault(`Get ${JSON.stringify(url)}: stopped after ${count} redirects`);
}

export async function ask(
  outside: Outside,
  {
    method,
    url,
    ca,
    headers = {},
    body,
  }: Question & { method: "GET" | "POST"; headers?: Record<string, string>; body?: string },
): Promise<OutsideAnswer> {
  const { outsideAnswerBytesMax: bytesMax, outsideAnswerMsMax: timeoutMs } = limits;
  try {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? "";
    if (scheme !== "http" && scheme !== "https") {
      throw new Error(`unsupported protocol scheme ${JSON.stringify(scheme)}`);
    }
    return await outside.ask({
      method,
      url,
      headers: { accept: "application/json", ...headers },
      timeoutMs,
      bytesMax,
      ...(body !== undefined && { body }),
      ...(ca !== "" && { ca }),
    });
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    const verb = method === "GET" ? "Get" : "Post";
    throw new OutsideFault(`${verb} ${JSON.stringify(url.replaceAll(" ", "%20"))}: ${reason}`);
  }
}

const statusNames: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** A status as Go prints it, e.g. `404 Not Found`. */
export function statusText(status: number): string {
  return `${status} ${statusNames[status] ?? ""}`.trimEnd();
}
