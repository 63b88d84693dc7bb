// A question in the parameters that public resolvers take (`?name=…&type=…`), as a message.

import { encode } from "@leichtgewicht/dns-packet";
import { toString as typeName, toType } from "@leichtgewicht/dns-packet/types.js";

import { bytesOfAddress } from "../src/core/dns/address.ts";
import { joinBytes } from "../src/core/lib/bytes.ts";

const nameLengthMax = 253;
const labelLengthMax = 63;
const typeNumberMax = 65_535;
const recursionDesiredFlag = 1 << 8;
const checkingDisabledFlag = 1 << 4;
const dnssecOkByte = 1 << 7;
const typeOpt = 41;
/** The lower byte of the number of additional records. */
const additionalCountAt = 11;
const udpPayloadBytes = 1_232;
const clientSubnetOption = 8;
/** By the length of an address in bytes. */
const addressFamilies: Readonly<Record<number, number>> = { 4: 1, 16: 2 };
/** What a client's bare address is cut to (RFC 7871 §11.1). */
const prefixesKept: Readonly<Record<number, number>> = { 4: 24, 16: 56 };

/**
 * `name`; `type` as a word, `TYPE65` or a number; `cd`, `do`; `edns_client_subnet`, an address with or without a
 * prefix. `random_padding` is there to be ignored. A sentence, when one of them says nothing that can be asked.
 */
export function jsonQuery(parameters: URLSearchParams): Uint8Array | string {
  const name = questionName(parameters.get("name") ?? "");
  if (name === null) return "the name is malformed";
  const type = questionType(parameters.get("type") ?? "A");
  if (type === null) return "the type is malformed";
  const checkingDisabled = flag(parameters.get("cd"));
  const dnssecOk = flag(parameters.get("do"));
  if (checkingDisabled === null || dnssecOk === null) return "cd and do are 0, 1, false or true";
  const subnet = clientSubnet(parameters.get("edns_client_subnet") ?? "");
  if (subnet === null) return "edns_client_subnet is no address with a prefix";
  const message = encode({
    ...{ type: "query", id: 0, questions: [{ name, type }] },
    flags: recursionDesiredFlag | (checkingDisabled ? checkingDisabledFlag : 0),
  } as never);
  return dnssecOk || subnet.length > 0 ? withEdns(message, dnssecOk, subnet) : message;
}

/** With an OPT record behind it; the library's encoder loses the content of options. */
function withEdns(message: Uint8Array, dnssecOk: boolean, subnet: Uint8Array): Uint8Array {
  const option = subnet.length === 0 ? [] : [0, clientSubnetOption, 0, subnet.length, ...subnet];
  const [high, low] = [udpPayloadBytes >> 8, udpPayloadBytes & 255];
  const opt = [0, 0, typeOpt, high, low, 0, 0, dnssecOk ? dnssecOkByte : 0, 0, 0, option.length];
  const extended = joinBytes([message, Uint8Array.from([...opt, ...option])]);
  extended[additionalCountAt] = 1;
  return extended;
}

/** "." is the root. */
function questionName(text: string): string | null {
  if (text === ".") return text;
  const bare = text.replace(/\.$/, "");
  const bytesOf = (part: string): number => new TextEncoder().encode(part).length;
  const isLabel = (label: string): boolean => label !== "" && bytesOf(label) <= labelLengthMax;
  return bytesOf(bare) <= nameLengthMax && bare.split(".").every(isLabel) ? bare : null;
}

/** As the codec calls it. */
function questionType(text: string): string | null {
  const number = /^(?:TYPE)?(\d{1,5})$/i.exec(text)?.[1];
  if (number !== undefined) {
    const type = Number(number);
    return type > 0 && type <= typeNumberMax ? typeName(type) : null;
  }
  const word = text.toUpperCase();
  if (word === "HTTPS") return typeName(65);
  if (word === "SVCB") return typeName(64);
  return /^[A-Z0-9*]+$/.test(word) && toType(word) > 0 ? word : null;
}

function flag(text: string | null): boolean | null {
  if (text === null || text === "0" || text === "false") return false;
  return text === "" || text === "1" || text === "true" ? true : null;
}

/** The content of the option (RFC 7871 §6), with no bit behind the prefix; empty for "". */
function clientSubnet(text: string): Uint8Array | null {
  if (text === "") return new Uint8Array();
  const [address = "", length, ...rest] = text.split("/");
  const bytes = bytesOfAddress(address);
  const family = addressFamilies[bytes.length];
  const bits = length === undefined ? prefixesKept[bytes.length] : Number(length);
  const isPrefix = length === undefined || /^\d{1,3}$/.test(length);
  if (family === undefined || bits === undefined || !isPrefix || rest.length > 0) return null;
  if (bits > bytes.length * 8) return null;
  const kept = bytes.slice(0, Math.ceil(bits / 8));
  const over = kept.length * 8 - bits;
  if (over > 0) kept.push(((kept.pop() ?? 0) >> over) << over);
  return Uint8Array.of(0, family, bits, 0, ...kept);
}
