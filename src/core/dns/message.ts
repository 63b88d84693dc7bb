// A DNS message in, a DNS message out: framing around the resolver, with sizes, truncation and EDNS (Consul's DNS
// rules, §3). Queries are read by a library; replies are written by encode.ts.

import * as codec from "@leichtgewicht/dns-packet";

import { assert } from "../lib/assert.ts";
import { addressOfHex } from "./address.ts";
import { encodeReply, isWritableName, messageBytesMax, plainEdns, type Reply } from "./encode.ts";
import type { Found, Need } from "./needs.ts";
import {
  type Answer,
  type DnsRecord,
  emptyAnswer,
  type Rcode,
  type RecordType,
  type SrvData,
} from "./records.ts";
import type { ResolveContext } from "./context.ts";
import { resolve } from "./resolve.ts";

/**
 * `stream`: TCP, without the limits of a datagram. `encrypted`: TLS and HTTPS, which Consul does not have, the same and
 * as their RFCs want it: padded for who pads, never truncated, EDNS held to its version.
 */
export type DnsTransport = "datagram" | "stream" | "encrypted";

const datagramBytesMax = 512;
/** Room that Consul leaves in a reply without EDNS. */
const sizeReserveBytes = 7;
const datagramAnswersMax = 8;
const streamAnswersMax = 4_096;
const streamServersMax = 1_024;
const headerBytes = 12;
const typeAndClassBytes = 4;
const labelBytesMax = 63;
const dot = 0x2e;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const authoritativeFlag = 1 << 10;
const truncatedFlag = 1 << 9;
const recursionDesiredFlag = 1 << 8;
const recursionAvailableFlag = 1 << 7;
const responseFlag = 1 << 15;
const checkingDisabledFlag = 1 << 4;
const authenticDataFlag = 1 << 5;
const classInternet = 1;
const classAny = 255;
const clientSubnetOption = 8;
const paddingOption = 12;
/** RFC 8467 §4.1: what a reply is padded to a multiple of. */
const paddingBlockBytes = 468;
/** BADVERS, 16, without the four bits that the header holds. */
const badVersionExtension = 1;
/** Behind the family; then the scope's prefix, then the address, as many bytes as the prefix needs. */
const subnetSourceAt = 2;
const subnetScopeAt = 3;
const subnetAddressAt = 4;
/** Bytes of an address by the number of its family. */
const addressBytesOf: Readonly<Record<number, number>> = { 1: 4, 2: 16 };

/** Types whose content is a name. */
const pointingTypes: ReadonlySet<RecordType> = new Set(["CNAME", "PTR", "NS"]);

const rcodes: Record<Rcode, number> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
};

interface EdnsOption {
  code: number | string;
  data?: Uint8Array;
}

interface EdnsRecord {
  type: string;
  udpPayloadSize?: number;
  ednsVersion?: number;
  flag_do?: boolean;
  options?: EdnsOption[];
}

interface Query {
  id: number;
  name: string;
  type: string;
  /** As it came, class included. */
  question: Uint8Array;
  class: number;
  recursionDesired: boolean;
  checkingDisabled: boolean;
  /** UDP size the client announced; null when it does not speak EDNS. */
  ednsBytes: number | null;
  /** Of which there may be one (RFC 6891 §6.1.1); Consul takes any number. */
  ednsRecords: number;
  ednsVersion: number;
  /** It would take signatures. */
  dnssecOk: boolean;
  isPadded: boolean;
  /** The content of the option, RFC 7871 §6. */
  clientSubnet: Uint8Array | null;
}

/** `clientAddress`: of who sent the message, unless that asks for a subnet. */
export type MessageContext = Omit<ResolveContext, "edns">;

/** Yields what the resolver needs; returns the reply, or null for what deserves none. */
export function* answerMessage(
  message: Uint8Array,
  transport: DnsTransport,
  context: MessageContext,
): Generator<Need, Uint8Array | null, Found> {
  if (message.length < headerBytes || isResponse(message)) return null;
  const query = decodeQuery(message);
  if (typeof query === "string") return headerOnly(message, query);
  if (transport === "encrypted") {
    if (query.ednsRecords > 1) return headerOnly(message, "FORMERR");
    if (query.ednsVersion > 0) return badVersion(query);
    if (query.class !== classInternet && query.class !== classAny) {
      const refused = { ...emptyAnswer("REFUSED"), authoritative: false };
      return fittingReply(query, refused, transport, context);
    }
  }
  const edns = query.ednsBytes !== null;
  const clientAddress = addressOfSubnet(query.clientSubnet) ?? context.clientAddress;
  const answer = yield* resolve(query, { ...context, edns, clientAddress });
  if (!answer.authoritative && context.settings.hasRecursors) {
    const found = yield { need: "recursion" };
    if ("message" in found) return found.message;
  }
  return fittingReply(query, writable(answer, query.name), transport, context);
}

