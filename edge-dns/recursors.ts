// Names that are not ours, asked elsewhere over HTTPS (RFC 8484): each resolver in turn, until one gives an answer or
// says that the name does not exist, as a host agent does it with its recursors.

import { decode, encode } from "@leichtgewicht/dns-packet";

import { servfail } from "../src/core/dns/message.ts";
import type { DnsRecord } from "../src/core/dns/records.ts";
import { joinBytes } from "../src/core/lib/bytes.ts";
import { mediaType, messageType } from "./headers.ts";

const messageBytesMax = 65_535;
const headerBytes = 12;
const rcodeNoError = 0;
const rcodeNameError = 3;
const recursionDesired = 0x100;
const recursionAvailable = 0x80;

export interface RecursorParts {
  /** `https:` URLs, in the order in which they are asked. */
  urls: readonly string[];
  timeoutMs: number;
  fetch(request: Request): Promise<Response>;
  /** One line, without anything secret. */
  log(line: string): void;
}

export interface Forwarded {
  message: Uint8Array;
  /** Seconds that it has lain in caches: to be told on, because TTLs count from when it was made. */
  ageSeconds: number;
}

export class HttpsRecursors {
  readonly #parts: RecursorParts;

  constructor(parts: RecursorParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#parts.urls.length;
  }

  /** The answer of the first that knows, or SERVFAIL with "recursion available" as Consul says it. */
  async forward(message: Uint8Array): Promise<Forwarded> {
    for (const url of this.#parts.urls) {
      try {
        return await this.#ask(url, message);
      } catch (failure) {
        // Keys of resolvers are in their paths.
        const why = failure instanceof Error ? failure.message : String(failure);
        this.#parts.log(`DNS recursor ${new URL(url).origin} gave no answer: ${why}`);
      }
    }
    const failure = servfail(message);
    failure[3] = (failure[3] ?? 0) | recursionAvailable;
    return { message: failure, ageSeconds: 0 };
  }

  /** Addresses of a host; none when nobody knows. */
  async addresses(name: string): Promise<DnsRecord[]> {
    if (this.count === 0) return [];
    const questions = [{ name, type: "A" }];
    const query = encode({ type: "query", id: 0, flags: recursionDesired, questions });
    const reply = decode((await this.forward(query)).message);
    return ((reply.answers ?? []) as unknown as DnsRecord[])
      .filter(({ type }) => type === "A" || type === "AAAA" || type === "CNAME")
      .map(({ name: owner, type, ttl, data }) => ({ name: owner, type, ttl, data }));
  }

  /** Throws when it does not answer this, in time, with something that can be passed on. */
  async #ask(url: string, message: Uint8Array): Promise<Forwarded> {
    const asked = Uint8Array.from(message);
    // §4.1: equal questions are equal requests.
    asked.fill(0, 0, 2);
    const response = await this.#parts.fetch(
      new Request(url, {
        method: "POST",
        body: asked,
        headers: { accept: messageType, "content-type": messageType },
        redirect: "manual",
        signal: AbortSignal.timeout(this.#parts.timeoutMs),
      }),
    );
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    if (mediaType(response.headers.get("content-type") ?? undefined) !== messageType) {
      throw new Error("it answered something else than a DNS message");
    }
    const reply = await boundedBytes(response.body, messageBytesMax);
    if (!reply || !answers(reply, message)) throw new Error("it answered something else");
    reply.set(message.subarray(0, 2));
    const age = Number(response.headers.get("age") ?? 0);
    return { message: reply, ageSeconds: Number.isInteger(age) && age > 0 ? age : 0 };
  }
}

/** Whether a reply can be read, is one to this question, and says something. */
function answers(reply: Uint8Array, message: Uint8Array): boolean {
  if (reply.length < headerBytes || ((reply[2] ?? 0) & 0x80) === 0) return false;
  const rcode = (reply[3] ?? 0) & 15;
  if (rcode !== rcodeNoError && rcode !== rcodeNameError) return false;
  const [asked] = decode(message).questions ?? [];
  const [answered] = decode(reply).questions ?? [];
  return (
    asked !== undefined &&
    answered !== undefined &&
    asked.type === answered.type &&
    asked.name.toLowerCase() === answered.name.toLowerCase()
  );
}

/** All of a body; null when it is longer. */
export async function boundedBytes(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > bytesMax) {
      await reader.cancel();
      return null;
    }
    chunks.push(part.value);
  }
  return joinBytes(chunks);
}
