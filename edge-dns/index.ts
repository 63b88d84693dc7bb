// DNS over HTTPS: RFC 8484 by GET and POST, and the JSON form that public resolvers speak. Framing only: what a name
// means is decided in core/dns. Caches may keep an answer as long as its smallest TTL, which Consul leaves at 0.

import { Hono } from "hono";

import { type EdgeDnsParts, exchange } from "./exchange.ts";
import {
  accepted,
  acceptedJson,
  crossOrigin,
  mediaType,
  messageType,
  methods,
  preflight,
  refuse,
} from "./headers.ts";
import { jsonAnswer } from "./json.ts";
import { jsonQuery } from "./json-query.ts";
import { cacheControl, lifetimeSeconds } from "./lifetime.ts";
import { boundedBytes } from "./recursors.ts";

export type { EdgeDnsParts } from "./exchange.ts";

const messageBytesMax = 65_535;
const messageBytesMin = 12;
const base64BytesMax = Math.ceil((messageBytesMax * 4) / 3);

/** Answers below the path it is mounted at. */
export function createEdgeDns(partsOf: (request: Request) => EdgeDnsParts): Hono {
  const app = new Hono();
  // HEAD is asked here, too, and goes without the body.
  app.get("/", async ({ req }) => {
    const given = req.query("dns");
    if (given === undefined && req.query("name") !== undefined) {
      return await answerJson(req.raw, partsOf(req.raw));
    }
    if ((given ?? "").length > base64BytesMax) return refuse(414, "the dns parameter is too long");
    const message = decodeBase64Url(given ?? "");
    if (!message) return refuse(400, "the dns parameter is missing or is not base64url");
    return await answer(message, req.raw, partsOf(req.raw));
  });
  app.post("/", async ({ req }) => {
    const coding = (req.header("content-encoding") ?? "identity").trim().toLowerCase();
    if (coding !== "identity")
      return refuse(415, "no coding is taken", { "accept-encoding": "identity" });
    if (mediaType(req.header("content-type")) !== messageType) {
      return refuse(415, `expected ${messageType}`, { accept: messageType });
    }
    if (Number(req.header("content-length") ?? 0) > messageBytesMax)
      return refuse(413, "too large");
    const message = await boundedBytes(req.raw.body, messageBytesMax);
    if (!message) return refuse(413, "too large");
    return await answer(message, req.raw, partsOf(req.raw));
  });
  app.options(
    "/",
    () => new Response(null, { status: 204, headers: { ...preflight, allow: methods } }),
  );
  app.all("/", () => refuse(405, methods, { allow: methods }));
  return app;
}

async function answer(
  message: Uint8Array,
  { headers }: Request,
  parts: EdgeDnsParts,
): Promise<Response> {
  if (accepted(headers.get("accept") ?? undefined, [messageType]) === null) {
    return refuse(406, `answers are ${messageType}`);
  }
  if (message.length < messageBytesMin) return refuse(400, "the message is too short");
  const found = await exchange(message, parts);
  if (!found) return refuse(400, "the message is no query");
  return new Response(found.reply, { headers: headersOf(messageType, found) });
}

async function answerJson({ url, headers }: Request, parts: EdgeDnsParts): Promise<Response> {
  const type = acceptedJson(headers.get("accept") ?? undefined);
  if (type === null) return refuse(406, "answers about a name are application/dns-json");
  const query = jsonQuery(new URL(url).searchParams);
  if (typeof query === "string") return refuse(400, query);
  const found = await exchange(query, parts);
  if (!found) return refuse(400, "the name is malformed");
  return new Response(JSON.stringify(jsonAnswer(found.reply)), {
    headers: { ...headersOf(type, found), vary: "Accept" },
  });
}

function headersOf(
  type: string,
  { reply, isPrivate, ageSeconds }: { reply: Uint8Array; isPrivate: boolean; ageSeconds: number },
): Record<string, string> {
  return {
    ...crossOrigin,
    "content-type": type,
    "cache-control": cacheControl(lifetimeSeconds(reply), isPrivate),
    ...(ageSeconds > 0 && { age: String(ageSeconds) }),
  };
}

function decodeBase64Url(text: string): Uint8Array | null {
  if (text === "" || !/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
