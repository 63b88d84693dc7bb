// The JSON form of DNS over HTTPS (`?name=…&type=…`), as public resolvers answer it.

import { decode, encode } from "@leichtgewicht/dns-packet";
import { toString as typeName, toType } from "@leichtgewicht/dns-packet/types.js";

const nameLengthMax = 253;
const typeNumberMax = 65_535;
const truncatedFlag = 1 << 9;
const recursionDesiredFlag = 1 << 8;
const recursionAvailableFlag = 1 << 7;

interface WireRecord {
  name: string;
  type: string;
  ttl?: number;
  data?: unknown;
}

/** A query message for a name and a type given as a word or a number; null when either is malformed. */
export function jsonQuery(name: string, type: string): Uint8Array | null {
  const bare = name.replace(/\.$/, "");
  const labels = bare.split(".");
  if (bare.length > nameLengthMax || labels.some((label) => label === "" || label.length > 63)) {
    return null;
  }
  const word = /^\d+$/.test(type) ? wordOf(Number(type)) : type.toUpperCase();
  if (word === null || toType(word) === 0) return null;
  const questions = [{ name: bare, type: word }];
  return encode({ type: "query", id: 0, flags: recursionDesiredFlag, questions });
}

function wordOf(type: number): string | null {
  return type > 0 && type <= typeNumberMax ? typeName(type) : null;
}

export function jsonAnswer(reply: Uint8Array): object {
  const packet = decode(reply);
  const flags = packet.flags ?? 0;
  const questions = (packet.questions ?? []) as WireRecord[];
  const answers = (packet.answers ?? []) as unknown as WireRecord[];
  const authorities = (packet.authorities ?? []) as unknown as WireRecord[];
  return {
    Status: flags & 15,
    TC: (flags & truncatedFlag) !== 0,
    RD: (flags & recursionDesiredFlag) !== 0,
    RA: (flags & recursionAvailableFlag) !== 0,
    AD: false,
    CD: false,
    Question: questions.map(({ name, type }) => ({ name: `${name}.`, type: toType(type) })),
    ...(answers.length > 0 ? { Answer: answers.map(jsonRecord) } : {}),
    ...(authorities.length > 0 ? { Authority: authorities.map(jsonRecord) } : {}),
  };
}

function jsonRecord({ name, type, ttl, data }: WireRecord): object {
  return { name: `${name}.`, type: toType(type), TTL: ttl ?? 0, data: presentation(type, data) };
}

/** A record's data as zone files write it. */
function presentation(type: string, data: unknown): string {
  if (type === "SRV") {
    const { priority, weight, port, target } = data as Record<string, string | number>;
    return `${priority} ${weight} ${port} ${target}.`;
  }
  if (type === "SOA") {
    const soa = data as Record<string, string | number>;
    const times = [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum].join(" ");
    return `${soa.mname}. ${soa.rname}. ${times}`;
  }
  if (type === "TXT") return (Array.isArray(data) ? data : [data]).map(textOf).join(" ");
  if (type === "CNAME" || type === "PTR" || type === "NS") return `${String(data)}.`;
  return String(data);
}

function textOf(data: unknown): string {
  const text = data instanceof Uint8Array ? new TextDecoder().decode(data) : String(data);
  return JSON.stringify(text);
}
