// IP addresses in the forms that DNS needs: family, reverse names, and the hex labels of `.addr.` names.

import { bytesOfIpv4, bytesOfIpv6 } from "../lib/ip-address.ts";

export type Family = "ipv4" | "ipv6";

/** The family of an address; null when the text is a host name. */
export function familyOf(address: string): Family | null {
  if (bytesOfIpv4(address)) return "ipv4";
  return bytesOfIpv6(address) ? "ipv6" : null;
}

/** 4 or 16 bytes; none for a host name. */
export function bytesOfAddress(address: string): readonly number[] {
  return bytesOfIpv4(address) ?? bytesOfIpv6(address) ?? [];
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
