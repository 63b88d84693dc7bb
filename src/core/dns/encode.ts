// A reply as bytes (RFC 1035 §4), with compressed names: what ends like a name before it points there.
//
// Names are compared byte for byte, not as DNS compares them, so that every name keeps the case it was given; this, and
// what is compressed, is as Consul's library does it. Targets of SRV are written out (RFC 2782), but others may point
// into them. The question is copied from the query as it came.

import { bytesOfAddress } from "./address.ts";
import { NameOffsets } from "./name-offsets.ts";
import type { DnsRecord, RecordType, SoaData, SrvData } from "./records.ts";

export const messageBytesMax = 65_535;

const headerBytes = 12;
const labelBytesMax = 63;
const nameBytesMax = 255;
const textBytesMax = 255;
const pointerMark = 0xc0;
const classInternet = 1;
const typeOpt = 41;
const dnssecOkFlag = 1 << 15;
const optionPadding = 12;
const optionHeaderBytes = 4;
const typeNumbers: Record<RecordType, number> = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 },
};
const plainName = /^[^.]{1,21}(\.[^.]{1,21})*$/;
const utf8 = new TextEncoder();

export interface Reply {
  id: number;
  flags: number;
  /** Name, type and class as the query had them. */
  question: Uint8Array;
  questionName: string;
  answers: readonly DnsRecord[];
  authorities: readonly DnsRecord[];
  additionals: readonly DnsRecord[];
  /** Set when the client speaks EDNS. */
  edns: EdnsReply | null;
}

export interface EdnsReply {
  payloadBytes: number;
  options: Uint8Array;
  /** Bits of the rcode that the header has no room for. */
  extendedRcode: number;
  dnssecOk: boolean;
  /** The message is padded to a multiple of it (RFC 7830), as far as there is room; 0: not at all. */
  blockBytes: number;
}

export const plainEdns: EdnsReply = {
  ...{ payloadBytes: 1_232, options: new Uint8Array() },
  ...{ extendedRcode: 0, dnssecOk: false, blockBytes: 0 },
};

/** Null when it takes more than `bytesMax`, which is at most `messageBytesMax`. */
export function encodeReply(
  reply: Reply,
  { compress, bytesMax }: { compress: boolean; bytesMax: number },
): Uint8Array | null {
  const writer = new Writer(bytesMax, compress);
  writer.header(reply);
  for (const record of reply.answers) writer.record(record);
  for (const record of reply.authorities) writer.record(record);
  for (const record of reply.additionals) writer.record(record);
  if (reply.edns) writer.opt(reply.edns);
  return writer.message();
}

/** Whether the text can be a name at all: a node may be called anything. */
export function isWritableName(name: string): boolean {
  if (name === "") return true;
  // Most are: no label is empty or long, whatever its bytes are, three for a UTF-16 unit at most.
  if (name.length < nameBytesMax / 3 && plainName.test(name)) return true;
  const lengths = name.split(".").map((label) => utf8.encode(label).length);
  const total = lengths.reduce((sum, length) => sum + length + 1, 1);
  return total <= nameBytesMax && lengths.every((length) => length > 0 && length <= labelBytesMax);
}

/** What is missing to the next multiple of `block`. */
function missing(length: number, block: number): number {
  return (block - (length % block)) % block;
}

/** Shared by all replies: one is encoded in one go, and copied out. */
const scratch = new Uint8Array(messageBytesMax);
const scratchView = new DataView(scratch.buffer);

class Writer {
  readonly #bytesMax: number;
  readonly #names: NameOffsets;
  readonly #compress: boolean;
  #questionName = "";
  /** Goes on counting where `scratch` ends, writing nothing. */
  #at = headerBytes;

  constructor(bytesMax: number, compress: boolean) {
    this.#bytesMax = bytesMax;
    this.#compress = compress;
    this.#names = new NameOffsets();
  }

  message(): Uint8Array | null {
    return this.#at > this.#bytesMax ? null : scratch.slice(0, this.#at);
  }

  header({ id, flags, question, questionName, ...sections }: Reply): void {
    const { answers, authorities, additionals, edns } = sections;
    scratchView.setUint16(0, id);
    scratchView.setUint16(2, flags);
    scratchView.setUint16(4, 1);
    scratchView.setUint16(6, answers.length);
    scratchView.setUint16(8, authorities.length);
    scratchView.setUint16(10, additionals.length + (edns ? 1 : 0));
    this.#questionName = questionName;
    if (questionName !== "") this.#names.begin(questionName, headerBytes);
    this.#bytes(question);
  }

