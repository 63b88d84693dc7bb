// Seals what a key stands for with the deployment's KEY_SECRET (AES-256-GCM), so that who has no secret can neither
// read nor forge one. `pj1_…` admits hosts, `pd1_…` asks DNS; another version gets another prefix.

import { ServiceError } from "../../src/core/model/errors.ts";
import { decodeBase64, encodeBase64 } from "../../src/core/lib/base64.ts";
import type { DeploymentKeys, KeyGrant } from "../../src/ports/deployment-keys.ts";

const prefixes: Record<KeyGrant["kind"], string> = { join: "pj1_", dns: "pd1_" };
type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const ivBytes = 12;
/** A secret with less is one that somebody made up. */
const secretLengthMin = 32;
/** No grant is longer. */
const keyLengthMax = 4_096;

export type Opened<Kind extends KeyGrant["kind"]> =
  | { grant: Extract<KeyGrant, { kind: Kind }> }
  /** Why not, in words for whoever shows the key. */
  | { refused: string };

export class SealedKeys implements DeploymentKeys {
  readonly #secrets: readonly string[];
  readonly #imported = new Map<string, Promise<ImportedKey>>();

  /** `secrets`: the deployment's, the newest first, separated by commas: keys that older ones sealed still open. */
  constructor(secrets: string | undefined) {
    this.#secrets = (secrets ?? "").split(",").filter((secret) => secret.length >= secretLengthMin);
  }

  /** Whether a text claims to be a key of this kind. */
  static claims(kind: KeyGrant["kind"], text: string): boolean {
    return text.startsWith(prefixes[kind]);
  }

  async seal(grant: KeyGrant): Promise<string> {
    const [newest] = this.#secrets;
    if (newest === undefined) throw new ServiceError("invalid", unset);
    const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
    const plain = new TextEncoder().encode(JSON.stringify(grant));
    const sealed = await crypto.subtle.encrypt(
      { ...algorithmOf(grant.kind), iv },
      await this.#keyOf(newest),
      plain,
    );
    const bytes = new Uint8Array(ivBytes + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), ivBytes);
    return prefixes[grant.kind] + urlSafe(encodeBase64(bytes));
  }

  async open<Kind extends KeyGrant["kind"]>(
    kind: Kind,
    text: string,
    nowMs: number,
  ): Promise<Opened<Kind>> {
    if (this.#secrets.length === 0) return { refused: unset };
    const bytes = SealedKeys.claims(kind, text) ? bytesIn(text.slice(prefixes[kind].length)) : null;
    if (!bytes) return { refused: `this is no ${names[kind]}` };
    for (const secret of this.#secrets) {
      const grant = await this.#tryOpen(kind, bytes, secret);
      if (grant?.kind !== kind) continue;
      if (grant.expiresMs !== 0 && grant.expiresMs <= nowMs) {
        return {
          refused: `the ${names[kind]} ended at ${new Date(grant.expiresMs).toISOString()}`,
        };
      }
      return { grant: grant as Extract<KeyGrant, { kind: Kind }> };
    }
    return { refused: `the ${names[kind]} is not of this registry` };
  }

  async #tryOpen(
    kind: KeyGrant["kind"],
    bytes: Uint8Array<ArrayBuffer>,
    secret: string,
  ): Promise<KeyGrant | null> {
    try {
      const plain = await crypto.subtle.decrypt(
        { ...algorithmOf(kind), iv: bytes.subarray(0, ivBytes) },
        await this.#keyOf(secret),
        bytes.subarray(ivBytes),
      );
      return JSON.parse(new TextDecoder().decode(plain)) as KeyGrant;
    } catch {
      return null;
    }
  }

  #keyOf(secret: string): Promise<ImportedKey> {
    const known = this.#imported.get(secret) ?? importKey(secret);
    this.#imported.set(secret, known);
    return known;
  }
}

const names: Record<KeyGrant["kind"], string> = { join: "join token", dns: "key for DNS" };

const unset = `set the secret KEY_SECRET, of at least ${secretLengthMin} characters, to give out and to take keys`;

/** A key of one kind is none of another. */
function algorithmOf(kind: KeyGrant["kind"]): {
  name: "AES-GCM";
  additionalData: Uint8Array<ArrayBuffer>;
} {
  return {
    name: "AES-GCM",
    additionalData: Uint8Array.from(new TextEncoder().encode(prefixes[kind])),
  };
}

async function importKey(secret: string): Promise<ImportedKey> {
  const raw = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

function urlSafe(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function bytesIn(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length > keyLengthMax || !/^[\w-]+$/.test(text)) return null;
  try {
    const bytes = Uint8Array.from(decodeBase64(text.replaceAll("-", "+").replaceAll("_", "/")));
    return bytes.length > ivBytes ? bytes : null;
  } catch {
    return null;
  }
}
