// A request as handlers see it: the part of the path that is theirs, the query, the body, the token; and the
// checks that many routes share, each with Consul's text.

import { joinBytes } from "../core/lib/bytes.ts";
import { hexOfAddress } from "../core/lib/ip-address.ts";
import { DecodeError, decodeBody } from "../core/model/decode.ts";
import type { UnknownFieldPolicy } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { limits } from "../core/model/limits.ts";
import type { Type } from "../core/model/schema.ts";
import type { WriteOptions } from "../ports/cluster.ts";
import { malformed } from "./errors.ts";
import type { Query } from "./query.ts";

interface RequestParts {
  raw: Request;
  path: string;
  rest: string;
  query: Query;
  peer?: { readonly remoteAddress?: string | undefined } | undefined;
}

export class ApiRequest {
  /** The platform's request; prefer the members below. */
  readonly raw: Request;
  /** Decoded path. */
  readonly path: string;
  /** What follows the endpoint's own path; "" for endpoints without parameter. */
  readonly rest: string;
  readonly query: Query;
  readonly #peer: { readonly remoteAddress?: string | undefined } | undefined;

  constructor(given: RequestParts) {
    this.raw = given.raw;
    this.path = given.path;
    this.rest = given.rest;
    this.query = given.query;
    this.#peer = given.peer;
  }

  /** Address of the client, which a proxy may tell of; "" when nobody knows. */
  get clientAddress(): string {
    const [forwarded = ""] = this.header("X-Forwarded-For").split(",");
    const told = forwarded.trim();
    if (hexOfAddress(told) !== null) return told;
    return this.#peer?.remoteAddress ?? "";
  }

  /** "" when absent. */
  header(name: string): string {
    return this.raw.headers.get(name) ?? "";
  }

  /** `?token=`, then `X-Consul-Token`, then a bearer; undefined when none is given. */
  get token(): string | undefined {
    const given = this.query.get("token") || this.header("X-Consul-Token");
    if (given !== "") return given;
    const [scheme = "", bearer = ""] = this.header("Authorization").trim().split(/\s+/);
    return scheme.toLowerCase() === "bearer" && bearer !== "" ? bearer : undefined;
  }

  /** Datacenter asked for; undefined for the agent's own. */
  get datacenter(): string | undefined {
    return this.query.get("dc") || undefined;
  }

  /** Options of a write that goes where `?dc=` says. */
  get writeOptions(): WriteOptions {
    const { token, datacenter } = this;
    return {
      ...(token !== undefined && { token }),
      ...(datacenter !== undefined && { dc: datacenter }),
    };
  }

  /** Options of a write that goes to the agent's own datacenter, wherever `?dc=` points. */
  get ownOptions(): WriteOptions {
    const { token } = this;
    return token === undefined ? {} : { token };
  }

  /** The body; ServiceError `too-large` beyond `bytesMax`. */
  async bytes(bytesMax: number, tooLarge?: (bytes: number) => string): Promise<Uint8Array> {
    const refuse = (bytes: number): never => {
      const message =
        tooLarge?.(bytes) ?? `Request body(${bytes} bytes) too large, max size: ${bytesMax} bytes.`;
      throw new ServiceError("too-large", message);
    };
    const declared = this.header("Content-Length");
    if (Number(declared) > bytesMax) refuse(Number(declared));
    // The listener holds a body to its declared length; one without is measured as it comes.
    const body =
      declared === "" && this.raw.body
        ? await bytesUpTo(this.raw.body, bytesMax + 1)
        : new Uint8Array(await this.raw.arrayBuffer());
    return body.length > bytesMax ? refuse(body.length) : body;
  }

  async text(bytesMax: number = limits.bodyBytesMax): Promise<string> {
    return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(
      await this.bytes(bytesMax),
    );
  }

  /** Decodes a JSON body; ServiceError `malformed` with `prefix` and Go's text when it is not one. */
  async decode(type: Type, unknownFields: UnknownFieldPolicy, prefix: string): Promise<unknown> {
    const body = await this.text();
    return decoding(prefix, () => decodeBody(type, body, unknownFields));
  }

  /** {@link rest}, which must not be empty. */
  require(missing: string): string {
    if (this.rest === "") throw malformed(missing);
    return this.rest;
  }

  /** Refuses what only Consul Enterprise has. */
  refuseNamespaces(): void {
    const reason = "Namespaces are a Consul Enterprise feature";
    for (const name of ["ns", "authmethod-ns"]) {
      if (this.query.get(name) === "") continue;
      throw new ServiceError("bad-request", `Invalid query parameter: "${name}" - ${reason}`);
    }
    if (this.header("X-Consul-Namespace") === "") return;
    throw new ServiceError("bad-request", `Invalid header: "X-Consul-Namespace" - ${reason}`);
  }

  /** A query parameter that is a uint64, as text; Go's words when it is not. */
  uint64(name: string): string {
    const given = this.query.get(name);
    const problem = !/^\d+$/.test(given)
      ? "invalid syntax"
      : BigInt(given) >= 2n ** 64n
        ? "value out of range"
        : null;
    if (problem === null) return BigInt(given).toString();
    throw new ServiceError(
      "invalid",
      `strconv.ParseUint: parsing ${JSON.stringify(given)}: ${problem}`,
    );
  }

  /** `node-meta=key:value` pairs; undefined when there are none. */
  get nodeMeta(): Record<string, string> | undefined {
    const given = this.query.getAll("node-meta");
    if (given.length === 0) return undefined;
    return Object.fromEntries(
      given.map((pair) => {
        const [key = "", ...value] = pair.split(":");
        return [key, value.join(":")];
      }),
    );
  }
}

/** What the stream gives, read no further than to `bytesMax`. */
async function bytesUpTo(
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < bytesMax) {
    const { done, value } = await reader.read();
    if (done) break;
    const chunk = value.subarray(0, bytesMax - length);
    chunks.push(chunk);
    length += chunk.length;
  }
  if (length >= bytesMax) await reader.cancel();
  return joinBytes(chunks);
}

/** Runs a decoder; what it refuses is a malformed request. */
export function decoding<Value>(prefix: string, decode: () => Value): Value {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) throw malformed(prefix + error.message);
    throw error;
  }
}

const booleans: Record<string, boolean> = {
  ...Object.fromEntries(["1", "t", "T", "true", "TRUE", "True"].map((each) => [each, true])),
  ...Object.fromEntries(["0", "f", "F", "false", "FALSE", "False"].map((each) => [each, false])),
};

/** Go's `strconv.ParseBool`; undefined for anything else. */
export function parseBoolean(given: string): boolean | undefined {
  return Object.hasOwn(booleans, given) ? booleans[given] : undefined;
}