  record({ name, type, ttl, data }: DnsRecord): void {
    if (this.#at > this.#bytesMax) return;
    this.#name(name, this.#compress);
    this.#uint16(typeNumbers[type]);
    this.#uint16(classInternet);
    this.#uint32(ttl);
    const lengthAt = this.#at;
    this.#at += 2;
    this.#data(type, data);
    if (this.#at <= messageBytesMax) scratchView.setUint16(lengthAt, this.#at - lengthAt - 2);
  }

  /** Version 0 (RFC 6891 §6.1.2); the last record, so that it knows how much padding is wanted. */
  opt({ payloadBytes, options, extendedRcode, dnssecOk, blockBytes }: EdnsReply): void {
    this.#uint8(0);
    this.#uint16(typeOpt);
    this.#uint16(payloadBytes);
    this.#uint8(extendedRcode);
    this.#uint8(0);
    this.#uint16(dnssecOk ? dnssecOkFlag : 0);
    const bareBytes = this.#at + 2 + options.length + optionHeaderBytes;
    const room = this.#bytesMax - bareBytes;
    const isPadded = blockBytes > 0 && room >= 0;
    const padding = isPadded ? Math.min(room, missing(bareBytes, blockBytes)) : 0;
    this.#uint16(options.length + (isPadded ? optionHeaderBytes + padding : 0));
    this.#bytes(options);
    if (!isPadded) return;
    this.#uint16(optionPadding);
    this.#uint16(padding);
    this.#bytes(new Uint8Array(padding));
  }

  #data(type: RecordType, data: DnsRecord["data"]): void {
    if (type === "SRV") return this.#srv(data as SrvData);
    if (type === "SOA") return this.#soa(data as SoaData);
    const text = data as string;
    if (type === "TXT") return this.#text(text);
    if (type === "A" || type === "AAAA") return this.#bytes(bytesOfAddress(text));
    this.#name(text, this.#compress);
  }

  #srv({ priority, weight, port, target }: SrvData): void {
    this.#uint16(priority);
    this.#uint16(weight);
    this.#uint16(port);
    this.#name(target, false);
  }

  #soa({ mname, rname, serial, refresh, retry, expire, minimum }: SoaData): void {
    this.#name(mname, this.#compress);
    this.#name(rname, this.#compress);
    for (const value of [serial, refresh, retry, expire, minimum]) this.#uint32(value);
  }

  /** As many strings of 255 bytes as it takes. */
  #text(text: string): void {
    const bytes = utf8.encode(text);
    for (let from = 0; from === 0 || from < bytes.length; from += textBytesMax) {
      const part = bytes.subarray(from, from + textBytesMax);
      this.#uint8(part.length);
      this.#bytes(part);
    }
  }

  #name(name: string, compress: boolean): void {
    if (compress && name === this.#questionName && name !== "") {
      return this.#uint16((pointerMark << 8) | headerBytes);
    }
    const known = this.#compress ? this.#names.place(name, this.#at, compress) : null;
    const own = known === null ? name : name.slice(0, known.start);
    if (own !== "") this.#labels(known === null ? own : own.slice(0, -1));
    if (known === null) this.#uint8(0);
    else this.#uint16((pointerMark << 8) | known.offset);
  }

  #labels(name: string): void {
    for (let start = 0; start <= name.length;) {
      const dot = name.indexOf(".", start);
      const end = dot < 0 ? name.length : dot;
      const lengthAt = this.#at;
      this.#at += 1;
      this.#characters(name, start, end);
      const length = this.#at - lengthAt - 1;
      if (lengthAt < messageBytesMax) scratch[lengthAt] = length;
      start = end + 1;
    }
  }

  #characters(text: string, start: number, end: number): void {
    for (let index = start; index < end; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return this.#bytes(utf8.encode(text.slice(index, end)));
      this.#uint8(code);
    }
  }

  #uint8(value: number): void {
    if (this.#at < messageBytesMax) scratch[this.#at] = value;
    this.#at += 1;
  }

  #uint16(value: number): void {
    if (this.#at + 2 <= messageBytesMax) scratchView.setUint16(this.#at, value);
    this.#at += 2;
  }

  #uint32(value: number): void {
    if (this.#at + 4 <= messageBytesMax) scratchView.setUint32(this.#at, value);
    this.#at += 4;
  }

  #bytes(bytes: Uint8Array | readonly number[]): void {
    if (this.#at + bytes.length <= messageBytesMax) scratch.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}
