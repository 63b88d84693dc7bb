// A DNS message in, a DNS message out: framing around the resolver, with sizes, truncation and EDNS (Consul's DNS
// rules, §3). The wire format itself is the library's.

import * as codec from "@leichtgewicht/dns-packet";

import type { Found, Need } from "./needs.ts";
import type { Answer, DnsRecord, Rcode } from "./records.ts";
import type { ResolveContext } from "./context.ts";
import { resolve } from "./resolve.ts";

/** `stream`: TCP and DNS over HTTPS, without the limits of a datagram. */
export type DnsTransport = "datagram" | "stream";

const datagramBytesMax = 512;
/** Room that Consul leaves. */
const sizeReserveBytes = 7;
const datagramAnswersMax = 8;
const streamAnswersMax = 4_096;
const streamServersMax = 1_024;
const streamBytesMax = 65_535;
const headerBytes = 12;
const labelBytesMax = 63;
const dot = 0x2e;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const authoritativeFlag = 1 << 10;
const truncatedFlag = 1 << 9;
const recursionDesiredFlag = 1 << 8;
const recursionAvailableFlag = 1 << 7;
const responseFlag = 1 << 15;
const clientSubnetOption = 8;

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
  ip: string;
  family: number;
  sourcePrefixLength: number;
  scopePrefixLength: number;
}

interface Query {
  id: number;
  name: string;
  type: string;
  recursionDesired: boolean;
  /** UDP size the client announced; null when it does not speak EDNS. */
  ednsBytes: number | null;
  clientSubnet: EdnsOption | null;
}

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
  const edns = query.ednsBytes !== null;
  const answer = yield* resolve(query, { ...context, edns });
  return encodeReply(query, answer, transport, context);
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
  if (!question || packet.questions?.length !== 1 || !isNameText(message)) return "FORMERR";
  const opt = (
    packet.additionals as { type: string; udpPayloadSize?: number; options?: EdnsOption[] }[]
  ).find(({ type }) => type === "OPT");
  return {
    id: packet.id ?? 0,
    name: question.name === "." ? "" : question.name,
    type: question.type.toUpperCase(),
    recursionDesired: ((packet.flags ?? 0) & recursionDesiredFlag) !== 0,
    ednsBytes: opt?.udpPayloadSize ?? null,
    clientSubnet: opt?.options?.find(({ code }) => Number(code) === clientSubnetOption) ?? null,
  };
}

/**
 * Whether the question's name survives being text, as the library has it: labels joined by dots. One that holds a dot
 * or is no UTF-8 would come back as another name, or as none.
 */
function isNameText(message: Uint8Array): boolean {
  let at = headerBytes;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    if (length > labelBytesMax) return false; // a pointer: there is nothing before to point at
    const label = message.subarray(at + 1, at + 1 + length);
    if (label.includes(dot) || !isUtf8(label)) return false;
    at += 1 + length;
  }
  return true;
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
  reply[3] = rcodes[rcode];
  return reply;
}

function encodeReply(
  query: Query,
  full: Answer,
  transport: DnsTransport,
  { settings }: MessageContext,
): Uint8Array {
  const { answer, trimmed } = trim(query, full, transport, settings.udpAnswerLimit);
  const flags =
    responseFlag |
    (answer.authoritative ? authoritativeFlag : 0) |
    (trimmed && settings.enableTruncate ? truncatedFlag : 0) |
    (query.recursionDesired ? recursionDesiredFlag : 0) |
    (settings.hasRecursors || answer.recursionAvailable ? recursionAvailableFlag : 0) |
    rcodes[answer.rcode];
  return codec.encode(packetOf(query, answer, flags));
}

function packetOf(query: Query, answer: Answer, flags: number): Parameters<typeof codec.encode>[0] {
  const additionals: unknown[] = [...answer.additionals];
  if (query.ednsBytes !== null) additionals.push(optRecord(query));
  return {
    id: query.id,
    type: "response",
    flags,
    questions: [{ name: query.name || ".", type: query.type, class: "IN" }],
    answers: answer.answers.map(wireRecord),
    authorities: answer.authorities.map(wireRecord),
    additionals: additionals.map((record) => wireRecord(record as DnsRecord)),
  } as unknown as Parameters<typeof codec.encode>[0];
}

function wireRecord(record: DnsRecord): object {
  return record.type === ("OPT" as string) ? record : { class: "IN", ...record };
}

/** Consul echoes the client's size, and its subnet with a scope of 0: answers do not depend on it. */
function optRecord({ ednsBytes, clientSubnet }: Query): object {
  const options = clientSubnet ? [echoedSubnet(clientSubnet)] : [];
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: ednsBytes,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options,
  };
}

/** Without `data`, which the codec would write in place of the fields. */
function echoedSubnet({ code, ip, family, sourcePrefixLength }: EdnsOption): EdnsOption {
  return { code, ip, family, sourcePrefixLength, scopePrefixLength: 0 };
}

/** Drops answers until the reply fits its transport; additionals of dropped answers go with them. */
function trim(
  query: Query,
  answer: Answer,
  transport: DnsTransport,
  udpAnswerLimit: number,
): { answer: Answer; trimmed: boolean } {
  const large = (query.ednsBytes ?? 0) > datagramBytesMax;
  const bytesMax =
    transport === "stream" ? streamBytesMax : large ? (query.ednsBytes ?? 0) : datagramBytesMax;
  const answersMax =
    transport === "stream"
      ? query.type === "SRV"
        ? streamServersMax
        : streamAnswersMax
      : large
        ? Number.POSITIVE_INFINITY
        : Math.min(datagramAnswersMax, udpAnswerLimit);
  const { length } = answer.answers;
  // Negative answers and referrals are never cut.
  if (length === 0) return { answer, trimmed: false };
  let fitting = length > answersMax ? keep(answer, answersMax) : answer;
  while (fitting.answers.length > 0 && size(query, fitting) > bytesMax - sizeReserveBytes) {
    fitting = keep(answer, fitting.answers.length - 1);
  }
  return { answer: fitting, trimmed: fitting.answers.length < length };
}

/** Encoded without compression, which is how Consul counts. */
function size(query: Query, answer: Answer): number {
  return codec.encodingLength(packetOf(query, answer, 0));
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
    const target = (data as { target: string }).target.toLowerCase();
    const record = firstByName.get(target);
    if (record && !additionals.includes(record)) additionals.push(record);
  }
  return { ...answer, answers, additionals };
}
