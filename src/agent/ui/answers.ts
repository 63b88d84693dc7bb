// Answers of an agent's HTTP port below the UI's path: our own web UI, or files of a directory that the user names.

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

import {
  pageAt,
  uiAbsent,
  uiAbsentHeaders,
  uiFile,
  uiHeaders,
  type UiFile,
} from "../../ui-files.ts";
import { acceptsGzip } from "../../api/endpoint.ts";
import type { UiFiles } from "./bundle.ts";

/** Answers a request for what is at `rest` below the UI's path, decoded. */
export type UiAnswers = (request: Request, rest: string) => Promise<Response>;

interface Prepared {
  contents: Uint8Array;
  etag: string;
  zipped: Uint8Array;
}

/** Our own, below `contentPath`. */
export function ownUi(files: UiFiles, contentPath: string): UiAnswers {
  const page = new TextDecoder().decode(files.get("index.html"));
  const own = new TextEncoder().encode(pageAt(page, contentPath));
  // One for each file at most.
  const known = new WeakMap<Uint8Array, Prepared>();
  return (request, rest) => {
    const file = uiFile(rest);
    const contents = file.kind === "page" ? own : files.get(file.file);
    if (contents === undefined) return Promise.resolve(absent(request));
    const prepared = known.get(contents) ?? prepare(contents);
    known.set(contents, prepared);
    return Promise.resolve(answer(request, file, prepared));
  };
}

function prepare(contents: Uint8Array): Prepared {
  const hash = createHash("sha256").update(contents).digest("base64url");
  return { contents, etag: `"${hash.slice(0, 22)}"`, zipped: gzipSync(contents) };
}

function answer(request: Request, file: UiFile, { contents, etag, zipped }: Prepared): Response {
  const headers: Record<string, string> = {
    ...uiHeaders(file),
    ETag: etag,
    Vary: "Accept-Encoding",
  };
  if (request.headers.get("If-None-Match") === etag) {
    return new Response(null, { status: 304, headers });
  }
  const zips = acceptsGzip(request);
  if (zips) headers["Content-Encoding"] = "gzip";
  const body = (zips ? zipped : contents) as Uint8Array<ArrayBuffer>;
  headers["Content-Length"] = String(body.length);
  return new Response(request.method === "HEAD" ? null : body, { headers });
}

function absent({ method }: Request): Response {
  return new Response(method === "HEAD" ? null : uiAbsent, {
    status: 404,
    headers: uiAbsentHeaders,
  });
}

/** As Consul does with `ui_dir`: its files as they are, and its `index.html` for everything else. */
export function directoryUi(directory: string): UiAnswers {
  return async (request, rest) => {
    // A path of Go's multiplexer has no dots any more, and neither has what this makes of one.
    const wanted = join(directory, normalize(`/${rest}`));
    const isFile = (await stat(wanted).catch(() => null))?.isFile() === true;
    const path = isFile ? wanted : join(directory, "index.html");
    const contents = await readFile(path).catch(() => null);
    if (!contents) return absent(request);
    const headers = {
      "Content-Type": typeOf(path),
      "Content-Length": String(contents.length),
      "X-Content-Type-Options": "nosniff",
    };
    return new Response(request.method === "HEAD" ? null : contents, { headers });
  };
}

const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  gif: "image/gif",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webp: "image/webp",
  woff2: "font/woff2",
};

function typeOf(path: string): string {
  return types[path.slice(path.lastIndexOf(".") + 1).toLowerCase()] ?? "application/octet-stream";
}
