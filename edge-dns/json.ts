// The JSON form of an answer (`application/dns-json`), with the fields of public resolvers.

import { decode, enc } from "@leichtgewicht/dns-packet";
import { toType } from "@leichtgewicht/dns-packet/types.js";

import { addressOfHex } from "../src/core/dns/address.ts";

const truncatedFlag = 1 << 9;
const recursionDesiredFlag = 1 << 8;
const recursionAvailableFlag = 1 << 7;
const authenticDataFlag = 1 << 5;
const checkingDisabledFlag = 1 << 4;
const clientSubnetOption = 8;
/** Hex digits of an address by the number of its family. */
const addressDigits: Readonly<Record<number, number>> = { 1: 8, 2: 32 };

interface WireRecord {
  name: string;
  type: string;
  ttl?: number;
  data?: unknown;
  options?: { code: number | string; data?: Uint8Array }[];
}

/** Throws for what is no message. */
export function jsonAnswer(reply: Uint8Array): object {
  const packet = decode(reply);
  const flags = packet.flags ?? 0;
  const questions = records(packet.questions);
  const additionals = records(packet.additionals);
  const subnet = clientSubnet(additionals.find(({ type }) => type === "OPT"));
  return {
    Status: flags & 15,
    TC: (flags & truncatedFlag) !== 0,
    RD: (flags & recursionDesiredFlag) !== 0,
    RA: (flags & recursionAvailableFlag) !== 0,
    AD: (flags & authenticDataFlag) !== 0,
    CD: (flags & checkingDisabledFlag) !== 0,
    Question: questions.map(({ name, type }) => ({ name: dotted(name), type: toType(type) })),
    ...section("Answer", records(packet.answers)),
    ...section("Authority", records(packet.authorities)),
    ...section(
      "Additional",
      additionals.filter(({ type }) => type !== "OPT"),
    ),
    ...(subnet !== null && { edns_client_subnet: subnet }),
  };
}

function records(list: unknown): WireRecord[] {
  return (list ?? []) as WireRecord[];
}

function section(name: string, list: WireRecord[]): object {
  return list.length > 0 ? { [name]: list.map(jsonRecord) } : {};
}

function jsonRecord({ name, type, ttl, data }: WireRecord): object {
  return { name: dotted(name), type: toType(type), TTL: ttl ?? 0, data: presentation(type, data) };
}

function dotted(name: string): string {
  return name.endsWith(".") ? name : `${name}.`;
}

/** `192.0.2.0/24/0`: the subnet, and how much of it the answer depends on. */
function clientSubnet(opt: WireRecord | undefined): string | null {
  const content = opt?.options?.find(({ code }) => Number(code) === clientSubnetOption)?.data;
  if (!content || content.length < 4) return null;
  const [, family = 0, source, scope, ...address] = content;
  const hex = address.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const text = addressOfHex(hex.padEnd(addressDigits[family] ?? 0, "0"));
  return text === null ? null : `${text}/${source}/${scope}`;
}

/** A record's data as zone files write it. */
function presentation(type: string, data: unknown): string {
  const fields = data as Record<string, string | number>;
  switch (type) {
    case "A":
    case "AAAA":
      return String(data);
    case "SRV":
      return [fields.priority, fields.weight, fields.port, dotted(`${fields.target}`)].join(" ");
    case "SOA": {
      const { serial, refresh, retry, expire, minimum } = fields;
      const names = [dotted(`${fields.mname}`), dotted(`${fields.rname}`)];
      return [...names, serial, refresh, retry, expire, minimum].join(" ");
    }
    case "MX":
      return `${fields.preference} ${dotted(`${fields.exchange}`)}`;
    case "TXT":
      return (Array.isArray(data) ? data : [data]).map(textOf).join(" ");
    case "CNAME":
    case "DNAME":
    case "PTR":
    case "NS":
      return dotted(String(data));
    default:
      return unknownData(type, data);
  }
}

function textOf(data: unknown): string {
  const text = data instanceof Uint8Array ? new TextDecoder().decode(data) : String(data);
  return JSON.stringify(text);
}

/** RFC 3597 §5: what has no form of its own here, as bytes. */
function unknownData(type: string, data: unknown): string {
  const codec = enc(type) as unknown as { encode(data: unknown): Uint8Array };
  const bytes = codec.encode(data).subarray(2);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `\\# ${bytes.length} ${hex}`.trimEnd();
}