/** Whether the message is a reply itself, which must never be answered. */
export function isResponse(message: Uint8Array): boolean {
  return ((message[2] ?? 0) & 0x80) !== 0;
}

/** A reply that says SERVFAIL, for when resolving itself broke. */
export function servfail(message: Uint8Array): Uint8Array {
  return headerOnly(message, "SERVFAIL");
}

/** The question of a message, or the rcode that answers it at once. */
export function decodeQuery(message: Uint8Array): Query | Rcode {
  const opcode = ((message[2] ?? 0) >> 3) & 15;
  if (opcode !== 0) return "NOTIMP";
  let packet: ReturnType<typeof codec.decode>;
  try {
    packet = codec.decode(message);
  } catch {
    return "FORMERR";
  }
  const [question] = packet.questions ?? [];
  const questionEnd = endOfQuestion(message);
  if (!question || packet.questions?.length !== 1 || questionEnd === null) return "FORMERR";
  const additionals = packet.additionals as unknown as EdnsRecord[];
  const [opt, ...otherOpts] = additionals.filter(({ type }) => type === "OPT");
  const optionAt = (wanted: number): EdnsOption | undefined =>
    opt?.options?.find(({ code }) => Number(code) === wanted);
  return {
    id: packet.id ?? 0,
    name: question.name === "." ? "" : question.name,
    type: question.type.toUpperCase(),
    question: message.slice(headerBytes, questionEnd),
    class: ((message[questionEnd - 2] ?? 0) << 8) | (message[questionEnd - 1] ?? 0),
    recursionDesired: ((packet.flags ?? 0) & recursionDesiredFlag) !== 0,
    checkingDisabled: ((packet.flags ?? 0) & checkingDisabledFlag) !== 0,
    ednsBytes: opt?.udpPayloadSize ?? null,
    ednsRecords: opt ? 1 + otherOpts.length : 0,
    ednsVersion: opt?.ednsVersion ?? 0,
    dnssecOk: opt?.flag_do ?? false,
    isPadded: optionAt(paddingOption) !== undefined,
    clientSubnet: optionAt(clientSubnetOption)?.data ?? null,
  };
}

/**
 * Where the question ends; null when the message ends before, or when its name does not survive being text, which the
 * library makes of labels joined by dots: one that holds a dot or is no UTF-8 would come back as another name, or none.
 */
function endOfQuestion(message: Uint8Array): number | null {
  let at = headerBytes;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    if (length > labelBytesMax) return null; // a pointer: there is nothing before to point at
    const label = message.subarray(at + 1, at + 1 + length);
    if (label.includes(dot) || !isUtf8(label)) return null;
    at += 1 + length;
  }
  const end = at + 1 + typeAndClassBytes;
  return end <= message.length ? end : null;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    return strictUtf8.decode(bytes).length > 0;
  } catch {
    return false;
  }
}

function headerOnly(message: Uint8Array, rcode: Rcode): Uint8Array {
  const reply = new Uint8Array(headerBytes);
  reply.set(message.subarray(0, 2));
  // Response, the opcode and "recursion desired" as they came.
  reply[2] = 0x80 | ((message[2] ?? 0) & 0x79);
  reply[3] = ((message[3] ?? 0) & (authenticDataFlag | checkingDisabledFlag)) | rcodes[rcode];
  return reply;
}

/** RFC 6891 §6.1.3: which version is spoken here, and nothing else. */
function badVersion(query: Query): Uint8Array {
  const { id, question, name: questionName } = query;
  const edns = { ...plainEdns, extendedRcode: badVersionExtension };
  const nothing = { answers: [], authorities: [], additionals: [] };
  const flags = responseFlag | echoedFlags(query);
  const reply = { id, flags, question, questionName, ...nothing, edns };
  const message = encodeReply(reply, { compress: true, bytesMax: messageBytesMax });
  assert(message, "a reply without answers fits any message");
  return message;
}

/** Without records whose name or target no message could hold: a node may be called anything. */
function writable(answer: Answer, questionName: string): Answer {
  const isWritable = ({ name, type, data }: DnsRecord): boolean => {
    if (name !== questionName && !isWritableName(name)) return false;
    if (type === "SRV") return isWritableName((data as SrvData).target);
    return !pointingTypes.has(type) || isWritableName(data as string);
  };
  if (answer.answers.every(isWritable) && answer.additionals.every(isWritable)) return answer;
  return {
    ...answer,
    answers: answer.answers.filter(isWritable),
    additionals: answer.additionals.filter(isWritable),
  };
}

