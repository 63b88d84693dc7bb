// The Worker's code as one module: the file beside the installed bundle, or, in a checkout, bundled from source.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Text of the Worker's main module. Throws when neither a bundle nor the sources are there. */
export async function workerBundle(): Promise<string> {
  const built = await readFile(new URL("./worker.js", import.meta.url), "utf8").catch(() => null);
  return built ?? (await bundleFromSource(new URL("../../index.ts", import.meta.url)));
}

/** Also used by `npm run build`. */
export async function bundleFromSource(entry: URL): Promise<string> {
  const { build, stop } = await import("esbuild");
  try {
    const result = await build({
      entryPoints: [fileURLToPath(entry)],
      bundle: true,
      format: "esm",
      target: "es2024",
      write: false,
      conditions: ["workerd", "worker", "browser"],
      external: ["cloudflare:*", "node:*"],
      logLevel: "silent",
    });
    const [file] = result.outputFiles;
    if (!file) throw new Error("esbuild gave no output for the Worker");
    return file.text;
  } finally {
    // Without this esbuild's service process stays as long as the agent does.
    await stop();
  }
}
