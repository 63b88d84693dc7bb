// The DNS names that an authority limits itself to (RFC 5280, 4.2.1.10): the extension that says them, and the check of
// a name against it as Go does it.

import { joinBytes } from "../core/lib/bytes.ts";
import { childrenOf, element, sequence, single } from "./der.ts";

export const nameConstraintsId = "2.5.29.30";

/** [0] of NameConstraints: the subtrees that are permitted. */
const permitted = 0xa0;
/** [2] of GeneralName: a DNS name. */
const dnsName = 0x82;

/** The value of an extension that permits these names and what stands under them. */
export function nameConstraints(domains: readonly string[]): Uint8Array<ArrayBuffer> {
  const subtrees = domains.map((domain) =>
    element(sequence, element(dnsName, new Uint8Array(new TextEncoder().encode(domain)))),
  );
  return element(sequence, element(permitted, joinBytes(subtrees)));
}

/** The DNS names that the value of such an extension permits; none means that it limits none. */
export function permittedDomains(extension: Uint8Array<ArrayBuffer>): string[] {
  return childrenOf(single(extension, sequence))
    .filter(({ tag }) => tag === permitted)
    .flatMap(({ content }) => childrenOf(content))
    .flatMap(({ content }) => childrenOf(content))
    .filter(({ tag }) => tag === dnsName)
    .map(({ content }) => new TextDecoder().decode(content));
}

/** `.name` permits only what stands under it, `name` itself, too. */
export function isPermitted(name: string, domains: readonly string[]): boolean {
  if (domains.length === 0) return true;
  const full = `.${name.toLowerCase()}`;
  return domains.some((domain) => {
    const suffix = domain.toLowerCase();
    if (suffix === "") return true;
    return suffix.startsWith(".")
      ? full.endsWith(suffix) && full !== suffix
      : full.endsWith(`.${suffix}`);
  });
}
