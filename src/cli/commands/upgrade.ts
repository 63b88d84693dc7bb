// `upgrade`, beyond Consul: the agent that its registry hands out now, in place of the one that was installed from
// there.

import { createHash, createPublicKey, verify } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  archiveBytesMax,
  archivePath,
  type Manifest,
  manifestOf,
  manifestPath,
  releaseName,
  signedText,
} from "../../install/manifest.ts";
import { command, Failure } from "../command.ts";
import { switchFlag, textFlag } from "../flags.ts";

const timeoutMs = 60_000;
const manifestBytesMax = 4_096;

export default command({
  usage: ["upgrade [options]"],
  about: `
Fetches the agent that the registry hands out now, and puts it in place of the
one that its installer put here. It must be signed by whoever deployed the
registry that this host was installed from. The agent that runs goes on until it
is restarted.`,
  asks: "nobody",
  flags: {
    check: switchFlag("Say whether there is another release, and change nothing."),
    lib: textFlag("Where releases are, with install.json; that of this program by default."),
  },
  async run({ flags, print }) {
    const lib = flags.lib === "" ? installedIn() : flags.lib;
    const { registry, key } = installationIn(lib);
    const manifest = signed(await manifestFrom(registry), key);
    const name = releaseName(manifest);
    const current = existsSync(join(lib, "current"))
      ? realpathSync(join(lib, "current")).split("/").at(-1)
      : "";
    if (current === name) {
      print(`${name} is installed`);
      return 0;
    }
    if (flags.check) {
      print(`${name} can be installed; ${current || "nothing"} is`);
      return 0;
    }
    const archive = await fetched(registry + archivePath, manifest.bytes);
    if (createHash("sha256").update(archive).digest("hex") !== manifest.sha256) {
      throw new Failure("the archive is not the one that was signed; nothing was changed");
    }
    install(lib, name, archive);
    print(`Installed ${name}. Restart the agent to run it: systemctl restart proconsul`);
    return 0;
  },
});

/** Of a program at LIB/RELEASE/main.mjs. */
function installedIn(): string {
  return dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
}

function installationIn(lib: string): { registry: string; key: string } {
  const path = join(lib, "install.json");
  if (!existsSync(path)) {
    throw new Failure(`this program was not installed by a registry: there is no ${path}`);
  }
  const { registry, key } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  if (typeof registry !== "string" || typeof key !== "string") {
    throw new Failure(`${path} does not say which registry this was installed from`);
  }
  return { registry, key };
}

async function manifestFrom(registry: string): Promise<Manifest> {
  const text = (await fetched(registry + manifestPath, manifestBytesMax)).toString();
  try {
    const manifest = manifestOf(JSON.parse(text));
    if (manifest) return manifest;
  } catch {
    // Whoever answers may be no registry.
  }
  throw new Failure(`${registry}${manifestPath} is no manifest of a release`);
}

/** Throws Failure unless whoever has the key's other half signed it. */
function signed(manifest: Manifest, key: string): Manifest {
  const spki = createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" });
  const signature = Buffer.from(manifest.signature, "base64");
  if (verify(null, Buffer.from(signedText(manifest)), spki, signature)) return manifest;
  throw new Failure(
    "the release is not signed by whoever deployed this registry; nothing was changed",
  );
}

/** Throws Failure for more than `bytesMax`. */
async function fetched(url: string, bytesMax: number): Promise<Buffer> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).catch((failure) => {
    const { cause } = failure as { cause?: Error };
    throw new Failure(`${url} cannot be fetched: ${cause?.message ?? String(failure)}`);
  });
  if (!answer.ok || !answer.body) throw new Failure(`${url}: ${answer.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body) {
    bytes += part.length;
    if (bytes > Math.min(bytesMax, archiveBytesMax)) throw new Failure(`${url} is too long`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The release is there whole before anything speaks of it. */
function install(lib: string, name: string, archive: Buffer): void {
  const work = mkdtempSync(join(lib, ".new-"));
  try {
    const file = join(work, "proconsul.tgz");
    const files = join(work, "files");
    writeFileSync(file, archive);
    mkdirSync(files);
    execFileSync("tar", ["-xzf", file, "-C", files]);
    rmSync(join(lib, name), { recursive: true, force: true });
    renameSync(files, join(lib, name));
    symlinkSync(name, join(work, "current"));
    renameSync(join(work, "current"), join(lib, "current"));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
