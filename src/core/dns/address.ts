// IP addresses in the forms that DNS needs: family, reverse names, and the hex labels of `.addr.` names.

export type Family = "ipv4" | "ipv6";

const ipv4Pattern = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** The family of an address; null when the text is a host name. */
export function familyOf(address: string): Family | null {
  if (bytesOfIpv4(address)) return "ipv4";
  return bytesOfIpv6(address) ? "ipv6" : null;
}

function bytesOfIpv4(address: string): number[] | null {
  const bytes = ipv4Pattern.exec(address)?.slice(1).map(Number);
  return bytes?.every((byte) => byte <= 255) ? bytes : null;
}

function bytesOfIpv6(address: string): number[] | null {
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

/** `10.9.9.9` → `0a090909`: the first label of an `.addr.` name. Null for a host name. */
export function hexOfAddress(address: string): string | null {
  const bytes = bytesOfIpv4(address) ?? bytesOfIpv6(address);
  return bytes?.map((byte) => byte.toString(16).padStart(2, "0")).join("") ?? null;
}

/** The address that 8 or 32 hex digits stand for; null for anything else. */
export function addressOfHex(hex: string): string | null {
  if (!/^([0-9a-f]{8}|[0-9a-f]{32})$/i.test(hex)) return null;
  const bytes = hex.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  return bytes.length === 4 ? bytes.join(".") : ipv6OfBytes(bytes);
}

/** The shortest form (RFC 5952). */
function ipv6OfBytes(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  const runs = [
    ...groups
      .map((group) => (group === "0" ? "0" : "x"))
      .join("")
      .matchAll(/00+/g),
  ];
  const [longest] = runs.toSorted((a, b) => b[0].length - a[0].length);
  if (!longest) return groups.join(":");
  const end = longest.index + longest[0].length;
  return `${groups.slice(0, longest.index).join(":")}::${groups.slice(end).join(":")}`;
}

/** The address that a name under in-addr.arpa or ip6.arpa asks about; null when it is malformed. */
export function addressOfReverseName(name: string): string | null {
  const lower = name.toLowerCase();
  if (lower.endsWith(".in-addr.arpa")) {
    const labels = lower.slice(0, -".in-addr.arpa".length).split(".");
    const address = labels.toReversed().join(".");
    return bytesOfIpv4(address) ? address : null;
  }
  if (!lower.endsWith(".ip6.arpa")) return null;
  const digits = lower.slice(0, -".ip6.arpa".length).split(".").toReversed().join("");
  return digits.length === 32 ? addressOfHex(digits) : null;
}

/** Whether two texts are the same address, whatever their spelling. */
export function sameAddress(left: string, right: string): boolean {
  if (left === right) return true;
  const hex = hexOfAddress(left);
  return hex !== null && hex === hexOfAddress(right);
}
