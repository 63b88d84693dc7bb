// What a registry says of the agent that it hands out, signed by whoever deployed it. A host keeps the key from its
// first installation and believes no other afterwards.

export interface Manifest {
  version: string;
  /** Of the archive, in hex. */
  sha256: string;
  bytes: number;
  /** Ed25519, base64, of {@link signedText}. */
  signature: string;
}

/** Paths at a registry; static files, which reach no Worker and no object. */
export const manifestPath = "/install/manifest.json";
export const archivePath = "/install/proconsul.tgz";

/** Nobody hands out more. */
export const archiveBytesMax = 64 * 1024 * 1024;

/** What is signed. The installer's shell script builds the same. */
export function signedText({ version, sha256, bytes }: Omit<Manifest, "signature">): string {
  return `proconsul ${version} ${sha256} ${bytes}`;
}

/** Names a release on a host: the same version may be built twice. */
export function releaseName({ version, sha256 }: Manifest): string {
  return `${version}-${sha256.slice(0, 8)}`;
}

/** `value` as a manifest; null when it is none. */
export function manifestOf(value: unknown): Manifest | null {
  const { version, sha256, bytes, signature } = (value ?? {}) as Record<string, unknown>;
  if (typeof version !== "string" || !/^[0-9A-Za-z.+-]{1,64}$/.test(version)) return null;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return null;
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes <= 0) return null;
  if (typeof signature !== "string" || bytes > archiveBytesMax) return null;
  return { version, sha256, bytes, signature };
}
