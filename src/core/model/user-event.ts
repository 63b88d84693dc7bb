// User events: something that somebody says to every agent of a datacenter at once. Best effort, small, and in no
// order but that of a Lamport clock (semantics §8).

import { ServiceError } from "./errors.ts";
import { compileRegExp, RegExpFault } from "../lib/regexp.ts";
import { encode, integer, text } from "./schema.ts";
import type { StructType } from "./schema.ts";
import type { Base64Text } from "./types.ts";

export interface UserEvent {
  /** A random UUID. */
  ID: string;
  Name: string;
  /** "" for none. */
  Payload: Base64Text;
  /** Unanchored regular expressions of the agents that it is for; "" for all. */
  NodeFilter: string;
  ServiceFilter: string;
  TagFilter: string;
  Version: number;
  /** 0 until a pool has taken it. */
  LTime: number;
}

export const userEventVersion = 1;

/** As many events as an agent shows, and as many ticks of the clock as an event may be late. */
export const eventWindow = 256;

export const userEventSchema = {
  kind: "struct",
  goName: "agent.UserEvent",
  fields: {
    ID: text,
    Name: text,
    Payload: { type: { kind: "bytes" } },
    NodeFilter: text,
    ServiceFilter: text,
    TagFilter: text,
    Version: integer,
    LTime: integer,
  },
} as const satisfies StructType;

export function encodeEvents(events: readonly UserEvent[]): string {
  return `[${events.map((event) => encode(userEventSchema, event)).join(",")}]`;
}

/** Throws ServiceError, in Consul's order and words. */
export function validateEvent(event: UserEvent): void {
  if (event.TagFilter !== "" && event.ServiceFilter === "") {
    throw new ServiceError("invalid", "Cannot provide tag filter without service filter");
  }
  checkFilter("node", event.NodeFilter);
  checkFilter("service", event.ServiceFilter);
  checkFilter("tag", event.TagFilter);
}

function checkFilter(what: string, pattern: string): void {
  try {
    if (pattern !== "") compileRegExp(pattern);
  } catch (failure) {
    if (!(failure instanceof RegExpFault)) throw failure;
    const text = `Invalid ${what} filter: error parsing regexp: ${failure.message}`;
    throw new ServiceError("invalid", text);
  }
}

/** Whether what came over a wire is an event: a pool that is broken must not break its agents. */
export function isUserEvent(value: unknown): value is UserEvent {
  const event = (value ?? {}) as Record<string, unknown>;
  return Object.entries(userEventSchema.fields).every(([name, { type }]) =>
    type.kind === "integer" ? Number.isSafeInteger(event[name]) : typeof event[name] === "string",
  );
}

// What it takes on Consul's wire, which is what its limit is about.

const wireBytesMax = 512;
const wirePrefix = "consul:event:";
const encoder = new TextEncoder();

/**
 * Why an event with this Lamport time is too large, in Serf's words; null when it is not. Sizes are those of Consul's
 * own encoding, so that an event that fits here fits there.
 */
export function eventSizeProblem(event: UserEvent): string | null {
  const name = wirePrefix.length + bytesOf(event.Name);
  const payload = payloadBytes(event);
  if (name + payload > wireBytesMax) {
    return `user event exceeds configured limit of ${wireBytesMax} bytes before encoding`;
  }
  // A type, and a map of LTime, Name, Payload and CC.
  const fields = 6 + unsignedBytes(event.LTime) + 5 + oldText(name) + 8 + oldText(payload) + 3 + 1;
  if (2 + fields > wireBytesMax) {
    return `encoded user event exceeds configured limit of ${wireBytesMax} bytes after encoding`;
  }
  return null;
}

/** A map of ID, n, v, and what there is of p, nf, sf and tf. */
function payloadBytes(event: UserEvent): number {
  const data = base64Bytes(event.Payload);
  const optional = [event.NodeFilter, event.ServiceFilter, event.TagFilter]
    .filter((filter) => filter !== "")
    .reduce((sum, filter) => sum + 3 + text8(bytesOf(filter)), 0);
  const binary = data === 0 ? 0 : 2 + (data < 256 ? 2 : 3) + data;
  return 1 + 3 + text8(bytesOf(event.ID)) + 2 + text8(bytesOf(event.Name)) + binary + optional + 3;
}

/** Text with its length in MessagePack, which has a short form for up to 31 bytes, and one for up to 255. */
function text8(bytes: number): number {
  return bytes + (bytes < 32 ? 1 : bytes < 256 ? 2 : 3);
}

/** The same as it was before there was the second form. */
function oldText(bytes: number): number {
  return bytes + (bytes < 32 ? 1 : 3);
}

function unsignedBytes(value: number): number {
  if (value < 128) return 1;
  if (value < 256) return 2;
  if (value < 65_536) return 3;
  return value < 2 ** 32 ? 5 : 9;
}

function bytesOf(value: string): number {
  return encoder.encode(value).length;
}

function base64Bytes(value: Base64Text): number {
  return (value.replace(/=+$/, "").length * 3) >> 2;
}

/** The index of a list whose last event has this id: the halves of the UUID, one against the other; decimal text. */
export function eventIndex(id: string): string {
  const digits = id.replaceAll("-", "");
  return (BigInt(`0x${digits.slice(0, 16)}`) ^ BigInt(`0x${digits.slice(16)}`)).toString();
}
