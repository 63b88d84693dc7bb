// Request targets as Go's multiplexer sees them: matched on their decoded form, and redirected to a clean one before
// anything else looks at them. `new URL` folds dots, so listeners have to ask here first, with what was sent.

import { decodePercent } from "../core/lib/percent.ts";

/** What needs no closer look. */
export const plainPath = /^[\w/.~:@-]*$/;
const unclean = /\/\/|\/\.\.?(?:\/|$)/;

export function isUnclean(path: string): boolean {
  return unclean.test(path);
}

/** Where a target (`/path?query`, as sent) should have gone; null when its path is clean or cannot be decoded. */
export function cleanTarget(target: string): string | null {
  const { path, query } = splitTarget(target);
  // Every way to write a dot segment has one of these.
  if (!path.includes("/.") && !path.includes("%") && !path.includes("//")) return null;
  if (/%(?![\da-fA-F]{2})/.test(path)) return null;
  const decoded = path.includes("%") ? decodePercent(path) : path;
  return isUnclean(decoded) ? locationOf(cleanPath(decoded), query) : null;
}

/** A decoded path and a raw query as the value of a Location header. */
export function locationOf(path: string, query: string): string {
  return encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23") + (query && `?${query}`);
}

/** Go's `path.Clean`, keeping a final slash. */
export function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(part);
  }
  return `/${kept.join("/")}${path.endsWith("/") && kept.length > 0 ? "/" : ""}`;
}

/** What Go answers with 301: only who reads is told of a type, and only a GET gets a body. */
export function moved(
  method: string | undefined,
  location: string,
): { headers: Record<string, string>; body: string | null } {
  const headers: Record<string, string> = { Location: location };
  if (method === "GET" || method === "HEAD") headers["Content-Type"] = "text/html; charset=utf-8";
  return { headers, body: method === "GET" ? movedBody(location) : null };
}

function movedBody(location: string): string {
  const escaped = location
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll('"', "&#34;");
  return `<a href="${escaped}">Moved Permanently</a>.\n\n`;
}

export function splitTarget(target: string): { path: string; query: string } {
  const end = target.search(/[?#]/);
  if (end < 0) return { path: target, query: "" };
  return { path: target.slice(0, end), query: target[end] === "?" ? target.slice(end + 1) : "" };
}
