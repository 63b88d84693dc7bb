// DNS over HTTPS: RFC 8484 by GET and POST, and the JSON form that many clients speak. Framing only: what a name means
// is decided in core/dns. Caches may keep an answer as long as its smallest TTL, which Consul leaves at 0.

import { Hono } from "hono";

import { decode } from "@leichtgewicht/dns-packet";

import { answerMessage, servfail } from "../src/core/dns/message.ts";
import { jsonAnswer, jsonQuery } from "./json.ts";
import type { DnsSettings } from "../src/core/dns/settings.ts";
import { seededRandom } from "../src/core/lib/random.ts";
import type { Cluster } from "../src/ports/cluster.ts";
import { drive } from "../src/dns-source.ts";

const messageType = "application/dns-message";
const jsonType = "application/dns-json";
const messageBytesMax = 65_535;
const messageBytesMin = 12;

export interface EdgeDnsParts {
  cluster: Cluster;
  settings: DnsSettings;
  /** Node that `_agent` means in prepared queries. */
  agent: string;
  /** "" when it is not known. */
  clientAddress: string;
  nowMs(): number;
  token?: string;
}

/** Answers below the path it is mounted at. */
export function createEdgeDns(partsOf: (request: Request) => EdgeDnsParts): Hono {
  const app = new Hono();
  app.get("/", async ({ req }) => {
    const name = req.query("name");
    if (name !== undefined) return await answerJson(name, req.query("type"), partsOf(req.raw));
    const message = decodeBase64Url(req.query("dns") ?? "");
    if (!message) return refuse(400, "the dns parameter is missing or is not base64url");
    return await answer(message, partsOf(req.raw));
  });
  app.post("/", async ({ req }) => {
    const [type = ""] = (req.header("content-type") ?? "").split(";");
    if (type.trim().toLowerCase() !== messageType) return refuse(415, `expected ${messageType}`);
    if (Number(req.header("content-length") ?? 0) > messageBytesMax)
      return refuse(413, "too large");
    const message = new Uint8Array(await req.arrayBuffer());
    return message.length > messageBytesMax
      ? refuse(413, "too large")
      : await answer(message, partsOf(req.raw));
  });
  app.all("/", () => refuse(405, "GET or POST", { Allow: "GET,POST" }));
  return app;
}

async function answer(message: Uint8Array, parts: EdgeDnsParts): Promise<Response> {
  if (message.length < messageBytesMin) return refuse(400, "the message is too short");
  const reply = await resolveMessage(message, parts);
  if (!reply) return refuse(400, "the message is no query");
  return new Response(reply, {
    headers: { "content-type": messageType, "cache-control": cacheControl(reply) },
  });
}

async function answerJson(
  name: string,
  type: string | undefined,
  parts: EdgeDnsParts,
): Promise<Response> {
  const query = jsonQuery(name, type ?? "A");
  if (!query) return refuse(400, "the name or the type is malformed");
  const reply = await resolveMessage(query, parts);
  if (!reply) return refuse(400, "the name is malformed");
  return new Response(JSON.stringify(jsonAnswer(reply)), {
    headers: { "content-type": jsonType, "cache-control": cacheControl(reply) },
  });
}

async function resolveMessage(
  message: Uint8Array,
  { cluster, settings, agent, clientAddress, nowMs, token }: EdgeDnsParts,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const random = seededRandom(nowMs());
  const nowSeconds = Math.floor(nowMs() / 1_000);
  const context = { settings, random, nowSeconds, clientAddress };
  const options = { consistency: "stale" as const, ...(token === undefined ? {} : { token }) };
  const source = { cluster, agent, options, host: () => Promise.resolve([]) };
  try {
    const reply = await drive(answerMessage(message, "stream", context), source);
    return reply as Uint8Array<ArrayBuffer> | null;
  } catch {
    return servfail(message) as Uint8Array<ArrayBuffer>;
  }
}

/** RFC 8484 §5.1: no longer than the smallest TTL of the answers, or of the negative answer's SOA. */
function cacheControl(reply: Uint8Array): string {
  const { answers = [], authorities = [] } = decode(reply);
  const records = (answers.length > 0 ? answers : authorities) as { ttl?: number }[];
  const ttl = Math.min(...records.map(({ ttl }) => ttl ?? 0));
  return Number.isFinite(ttl) && ttl > 0 ? `max-age=${ttl}` : "no-store";
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

function refuse(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