/** Drops answers until the reply fits its transport; additionals of dropped answers go with them. */
function fittingReply(
  query: Query,
  answer: Answer,
  transport: DnsTransport,
  { settings }: MessageContext,
): Uint8Array {
  const { answersMax, bytesMax } = limitsOf(query, transport, settings.udpAnswerLimit);
  const total = answer.answers.length;
  const most = Math.min(total, answersMax);
  const compress = !settings.disableCompression;
  const attempt = (count: number, how: { compress: boolean; bytesMax: number }) => {
    const kept = count < total ? keep(answer, count) : answer;
    const isTold = count < total && settings.enableTruncate && transport !== "encrypted";
    return encodeReply(
      replyOf(query, kept, flagsOf(query, kept, isTold, settings), transport),
      how,
    );
  };
  // Where answers of a small datagram are left out for their number, Consul counts the bytes of the rest as if names
  // were written out.
  const isCountedPlain = bytesMax === datagramBytesMax && most < total;
  const counted = {
    compress: compress && !isCountedPlain,
    // Consul's reserve is smaller than the OPT record that it adds behind, so that its replies can be too large.
    bytesMax: query.ednsBytes === null ? bytesMax - sizeReserveBytes : bytesMax,
  };
  const first = attempt(most, counted);
  if (first && counted.compress === compress) return first;
  const count = first ? most : largest(most - 1, (tried) => attempt(tried, counted) !== null);
  const reply = attempt(count, { compress, bytesMax: messageBytesMax });
  assert(reply, "a reply without answers fits any message");
  return reply;
}

/** The largest number up to `most` for which it holds; 0 when for none. */
function largest(most: number, holds: (count: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function limitsOf(
  { type, ednsBytes }: Query,
  transport: DnsTransport,
  udpAnswerLimit: number,
): { answersMax: number; bytesMax: number } {
  if (transport !== "datagram") {
    const answersMax = type === "SRV" ? streamServersMax : streamAnswersMax;
    return { answersMax, bytesMax: messageBytesMax };
  }
  if (ednsBytes !== null && ednsBytes > datagramBytesMax) {
    return { answersMax: Number.POSITIVE_INFINITY, bytesMax: ednsBytes };
  }
  return { answersMax: Math.min(datagramAnswersMax, udpAnswerLimit), bytesMax: datagramBytesMax };
}

function flagsOf(
  query: Query,
  answer: Answer,
  truncated: boolean,
  settings: MessageContext["settings"],
): number {
  return (
    responseFlag |
    (answer.authoritative ? authoritativeFlag : 0) |
    (truncated ? truncatedFlag : 0) |
    echoedFlags(query) |
    (settings.hasRecursors || answer.recursionAvailable ? recursionAvailableFlag : 0) |
    rcodes[answer.rcode]
  );
}

function echoedFlags({ recursionDesired, checkingDisabled }: Query): number {
  return (
    (recursionDesired ? recursionDesiredFlag : 0) | (checkingDisabled ? checkingDisabledFlag : 0)
  );
}

function replyOf(query: Query, answer: Answer, flags: number, transport: DnsTransport): Reply {
  const { id, question, name: questionName, ednsBytes, clientSubnet } = query;
  const { answers, authorities, additionals } = answer;
  const options = clientSubnet ? echoedSubnet(clientSubnet, answer) : new Uint8Array();
  const isEncrypted = transport === "encrypted";
  const edns = {
    ...plainEdns,
    options,
    payloadBytes: ednsBytes ?? 0,
    dnssecOk: isEncrypted && query.dnssecOk,
    blockBytes: isEncrypted && query.isPadded ? paddingBlockBytes : 0,
  };
  const sections = { answers, authorities, additionals };
  return { id, flags, question, questionName, ...sections, edns: ednsBytes === null ? null : edns };
}

/** Consul echoes the client's size and its subnet, with a scope of 0 where the answer does not depend on it. */
function echoedSubnet(content: Uint8Array, { forClient, rcode }: Answer): Uint8Array {
  const echoed = Uint8Array.of(0, clientSubnetOption, 0, content.length, ...content);
  const scope = forClient && rcode === "NOERROR" ? content[subnetSourceAt] : 0;
  if (content.length > subnetScopeAt) echoed[4 + subnetScopeAt] = scope ?? 0;
  return echoed;
}

/** The address that a client subnet option holds, filled up with zeros; null without one that can be read. */
function addressOfSubnet(content: Uint8Array | null): string | null {
  if (!content || content.length < subnetAddressAt) return null;
  const family = ((content[0] ?? 0) << 8) | (content[1] ?? 0);
  const bytes = addressBytesOf[family];
  if (bytes === undefined || content.length > subnetAddressAt + bytes) return null;
  const hex = [...content.subarray(subnetAddressAt)].map((byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  return addressOfHex(hex.join("").padEnd(bytes * 2, "0"));
}

function keep(answer: Answer, count: number): Answer {
  const answers = answer.answers.slice(0, count);
  const firstByName = new Map<string, DnsRecord>();
  for (const record of answer.additionals.toReversed()) {
    firstByName.set(record.name.toLowerCase(), record);
  }
  const additionals: DnsRecord[] = [];
  for (const { type, data } of answers) {
    if (type !== "SRV") continue;
    const target = (data as SrvData).target.toLowerCase();
    const record = firstByName.get(target);
    if (record && !additionals.includes(record)) additionals.push(record);
  }
  return { ...answer, answers, additionals };
}
