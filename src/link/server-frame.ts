// What a server says over a link, held against its shape before anything believes it: an agent outlives whatever its
// server sends.

import { isRecord } from "../core/lib/record.ts";
import type { Hello, LinkReply, ServerFrame } from "./protocol.ts";

/** Throws SyntaxError or TypeError on anything that is no frame of a server. */
export function decodeServerFrame(frame: string): ServerFrame {
  const end = frame.indexOf("\n");
  const head: unknown = JSON.parse(end < 0 ? frame : frame.slice(0, end));
  if (!isRecord(head)) throw new TypeError("a frame is an object");
  if ("hello" in head) return { hello: helloOf(head.hello) };
  if (!Array.isArray(head.replies)) throw new TypeError("a frame greets or replies");
  const replies = (head.replies as unknown[]).map(replyOf);
  let at = end < 0 ? frame.length : end + 1;
  for (const reply of replies) {
    if (!("body" in reply) || reply.body === null) continue;
    const length = reply.body as unknown;
    const isLength = Number.isSafeInteger(length) && Number(length) >= 0;
    if (!isLength || at + Number(length) > frame.length) throw new TypeError("a body is missing");
    reply.body = frame.slice(at, at + Number(length));
    at += Number(length);
  }
  return { replies };
}

function helloOf(value: unknown): Hello {
  if (!isRecord(value)) throw new TypeError("a hello is an object");
  const { version, incarnation, serverName, servers, reconnectSpreadMs: spreadMs } = value;
  const areNumbers = [version, incarnation, spreadMs].every((one) => Number.isFinite(one));
  const areTexts = Array.isArray(servers) && [serverName, ...(servers as unknown[])].every(isText);
  if (!areNumbers || !areTexts || Number(spreadMs) < 0)
    throw new TypeError("a hello lacks a field");
  return value as unknown as Hello;
}

function replyOf(value: unknown): LinkReply {
  if (!isRecord(value) || !Number.isSafeInteger(value.id)) throw new TypeError("a reply has no id");
  const { error, index } = value;
  const isError = isRecord(error) && isText(error.code) && isText(error.message);
  const isRead = Number.isFinite(index) && "body" in value;
  if (!isError && !isRead && !("value" in value)) throw new TypeError("a reply says nothing");
  return value as unknown as LinkReply;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
