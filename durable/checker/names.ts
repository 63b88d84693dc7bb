// Where a name leads, asked of a resolver over HTTPS before anything is sent there: a name with any address that is not
// public is refused. The platform resolves once more when it connects; what that leaves is in docs/edge-checks.md.

import type { Outside } from "../platform/platform.ts";
import { isPublicAddress } from "./public-address.ts";

const lookupTimeoutMs = 3_000;
const answerBytesMax = 65_536;
const namesMax = 1_000;
const keptMsMin = 30_000;
const keptMsMax = 300_000;
const types = { A: 1, AAAA: 28 } as const;
/** Names that are nobody's on the Internet. */
const innerName = /^(localhost|[^.]*|.*\.(localhost|local|internal|home\.arpa|onion|arpa))$/;

interface Kept {
  addresses: readonly string[];
  untilMs: number;
}

export interface NamesParts {
  outside: Pick<Outside, "ask">;
  nowMs(): number;
  /** Answers `?name=&type=` with `application/dns-json`. */
  resolver: string;
}

export class PublicNames {
  readonly #parts: NamesParts;
  readonly #kept = new Map<string, Kept>();

  constructor(parts: NamesParts) {
    this.#parts = parts;
  }

  /** The public addresses of a host, as URLs write it. Throws an Error that says why there are none. */
  async addresses(host: string): Promise<readonly string[]> {
    const bare = host
      .replace(/^\[|\]$/g, "")
      .replace(/\.$/, "")
      .toLowerCase();
    const isPublic = isPublicAddress(bare);
    if (isPublic === true) return [bare];
    if (isPublic === false) throw refused(host, bare);
    if (innerName.test(bare)) throw new Error(`${host} is no name on the Internet`);
    const nowMs = this.#parts.nowMs();
    const kept = this.#kept.get(bare);
    if (kept && kept.untilMs > nowMs) return kept.addresses;
    // One after the other: a run of checks has as many connections open as one object may.
    const records = [...(await this.#lookup(bare, "A")), ...(await this.#lookup(bare, "AAAA"))];
    if (records.length === 0) throw new Error(`dial tcp: lookup ${host}: no such host`);
    const inner = records.find(({ data }) => isPublicAddress(data) !== true);
    if (inner) throw refused(host, inner.data);
    const ttlMs = Math.min(...records.map(({ TTL }) => TTL)) * 1_000;
    const addresses = records.map(({ data }) => data);
    const keptMs = Math.min(Math.max(ttlMs, keptMsMin), keptMsMax);
    if (this.#kept.size >= namesMax) this.#kept.clear();
    this.#kept.set(bare, { addresses, untilMs: nowMs + keptMs });
    return addresses;
  }

  async #lookup(name: string, type: keyof typeof types): Promise<{ data: string; TTL: number }[]> {
    const { outside, resolver } = this.#parts;
    const query = new URLSearchParams({ name, type }).toString();
    const { status, body } = await outside.ask({
      method: "GET",
      url: `${resolver}${resolver.includes("?") ? "&" : "?"}${query}`,
      headers: { accept: "application/dns-json" },
      timeoutMs: lookupTimeoutMs,
      bytesMax: answerBytesMax,
    });
    if (status !== 200) throw new Error(`lookup ${name}: the resolver answered ${status}`);
    const { Status: rcode, Answer: records = [] } = JSON.parse(body) as {
      Status?: unknown;
      Answer?: { type?: unknown; data?: unknown; TTL?: unknown }[];
    };
    if (rcode !== 0 && rcode !== 3) throw new Error(`lookup ${name}: server misbehaving`);
    return records
      .filter((record) => record.type === types[type])
      .map(({ data, TTL }) => ({ data: String(data), TTL: Number(TTL) || 0 }));
  }
}

function refused(host: string, address: string): Error {
  const where = host === address ? address : `${host} (${address})`;
  return new Error(`${where} is not public: the edge asks only what everybody may`);
}
