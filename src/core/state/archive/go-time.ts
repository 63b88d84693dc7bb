// Times as Go marshals them into bytes: a version, seconds since the year 1, nanoseconds, and the minutes east of UTC
// (-1: UTC itself).

import { PackError } from "../../lib/msgpack.ts";

const utc = -1;
const version = 1;
const length = 15;
/** Seconds from the year 1 to 1970. */
const epochSeconds = 62_135_596_800;

/** `text` is RFC 3339 with up to nine digits of a second. */
export function goTimeBytes(text: string): Uint8Array {
  const [, seconds = "", fraction = "", zone = ""] =
    /^(.{19})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  const sinceEpoch = Date.parse(seconds + zone) / 1_000;
  if (!Number.isFinite(sinceEpoch)) throw new PackError(`no time: ${text}`);
  view.setBigInt64(1, BigInt(sinceEpoch + epochSeconds));
  view.setUint32(9, Number(fraction.padEnd(9, "0")));
  view.setInt16(13, zone === "Z" ? utc : minutesOf(zone));
  return bytes;
}

/** Throws PackError. */
export function goTimeText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length !== length || view.getUint8(0) !== version) throw new PackError("no time");
  const seconds = Number(view.getBigInt64(1)) - epochSeconds;
  const offset = view.getInt16(13);
  const minutes = offset === utc ? 0 : offset;
  const date = new Date((seconds + minutes * 60) * 1_000);
  if (Number.isNaN(date.getTime())) throw new PackError("no time");
  const fraction = String(view.getUint32(9)).padStart(9, "0").replace(/0+$/, "");
  const local = date.toISOString().slice(0, 19);
  return `${local}${fraction === "" ? "" : `.${fraction}`}${zoneText(minutes)}`;
}

function minutesOf(zone: string): number {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return zone.startsWith("-") ? -minutes : minutes;
}

function zoneText(minutes: number): string {
  if (minutes === 0) return "Z";
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)}`;
}
