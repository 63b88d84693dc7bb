// What every answer of DNS over HTTPS carries, and what a request's headers ask for.

export const messageType = "application/dns-message";
export const jsonType = "application/dns-json";
const plainJsonType = "application/json";

export const methods = "GET, HEAD, POST, OPTIONS";

/**
 * Pages of any origin may ask: who may is decided by a key in the path or a token that the page must know, never by a
 * cookie or by where its user sits.
 */
export const crossOrigin: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Age",
};

const preflightSeconds = 86_400;
export const preflight: Readonly<Record<string, string>> = {
  ...crossOrigin,
  "access-control-allow-methods": methods,
  "access-control-allow-headers":
    "Accept, Authorization, Content-Type, X-Consul-Token, X-Proconsul-Secret",
  "access-control-max-age": String(preflightSeconds),
};

/** The first of `offered` that an Accept header takes; null when it takes none. None given: the first. */
export function accepted(header: string | undefined, offered: readonly string[]): string | null {
  if (header === undefined || header.trim() === "") return offered[0] ?? null;
  const ranges = header.split(",").map(mediaRange);
  return offered.find((type) => isTaken(type, ranges)) ?? null;
}

/** JSON under the name that the client knows. */
export function acceptedJson(header: string | undefined): string | null {
  return accepted(header, [jsonType, plainJsonType]);
}

interface MediaRange {
  type: string;
  isRefused: boolean;
}

/** RFC 9110 §12.5.1; weights but 0 are all the same for who offers one form. */
function mediaRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const isRefused = parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
  return { type, isRefused };
}

/** The most exact range that names a type decides. */
function isTaken(type: string, ranges: readonly MediaRange[]): boolean {
  const [kind] = type.split("/");
  for (const name of [type, `${kind}/*`, "*/*"]) {
    const range = ranges.find((one) => one.type === name);
    if (range) return !range.isRefused;
  }
  return false;
}

/** Without parameters, in lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

export function refuse(
  status: number,
  text: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(text, {
    status,
    headers: { ...crossOrigin, "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
