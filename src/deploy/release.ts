// The agent that a registry hands out: an archive of what `npm run build` made, and a manifest signed with a key of the
// deployer's, as static files.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";

import { tarEnd, tarHeader, tarPadding } from "../core/lib/tar.ts";
import {
  archiveBytesMax,
  archivePath,
  type Manifest,
  manifestPath,
  signedText,
} from "../install/manifest.ts";
import { DeploymentError } from "./deployment.ts";

/** PKCS #8, base64. */
export function newReleaseKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
}

/** SPKI, base64, of a key that {@link newReleaseKey} made. */
export function publicReleaseKey(releaseKey: string): string {
  const spki = createPublicKey(privateKeyOf(releaseKey)).export({ format: "der", type: "spki" });
  return spki.toString("base64");
}

/** Writes the files of a release below `directory`, and nothing else stays there. */
export function writeRelease({
  dist,
  directory,
  version,
  releaseKey,
}: {
  /** What was built. */
  dist: string;
  directory: string;
  version: string;
  releaseKey: string;
}): Manifest {
  const archive = archiveOf(dist);
  const facts = {
    version,
    sha256: createHash("sha256").update(archive).digest("hex"),
    bytes: archive.length,
  };
  const signature = sign(null, Buffer.from(signedText(facts)), privateKeyOf(releaseKey));
  const manifest = { ...facts, signature: signature.toString("base64") };
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(dirname(join(directory, manifestPath)), { recursive: true });
  // The web UI, with the headers that its files are served with.
  cpSync(join(dist, "public"), directory, { recursive: true });
  writeFileSync(join(directory, archivePath), archive);
  writeFileSync(join(directory, manifestPath), `${JSON.stringify(manifest)}\n`);
  return manifest;
}

/** What hosts do not need: the registry is the Worker. */
const left: ReadonlySet<string> = new Set(["worker.js", "client.mjs", "public/_headers"]);
const launcher = "proconsul.mjs";

/** The same bytes for the same files. */
function archiveOf(dist: string): Buffer {
  const names = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(dist, join(parentPath, name)).replaceAll("\\", "/"))
    .toSorted();
  if (!names.includes(launcher)) {
    throw new DeploymentError(`there is no ${launcher} in ${dist}: run npm run build`);
  }
  const parts = names
    .filter((name) => !left.has(name))
    .flatMap((name) => {
      const content = readFileSync(join(dist, name));
      const mode = name === launcher || name.endsWith(".sh") ? 0o755 : 0o644;
      return [tarHeader(name, content.length, 0, mode), content, tarPadding(content.length)];
    });
  const archive = gzipSync(Buffer.concat([...parts, tarEnd]), { level: 9 });
  if (archive.length > archiveBytesMax) throw new DeploymentError(`${dist} is too large`);
  return archive;
}

function privateKeyOf(releaseKey: string): ReturnType<typeof createPrivateKey> {
  const der = Buffer.from(releaseKey, "base64");
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}
