// IP addresses from their text, whatever its spelling.

const digitZero = 0x30;

/** By hand: every instance of every answer passes here. */
export function bytesOfIpv4(address: string): number[] | null {
  const bytes: number[] = [];
  let byte = 0;
  let digits = 0;
  for (let at = 0; at <= address.length; at++) {
    const digit = address.charCodeAt(at) - digitZero;
    if (digit >= 0 && digit <= 9) {
      byte = byte * 10 + digit;
      digits += 1;
      continue;
    }
    const isEnd = at === address.length || address[at] === ".";
    if (!isEnd || digits === 0 || digits > 3 || byte > 255) return null;
    bytes.push(byte);
    byte = digits = 0;
  }
  return bytes.length === 4 ? bytes : null;
}

/** Sixteen bytes, a zone left out; null for what is no IPv6 address. */
export function bytesOfIpv6(address: string): number[] | null {
  const zoneless = address.replace(/%.*$/, "");
  if (!zoneless.includes(":") || /[^0-9a-f:.]/i.test(zoneless)) return null;
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(zoneless);
  const tail = mapped ? bytesOfIpv4(mapped[2] ?? "") : [];
  if (!tail) return null;
  const text = mapped ? (mapped[1] ?? "").replace(/([^:]):$/, "$1") : zoneless;
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head = [], rest = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = (16 - tail.length) / 2 - head.length - rest.length;
  if (halves.length === 1 ? missing !== 0 : missing < 0) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...rest];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  const bytes = groups.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return [...bytes, ...tail];
}

/** `10.9.9.9` → `0a090909`: one spelling for each address. Null for what is none. */
export function hexOfAddress(address: string): string | null {
  const bytes = bytesOfIpv4(address) ?? bytesOfIpv6(address);
  return bytes?.map((byte) => byte.toString(16).padStart(2, "0")).join("") ?? null;
}
