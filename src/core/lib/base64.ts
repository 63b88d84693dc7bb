// Standard base64 with padding. Both runtimes have their own, but neither has the same one.

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const codes = new TextEncoder().encode(alphabet);
const padding = 0x3d;
const values = new Uint8Array(128);
for (const [value, code] of codes.entries()) values[code] = value;

const decoder = new TextDecoder();

export function encodeBase64(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(padding);
  let to = 0;
  for (let from = 0; from < bytes.length; from += 3) {
    const left = bytes.length - from;
    const triple =
      ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    out[to] = codes[triple >> 18] ?? padding;
    out[to + 1] = codes[(triple >> 12) & 63] ?? padding;
    if (left > 1) out[to + 2] = codes[(triple >> 6) & 63] ?? padding;
    if (left > 2) out[to + 3] = codes[triple & 63] ?? padding;
    to += 4;
  }
  return decoder.decode(out);
}

/** The bytes of well-formed base64. */
export function decodeBase64(text: string): Uint8Array {
  const length = text.replace(/=+$/, "").length;
  const out = new Uint8Array(Math.floor((length * 3) / 4));
  let bits = 0;
  let held = 0;
  let to = 0;
  for (let at = 0; at < length; at++) {
    held = (held << 6) | (values[text.charCodeAt(at)] ?? 0);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[to++] = (held >> bits) & 0xff;
  }
  return out;
}
